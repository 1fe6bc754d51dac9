"""Seconds that trades tell of bars: only of bars that they make up, as the slow twin does."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtest.drill
from backtest.bars import Bars
from backtest.drill import Drill
from tests.backtest.made import HOUR, START
from tests.backtest.traded import fills_of, joined, wander
from tests.reference.drill import seconds_of
from tests.reference.replay_bar import Bar
from warehouse.contracts.tables import FILLS

TRADES = [
    (0.5, 101.0, 2.0),
    (0.5, 102.0, 1.0),  # a block of three
    (0.5, 100.5, 1.0),
    (0.9, 101.5, 0.1),
    (7.0, 103.0, 0.2),
    (3599.9, 99.0, 4.0),
]
HOUR_OF_THESE = (101.0, 103.0, 99.0, 99.0)


def bars_of(rows, volumes):
    open_px, high, low, close = map(np.array, zip(*rows, strict=True))
    start = START + np.arange(len(rows)) * HOUR
    volume = np.array(volumes, float)
    prices = (open_px, high, low, close, volume)
    return Bars("BTC", "hyperliquid", "market", "1h", HOUR, start, *prices)


def lake_of(rows):
    """A connection whose only table is one of fills."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.register("told", pa.Table.from_pylist(rows, FILLS.schema))
    con.execute(
        "create table fills as select *, (time_ts at time zone 'UTC')::date as day from told"
    )
    return con


def read(bars, rows, asked=None):
    with lake_of(rows) as con:
        return Drill(con, bars).read(np.ones(len(bars), bool) if asked is None else asked)


def told(seconds):
    """Return seconds as ``(second, open, high, low, close, volume)``."""
    second = (seconds.start - START) // np.timedelta64(1, "s")
    columns = (seconds.open_px, seconds.high_px, seconds.low_px, seconds.close_px)
    return list(zip(second.tolist(), *(one.tolist() for one in columns), strict=True))


def test_seconds_by_hand():
    found = read(bars_of([HOUR_OF_THESE], [8.3]), fills_of(TRADES))
    assert (found.made, found.silent, found.unlike) == (1, 0, 0)
    assert told(found.seconds) == [
        (0, 101.0, 102.0, 100.5, 101.5),
        (7, 103.0, 103.0, 103.0, 103.0),
        (3599, 99.0, 99.0, 99.0, 99.0),
    ]
    assert found.seconds.volume == pytest.approx([4.1, 0.2, 4.0])
    assert found.seconds.width == np.timedelta64(1, "s")
    found.seconds.check()


def test_a_bar_that_opens_at_the_close_before_begins_there():
    found = read(bars_of([(98.0, 103.0, 98.0, 99.0)], [8.3]), fills_of(TRADES))
    assert told(found.seconds)[0] == (0, 98.0, 102.0, 98.0, 101.5)


def test_a_price_goes_the_shortest_way_from_block_to_block():
    """Up from below, down from above, and not at all where blocks overlap."""
    blocks = [
        (1.0, 100.0),
        (1.0, 101.0),
        (2.0, 103.0),
        (2.0, 104.0),
        (3.0, 102.0),
        (3.0, 103.5),
    ]
    blocks += [(4.0, 100.0), (4.0, 101.0)]
    trades = [(second, px, 1.0) for second, px in blocks]
    found = read(bars_of([(100.0, 104.0, 100.0, 100.0)], [8.0]), fills_of(trades))
    opens, closes = found.seconds.open_px.tolist(), found.seconds.close_px.tolist()
    assert opens == [100.0, 103.0, 103.0, 101.0]
    assert closes == [101.0, 103.0, 102.0, 100.0]


@pytest.mark.parametrize(
    ("bar", "volume", "trades"),
    [
        pytest.param(HOUR_OF_THESE, 8.3, TRADES[:4] + TRADES[5:], id="one is not held"),
        pytest.param(HOUR_OF_THESE, 8.3, [*TRADES, TRADES[-1]], id="one is doubled"),
        pytest.param(HOUR_OF_THESE, np.nan, TRADES, id="no volume is known"),
        pytest.param((101.0, 103.5, 99.0, 99.0), 8.3, TRADES, id="another high"),
        pytest.param((101.0, 103.0, 98.5, 99.0), 8.3, TRADES, id="another low"),
        pytest.param((101.0, 103.0, 99.0, 99.5), 8.3, TRADES, id="another close"),
        pytest.param((104.0, 104.0, 99.0, 99.0), 8.31, TRADES, id="another volume"),
    ],
)
def test_trades_that_do_not_make_up_the_bar_tell_nothing(bar, volume, trades):
    found = read(bars_of([bar], [volume]), fills_of(trades))
    assert (found.made, found.silent, found.unlike) == (0, 0, 1)
    assert len(found.seconds) == 0


