"""Real blocks, every user's fills: minutes made of them by hand are drilled into whole."""

from itertools import groupby

import numpy as np
import pytest

from backtest.bars import Bars
from backtest.drill import Drill
from pipelines.steps.fills import land_hourly_fills
from warehouse import open_lake

MINUTE = np.timedelta64(60_000_000, "us")
FEW = 20  # trades of a coin worth a look


@pytest.fixture(scope="module")
def lake(real, tmp_path_factory):
    root = tmp_path_factory.mktemp("lake")
    land_hourly_fills(str(real / "raw-blocks"), root)
    with open_lake(root) as con:
        yield con


def trades_of(con):
    """Yield each coin and its trades, ``(moment, px, size)``, as the buyers tell them."""
    rows = con.sql(
        "select coin, time_ts::timestamp, px, size from fills where is_buy order by all"
    ).fetchall()
    for coin, some in groupby(rows, lambda row: row[0]):
        trades = [(np.datetime64(moment, "us"), px, size) for _, moment, px, size in some]
        if len(trades) >= FEW:
            yield coin, trades


def minutes_of(coin, trades):
    rows = []
    for start, some in groupby(trades, lambda one: one[0].astype("M8[m]")):
        px, size = (np.array(one) for one in list(zip(*some, strict=True))[1:])
        rows.append((start.astype("M8[us]"), px[0], px.max(), px.min(), px[-1], size.sum()))
    columns = (np.array(one) for one in zip(*rows, strict=True))
    return Bars(coin, "hyperliquid", "by hand", "1m", MINUTE, *columns)


def test_real_trades_make_up_their_minutes(lake):
    coins = seconds = 0
    for coin, trades in trades_of(lake):
        bars = minutes_of(coin, trades)
        told = Drill(lake, bars).read(np.ones(len(bars), bool))
        assert (told.made, told.silent, told.unlike) == (len(bars), 0, 0), coin
        told.seconds.check()
        assert told.seconds.volume.sum() == pytest.approx(bars.volume.sum())
        there = {moment.astype("M8[s]") for moment, _, _ in trades}
        assert len(told.seconds) == len(there)
        coins, seconds = coins + 1, seconds + len(there)
    assert coins >= 10
    assert seconds > 100


def test_real_trades_without_the_largest_do_not(lake):
    for coin, trades in trades_of(lake):
        bars = minutes_of(coin, trades)
        largest = max(trades, key=lambda one: one[2])
        rest = minutes_of(coin, [one for one in trades if one is not largest])
        told = Drill(lake, rest).read(np.ones(len(rest), bool))
        assert told.made == len(bars) - 1 - (len(bars) - len(rest)), coin


def test_every_real_trade_has_one_buyer(lake):
    sides = lake.sql(
        "select count(*), count_if(is_buy), count(distinct px), count(distinct size) "
        "from fills group by coin, time_ts, trade_id"
    ).fetchall()
    assert set(sides) == {(2, 1, 1, 1)}
