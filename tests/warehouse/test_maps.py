"""What holds for every map, and the obvious version beside it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference import maps as obvious
from tests.rows import T0, hold, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS

MARK = 100.0
prices = st.none() | st.floats(0.5, 5000.0) | st.sampled_from([64.0, 95.0, 105.0, 128.0])
sizes = st.floats(0.01, 1e4).flatmap(lambda size: st.sampled_from([size, -size]))
books = st.lists(st.tuples(sizes, prices), min_size=1, max_size=30).map(
    lambda book: [
        position(holder=number, size=size, mark_px=MARK, liquidation_px=px)
        for number, (size, px) in enumerate(book, start=1)
    ]
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Ask one empty lake again and again, each time with another book put in by hand."""
    with open_lake(tmp_path_factory.mktemp("lake")) as con:

        def ask(book, query, **asked):
            hold(con, POSITIONS, book)
            hold(con, SNAPSHOTS, [snapshot(rows=book)])
            relation = con.sql(query, params={"at": T0} | asked)
            columns = relation.columns
            return [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]

        yield ask


@asked_of_a_lake
@given(book=books, width_pct=st.sampled_from([0.25, 0.5, 1.0, 7.3, 100.0]))
def test_the_map_agrees_with_the_obvious_version(ask, book, width_pct):
    rows = ask(book, "from liquidation_map('BTC', $at, width_pct := $w)", w=width_pct)
    want = obvious.liquidation_map(book, width_pct)
    assert len(rows) == len(want)
    for row in rows:
        assert row["px_low"] <= row["px"] * (1 + 1e-12)
        assert row["px"] * (1 - 1e-12) < row["px_high"]
        notional, size, positions, largest = want[
            row["side"], obvious.bucket(row["px_low"] * (1 + 1e-9), width_pct)
        ]
        assert row["notional"] == pytest.approx(notional, rel=1e-9)
        assert row["size"] == pytest.approx(size, rel=1e-9)
        assert row["positions"] == positions
        assert row["top_account_share"] == pytest.approx(largest / notional, rel=1e-9)
        assert row["distance_pct"] == pytest.approx(
            (row["px"] / MARK - 1) * 100, abs=1e-9, rel=1e-9
        )


@asked_of_a_lake
@given(book=books, width_pct=st.sampled_from([0.5, 3.0]))
def test_every_dollar_with_a_price_is_on_the_map_once(ask, book, width_pct):
    rows = ask(book, "from liquidation_map('BTC', $at, width_pct := $w)", w=width_pct)
    for side, sign in (("long", 1), ("short", -1)):
        whole = sum(
            abs(row["size"]) * row["liquidation_px"]
            for row in book
            if row["liquidation_px"] is not None and row["size"] * sign > 0
        )
        assert sum(row["notional"] for row in rows if row["side"] == side) == pytest.approx(
            whole, rel=1e-9
        )


@asked_of_a_lake
@given(book=books, pcts=st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True))
def test_scenarios_agree_with_the_obvious_version(ask, book, pcts):
    rows = ask(book, "from cascade_scenarios('BTC', $at, pcts := $pcts)", pcts=pcts)
    assert {(row["direction"], row["pct"]) for row in rows} == {
        (direction, pct) for direction in ("down", "up") for pct in pcts
    }
    for row in rows:
        notional, count = obvious.triggered(book, MARK, row["pct"], row["direction"])
        assert row["notional"] == pytest.approx(notional, rel=1e-9)
        assert row["positions"] == count


@asked_of_a_lake
@given(book=books)
def test_a_scenario_is_the_sum_of_the_map_it_reaches(ask, book):
    """In buckets so fine that each holds one price."""
    fine = ask(book, "from liquidation_map('BTC', $at, width_pct := 0.0001)")
    for row in ask(book, "from cascade_scenarios('BTC', $at, pcts := [5, 20, 50])"):
        down = row["direction"] == "down"
        reached = [
            cell["notional"]
            for cell in fine
            if cell["side"] == row["side"]
            and (
                cell["px"] >= row["target_px"] * (1 - 1e-12)
                if down
                else cell["px"] <= row["target_px"] * (1 + 1e-12)
            )
        ]
        assert row["notional"] == pytest.approx(sum(reached), rel=1e-9)


@asked_of_a_lake
@given(book=books)
def test_a_wider_move_triggers_no_less(ask, book):
    rows = ask(book, "from cascade_scenarios('BTC', $at, pcts := [1, 2, 5, 10, 25, 50])")
    for direction in ("down", "up"):
        sums = [row["notional"] for row in rows if row["direction"] == direction]
        assert sums == sorted(sums)


