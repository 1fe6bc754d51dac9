"""Liquidations through time, beside the obvious version, on made-up rows."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import flow as obvious
from tests.rows import hold
from tests.warehouse.flow_rows import (
    HOUR,
    MINUTE,
    T0,
    asked,
    book,
    close,
    context,
    fill,
    hold_hours,
    same_cascades,
)
from warehouse.contracts.tables import ASSET_CONTEXTS, FILLS, ORDER_BOOKS

seconds = st.integers(-3 * 86_400, 6 * 3600 - 1).map(lambda s: timedelta(seconds=s))
forced = st.lists(
    st.tuples(
        seconds,
        st.sampled_from(["long", "short"]),
        st.floats(50, 150),
        st.floats(0.01, 1e4),
        st.sampled_from(["market", "market", "backstop", "adl", None]),
    ),
    max_size=25,
)
readings = st.lists(
    st.tuples(
        st.integers(-3 * 60, 6 * 60),
        st.none() | st.floats(1, 1e6),
        st.none() | st.floats(-1e-3, 1e-3),
    ),
    max_size=12,
    unique_by=lambda one: one[0],
)
books = st.lists(
    st.tuples(st.integers(0, 6 * 60), st.floats(0.01, 1e5)),
    max_size=8,
    unique_by=lambda one: one[0],
)
holes = st.sets(st.integers(-72, 5), max_size=8)


def put(con, trades, read, shown, lacking, silent=()):
    """Put rows in the lake; return them, and the hours that are held."""
    rows = {
        "fills": [
            fill(number, T0 + after, side, px, size, method)
            for number, (after, side, px, size, method) in enumerate(trades, start=1)
        ],
        "contexts": [context(T0 + m * MINUTE, interest, rate) for m, interest, rate in read],
        "books": [book(T0 + m * MINUTE, size) for m, size in shown],
    }
    hold(con, FILLS, rows["fills"])
    hold(con, ASSET_CONTEXTS, rows["contexts"])
    hold(con, ORDER_BOOKS, rows["books"])
    hours = [T0 + n * HOUR for n in range(-72, 6) if n not in lacking]
    hold_hours(con, hours, silent=silent)
    return rows, hours


@given(
    trades=forced,
    read=readings,
    shown=books,
    lacking=holes,
    silent=st.sets(st.integers(0, 5).map(lambda n: T0 + n * HOUR), max_size=2),
    every=st.sampled_from([7, 30, 60, 90]),
    offset=st.integers(0, 59),
)
@settings(max_examples=8)
def test_the_flow_agrees_with_the_obvious_version(
    con, trades, read, shown, lacking, silent, every, offset
):
    rows, hours = put(con, trades, read, shown, lacking, silent)
    since, until = T0 + offset * MINUTE, T0 + 5 * HOUR
    found = asked(
        con,
        "from liquidation_flow('BTC', $since, $until, every := $every)",
        since=since,
        until=until,
        every=every * MINUTE,
    )
    wanted = obvious.flow(
        rows["fills"],
        hours,
        "BTC",
        since,
        until,
        every * MINUTE,
        rows["contexts"],
        rows["books"],
        silent=silent,
    )
    close(found, wanted)


@pytest.mark.parametrize(
    ("silent", "told"), [((), True), ((-1, 2), True), ((0,), False), ((1,), False)]
)
def test_a_cascade_tells_of_adl_if_all_of_it_is_told(con, silent, told):
    """It lasts from 10:58 to 11:02."""
    burst = [(HOUR + (m - 2) * MINUTE, "long", 100.0, 500.0, "market") for m in range(4)]
    trades = [(timedelta(days=-2), "long", 100.0, 60.0, "market"), *burst]
    trades += [(HOUR + MINUTE, "short", 50.0, 3.0, method) for method in ("adl", "backstop")]
    silent = [T0 + n * HOUR for n in silent]
    rows, hours = put(con, trades, [], [], set(), silent)
    span = {"since": T0, "until": T0 + 3 * HOUR}
    found = asked(con, "from cascades('BTC', $since, $until)", **span)
    same_cascades(found, obvious.cascades(rows["fills"], hours, "BTC", **span, silent=silent))
    (methods,) = [(row["adl_notional"], row["backstop_notional"]) for row in found]
    assert methods == ((150.0, 150.0) if told else (None, None))


@given(trades=forced, read=readings, shown=books, later=forced, offset=st.integers(1, 300))
@settings(max_examples=4)
def test_nothing_from_after_its_end_changes_a_row(con, trades, read, shown, later, offset):
    """Neither rows of later, nor rows that were published later where only those count."""
    rows, _ = put(con, trades, read, shown, set())
    end = T0 + offset * MINUTE
    query = (
        "from liquidation_flow('BTC', $since, $until, every := interval 10 minutes, "
        "knowable := $knowable)"
    )
    span = {"since": T0 - HOUR, "until": T0 + 6 * HOUR, "knowable": False}
    before = {True: asked(con, query, **span | {"until": end, "knowable": True})}
    before[False] = [row for row in asked(con, query, **span) if row["until_ts"] <= end]
    planted = [row for row in rows["fills"] if row["time_ts"] < end]
    planted += [
        fill(1000 + number, end + abs(after), *rest)
        for number, (after, *rest) in enumerate(later)
    ]
    late = [
        fill(2000 + number, end - MINUTE, *rest, lag=HOUR)
        for number, (_, *rest) in enumerate(later)
    ]
    shifted = [context(end + m * MINUTE, 1.0, 0.5) for m in range(3)]
    known = [row for row in rows["contexts"] if row["context_ts"] < end]
    hold(con, ASSET_CONTEXTS, known + shifted)
    hold(con, FILLS, planted)
    after = [row for row in asked(con, query, **span) if row["until_ts"] <= end]
    close(after, before[False])
    hold(con, FILLS, planted + late)
    close(asked(con, query, **span | {"until": end, "knowable": True}), before[True])


parts = st.tuples(st.floats(0, 1e6), st.floats(0, 1), st.floats(-50, 50), st.floats(0, 10))
SCORE = "select cascade_score($1, $2, $3, $4)"


@given(low=parts, more=st.tuples(*[st.floats(0, 100)] * 4))
def test_the_score_never_falls_when_a_part_rises(con, low, more):
    ((score,),) = con.execute(SCORE, low).fetchall()
    assert 0 <= score <= 10
    assert score == pytest.approx(obvious.score(*low), rel=1e-9, abs=1e-12)
    for part in range(4):
        raised = [one + more[part] * (n == part) for n, one in enumerate(low)]
        ((higher,),) = con.execute(SCORE, raised).fetchall()
        assert higher >= score
        unknown = [None if n == part else one for n, one in enumerate(low)]
        assert con.execute(SCORE, unknown).fetchall() == [(None,)]


def test_a_score_of_10_takes_all_four_parts(con):
    full = [100.0, 1.0, 5.0, 1.0]
    assert con.execute(SCORE, full).fetchall() == [(10.0,)]
    for part, less in ((0, 99.0), (1, 0.9), (2, 4.0), (3, 0.5)):
        ((score,),) = con.execute(SCORE, [*full[:part], less, *full[part + 1 :]]).fetchall()
        assert score < 10
