"""The two cascade rules through 10 October 2025: what they decided is worked out again by hand.

The fills are a sample of the venue's, those of some vaults, and the prices are another venue's:
what is shown is that real rows go the whole way and are counted right.
"""

from datetime import UTC, date, datetime, timedelta

import lz4.frame
import numpy as np
import polars as pl
import pytest

from backtest.answer import answer
from backtest.question import Question
from backtest.strategies.cascade_fade import CascadeFade
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.terms import Costs, Terms
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from tests.reference.flow import forced_trades
from tests.reference.node_fills import landed
from warehouse.catalog import open_lake

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
COINS = ("BTC", "ETH", "SOL", "HYPE")
SINCE, UNTIL = datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 12, tzinfo=UTC)
RULES = {"fade": CascadeFade(), "follow": CascadeFollow()}


@pytest.fixture(scope="module")
def studies(real, tmp_path_factory):
    root = tmp_path_factory.mktemp("october")
    land_market(str(real), root, date(2025, 10, 6), date(2025, 10, 13))
    land_hourly_fills(str(real), root)
    with open_lake(root) as con:
        asked = [
            Question(
                strategy=rule,
                coins=COINS,
                since=SINCE,
                until=UNTIL,
                live_flow=True,
                terms=Terms(Costs(slippage="none")),
                draws=20,
            )
            for rule in RULES.values()
        ]
        return dict(zip(RULES, answer(con, asked), strict=True))


@pytest.fixture(scope="module")
def fills(real):
    """Every real fill, read the slow way."""
    bodies = {}
    for file in real.glob("hl-mainnet-node-data/node_fills_by_block/hourly/*/*.lz4"):
        hour = datetime.strptime(f"{file.parent.name} {file.stem} +0000", "%Y%m%d %H %z")
        bodies[hour] = lz4.frame.decompress(file.read_bytes())
    return landed(bodies, "node_fills_by_block")[0]


@pytest.fixture(scope="module")
def closes(real):
    """Closes of a coin by the moment they are known."""
    rows = pl.read_parquet(real / "market" / "candles.parquet").filter(
        pl.col("venue") == "binance", pl.col("timestamp").is_between(SINCE - 5 * HOUR, UNTIL)
    )
    return {
        coin: {
            at + HOUR: px for at, px in rows.filter(coin=coin)[["timestamp", "c"]].iter_rows()
        }
        for coin in COINS
    }


def liquidated(fills, coin, end, side):
    """Notional that was liquidated in the hour before ``end``, USD."""
    trades = forced_trades(fills, coin, end - HOUR, end)
    return sum(one["notional"] for one in trades if one["side"] == side)


def decided(study):
    """Coin and moment of each entry that became a trade."""
    for run in study.played.of("pessimistic"):
        for row in run.replay.trades["decided"]:
            at = run.bars.end[row].astype("datetime64[us]").item().replace(tzinfo=UTC)
            yield run.coin, at, int(np.sign(run.decisions.side[row]))


@pytest.mark.parametrize("name", list(RULES))
def test_real_rows_go_the_whole_way_and_show_no_edge(studies, name):
    study = studies[name]
    first = study.findings.readings[0]
    assert first.attempts > 3
    assert study.verdict[2].startswith("No edge is shown")
    assert (
        "prices of binance, without slippage and liquidation of BTC, ETH, SOL, HYPE: "
        in (study.verdict[0])
    )
    assert {one.name for one in study.placebos} >= {"random times", "mirrored", "shuffled"}
    notes = study.played.notes
    assert any("fills and contexts count as heard live" in note for note in notes)


def test_each_fade_came_after_a_fall_whose_liquidations_were_spent(studies, fills, closes):
    entries = list(decided(studies["fade"]))
    assert {coin for coin, _, _ in entries} == set(COINS)
    rule = RULES["fade"]
    for coin, at, side in entries:
        assert side == 1
        before = closes[coin][at - rule.lookback * HOUR]
        assert closes[coin][at] / before - 1 <= -rule.move_pct / 100
        ends = [at - back * HOUR for back in range(rule.lookback)]
        longs = [liquidated(fills, coin, end, "long") for end in ends]
        shorts = [liquidated(fills, coin, end, "short") for end in ends]
        assert sum(longs) >= rule.min_notional
        assert sum(longs) > sum(shorts)
        assert longs[0] <= rule.spent_share * max(longs)


def test_each_follow_came_with_a_move_and_its_liquidations(studies, fills, closes):
    entries = list(decided(studies["follow"]))
    rule = RULES["follow"]
    assert entries
    for coin, at, side in entries:
        move = closes[coin][at] / closes[coin][at - HOUR] - 1
        assert side * move >= rule.min_move_pct / 100
        mine, other = ("long", "short") if side < 0 else ("short", "long")
        notional = liquidated(fills, coin, at, mine)
        assert notional >= rule.min_notional
        assert notional > liquidated(fills, coin, at, other)


def test_the_hours_that_fade_and_follow_left_out_lacked_something(studies, fills, closes):
    """Of every hour of BTC the fade's entry is worked out again: it took all, and no other."""
    rule, (run, *_) = RULES["fade"], studies["fade"].played.of("pessimistic")
    for row, end in enumerate(run.bars.end):
        at = end.astype("datetime64[us]").item().replace(tzinfo=UTC)
        fell = closes["BTC"][at] / closes["BTC"][at - rule.lookback * HOUR] - 1
        ends = [at - back * HOUR for back in range(rule.lookback)]
        longs = [liquidated(fills, "BTC", one, "long") for one in ends]
        shorts = [liquidated(fills, "BTC", one, "short") for one in ends]
        wanted = fell <= -rule.move_pct / 100 and longs[0] <= rule.spent_share * max(longs)
        wanted &= sum(longs) >= rule.min_notional and sum(longs) > sum(shorts)
        unknown = bool(run.decisions.unmapped[row])
        assert (run.decisions.side[row] != 0) == (wanted and not unknown), at