# Prices so close to one another that windows overlap in chains.
slopes = st.lists(st.tuples(sizes, st.integers(0, 60)), min_size=1, max_size=40).map(
    lambda book: [
        position(holder=number, size=size, mark_px=MARK, liquidation_px=90.0 * 1.004**step)
        for number, (size, step) in enumerate(book, start=1)
    ]
)
crowded = books | slopes


@asked_of_a_lake
@given(book=crowded, width_pct=st.sampled_from([0.5, 1.0, 10.0]))
def test_clusters_agree_with_the_obvious_version(ask, book, width_pct):
    rows = ask(book, "from liquidation_clusters('BTC', $at, width_pct := $w)", w=width_pct)
    want = {(side, low): rest for side, low, *rest in obvious.clusters(book, width_pct)}
    assert {(row["side"], row["px_low"]) for row in rows} == want.keys()
    for row in rows:
        high, notional = want[row["side"], row["px_low"]]
        assert row["px_high"] == pytest.approx(high, rel=1e-9)
        assert row["notional"] == pytest.approx(notional, rel=1e-9)
    assert [row["notional"] for row in rows] == sorted(
        (row["notional"] for row in rows), reverse=True
    )


@asked_of_a_lake
@given(book=crowded, width_pct=st.sampled_from([0.5, 1.0, 10.0, 100.0]))
def test_every_dollar_with_a_price_is_in_one_cluster(ask, book, width_pct):
    rows = ask(book, "from liquidation_clusters('BTC', $at, width_pct := $w)", w=width_pct)
    priced = [row for row in book if row["liquidation_px"] is not None]
    for side, sign in (("long", 1), ("short", -1)):
        mine = [row for row in rows if row["side"] == side]
        masses = [row for row in priced if row["size"] * sign > 0]
        for row in masses:
            px = row["liquidation_px"]
            assert sum(one["px_low"] <= px < one["px_high"] for one in mine) == 1
        assert sum(row["positions"] for row in mine) == len(masses)
    if priced:
        assert sum(row["share"] for row in rows) == pytest.approx(1, rel=1e-9)
        whole = sum(abs(row["size"]) * row["liquidation_px"] for row in priced)
        assert sum(row["notional"] for row in rows) == pytest.approx(whole, rel=1e-9)


@asked_of_a_lake
@given(book=crowded, width_pct=st.sampled_from([0.5, 1.0, 10.0]))
def test_no_grid_decides_what_a_cluster_is(ask, book, width_pct):
    """Prices twice as high lie otherwise on every grid; what clusters stays the same."""
    query = "from liquidation_clusters('BTC', $at, width_pct := $w)"
    moved = [row | {"mark_px": row["mark_px"] * 2} for row in book]
    for row in moved:
        row["liquidation_px"] = row["liquidation_px"] and row["liquidation_px"] * 2
    before, after = (ask(rows, query, w=width_pct) for rows in (book, moved))
    same = ("side", "size", "positions", "share")
    assert [{name: row[name] for name in same} for row in after] == [
        {name: row[name] for name in same} for row in before
    ]
    assert [row["px_low"] for row in after] == [2 * row["px_low"] for row in before]


@asked_of_a_lake
@given(book=crowded)
def test_clusters_of_a_side_share_no_price(ask, book):
    rows = ask(book, "from liquidation_clusters('BTC', $at, width_pct := 5)")
    for side in ("long", "short"):
        edges = sorted((row["px_low"], row["px_high"]) for row in rows if row["side"] == side)
        assert all(high <= low for (_, high), (low, _) in pairwise(edges))


@asked_of_a_lake
@given(leverage=st.floats(1.0, 20.0), size=sizes, max_leverage=st.sampled_from([20, 40, 50]))
def test_isolated_longs_lie_below_the_mark_and_shorts_above(ask, leverage, size, max_leverage):
    """Fresh isolated positions through the margin engine onto the map."""
    import polars as pl

    from warehouse.margin import Tier, TierTable, fill_liquidation_px

    margin = abs(size) * MARK / leverage
    row = position(size=size, mark_px=MARK) | {
        "leverage_type": "isolated",
        "margin_used": margin,
    }
    kinds = {
        "max_leverage": pl.Float64,
        "margin_used": pl.Float64,
        "account_value": pl.Float64,
        "account_mode": pl.String,
    }
    frame = pl.DataFrame([row], schema_overrides=kinds | {"liquidation_px": pl.Float64})
    filled = fill_liquidation_px(frame, TierTable.of({"BTC": [Tier(0, max_leverage)]}))
    rows = ask(
        [
            row
            | filled.positions.select("liquidation_px", "liquidation_px_source").row(
                0, named=True
            )
        ],
        "from liquidation_map('BTC', $at)",
    )
    if size < 0 or leverage > 1.03:  # a long without leverage cannot be liquidated
        assert len(rows) == 1
    for cell in rows:
        assert (cell["distance_pct"] < 0) == (cell["side"] == "long")