@pytest.mark.parametrize(
    "changed",
    [{"coin": "ETH"}, {"is_buy": False}, {"size": 0.0}],
    ids=["of another coin", "sellers alone", "of no size"],
)
def test_fills_that_are_no_trade_of_the_coin_are_silent(changed):
    rows = [row | changed for row in fills_of(TRADES)]
    assert read(bars_of([HOUR_OF_THESE], [8.3]), rows).silent == 1


def test_of_each_trade_one_fill_counts():
    """The buyers alone, as some sources tell; with the sellers too it is the same."""
    whole, some = (
        read(bars_of([HOUR_OF_THESE], [8.3]), fills_of(TRADES, sides=sides))
        for sides in ((True, False), (True,))
    )
    assert told(whole.seconds) == told(some.seconds) != []


def test_a_bar_ends_before_the_next_begins():
    """A trade at the very start of the next hour is the next hour's."""
    after = (3600.0, 99.5, 1.0)
    rows = [HOUR_OF_THESE, (99.0, 99.5, 99.0, 99.5)]
    found = read(bars_of(rows, [8.3, 1.0]), fills_of([*TRADES, after]))
    assert found.made == 2
    assert told(found.seconds)[-1] == (3600, 99.0, 99.5, 99.0, 99.5)
    first = read(bars_of(rows, [8.3, 1.0]), fills_of([*TRADES, after]), np.array([True, False]))
    assert told(first.seconds) == told(found.seconds)[:-1]


def test_a_bar_is_read_once_and_told_as_often_as_it_is_asked_for(monkeypatch):
    trades = wander(6)
    rows, volumes = joined(trades, 6)
    bars = bars_of(rows, volumes)
    asks = []

    def listened(lake, of, some, spans=backtest.drill.read_spans):
        asks.append(some.tolist())
        return spans(lake, of, some)

    monkeypatch.setattr(backtest.drill, "read_spans", listened)
    monkeypatch.setattr(backtest.drill, "MOST", 2)
    with lake_of(fills_of(trades)) as con:
        drill = Drill(con, bars)
        late = drill.read(np.array([False, False, False, True, False, True]))
        some = drill.read(np.array([True, False, False, True, True, False]))
        every = drill.read(np.ones(6, bool))
    assert asks == [[3, 5], [0, 4], [1, 2]]
    assert (late.made, some.made, every.made) == (2, 3, 6)
    row = (some.seconds.start - START) // HOUR
    assert sorted(set(row.tolist())) == [0, 3, 4]
    assert (np.diff(every.seconds.start) > np.timedelta64(0, "us")).all()
    kept = np.isin((every.seconds.start - START) // HOUR, [0, 3, 4])
    assert np.array_equal(every.seconds.open_px[kept], some.seconds.open_px)


moments = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.25, 1.0, 1.5, 2.0, 59.5, 60.0, 61.0, 61.5, 3599.0]),
        st.integers(90, 110).map(float),
        st.sampled_from([0.1, 0.3, 1.0, 2.5]),
    ),
    max_size=9,
)


@settings(max_examples=40)
@given(hours=st.lists(moments, min_size=1, max_size=3), data=st.data())
def test_seconds_are_those_of_the_slow_twin(hours, data):
    trades, rows, volumes = [], [], []
    for number, some in enumerate(hours):
        here = sorted(some, key=lambda one: one[0])
        px = [one[1] for one in here]
        opened = data.draw(st.sampled_from([*px[:1], 100.0]))
        last = [one[1] for one in here if one[0] == here[-1][0]]
        close = data.draw(st.sampled_from(last)) if here else opened
        high, low = max([opened, *px]), min([opened, *px])
        wrong = data.draw(st.sampled_from([0.0, 0.0, 0.0, 1.0]))
        rows.append((opened, high + wrong, low, close))
        volumes.append(sum(one[2] for one in here) or 1.0)
        trades += [(3600 * number + second, px, size) for second, px, size in here]
    found = read(bars_of(rows, volumes), fills_of(trades))
    should = {}
    for number, (row, volume) in enumerate(zip(rows, volumes, strict=True)):
        here = [one for one in trades if 3600 * number <= one[0] < 3600 * (number + 1)]
        should |= seconds_of(Bar(*row, volume), here) or {}
    assert told(found.seconds) == [
        (second, one.open, one.high, one.low, one.close) for second, one in should.items()
    ]
    assert found.seconds.volume == pytest.approx([one.volume for one in should.values()])
