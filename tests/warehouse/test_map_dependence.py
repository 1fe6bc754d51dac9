"""Which share of a map rests on other coins' prices, and the positions of a whole dex."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference import dependence as obvious
from tests.rows import T0, batch, hold, position, snapshot
from tests.sql.test_macros import FILLED_IN, load
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS

COLUMNS = (
    "side, notional, cross_notional, multi_notional, maybe_notional, share, share_most, "
    "positions, multi_positions, unpriced"
)
CASES = sorted(
    path.parent for path in (Path(__file__).parents[1] / "sql/positions_at").glob("*/query.sql")
)
held = st.tuples(
    st.integers(1, 4),
    st.sampled_from(["BTC", "ETH", "SOL"]),
    st.sampled_from([2.0, -1.5, 0.25]),
    st.none() | st.floats(1.0, 500.0),
    st.sampled_from(["cross", "cross", "isolated", None]),
)
books = st.lists(held, min_size=1, max_size=12, unique_by=lambda row: row[:2]).map(
    lambda rows: [
        position(holder=who, coin=coin, size=size, liquidation_px=px, leverage_type=mode)
        for who, coin, size, px, mode in rows
    ]
)


def asked(con, book, coin):
    hold(con, POSITIONS, book)
    hold(con, SNAPSHOTS, [snapshot(rows=book)])
    rows = con.sql(
        f"select {COLUMNS} from map_dependence($coin, $at)", params={"coin": coin, "at": T0}
    ).fetchall()
    return {side: sums for side, *sums in rows}


def agrees(got, want):
    assert got.keys() == want.keys()
    for side, sums in want.items():
        for one, other in zip(got[side], sums, strict=True):
            assert one == (None if other is None else pytest.approx(other, rel=1e-9))


@asked_of_a_lake
@given(book=books)
def test_it_agrees_with_the_obvious_version(con, book):
    agrees(asked(con, book, "BTC"), obvious.map_dependence(book, "BTC"))


@asked_of_a_lake
@given(book=books)
def test_a_dex_is_the_sum_of_its_coins(con, book):
    hold(con, POSITIONS, book)
    hold(con, SNAPSHOTS, [snapshot(rows=book)])
    columns = "account, side, size, mark_px, liquidation_px, snapshot_ts, current_px"
    for coin in ("BTC", "ETH", "SOL"):
        one, all_ = (
            con.sql(
                f"select {columns} from {query} order by account",
                params={"coin": coin, "at": T0},
            ).fetchall()
            for query in (
                "positions_at($coin, $at)",
                "dex_positions_at('BTC', $at) where coin = $coin",
            )
        )
        assert one == all_


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_of_sweeps_too_it_says_what_positions_at_says(con, case):
    for table in FILLED_IN:
        con.execute(f"delete from promised.{table}")
    for csv in case.glob("*.csv"):
        if csv.stem != "expect":
            load(con, csv)
    query = (case / "query.sql").read_text()
    call = re.search(r"positions_at\('(\w+)', .*?'\s*(?:, [^()]*)?\)", query)[0]
    columns = "account, side, size, mark_px, liquidation_px, state_ts, snapshot_ts, current_px"
    coin = call.split("'")[1]
    one, all_ = (
        con.sql(f"select {columns} from {name} order by account, state_ts").fetchall()
        for name in (call, f"dex_{call} where coin = '{coin}'")
    )
    assert one == all_
    for table in FILLED_IN:
        con.execute(f"delete from promised.{table}")


def test_on_real_rows_it_agrees_with_the_obvious_version(con, real):
    from pipelines.sources.reservoir import SnapshotFile, to_positions

    path = sorted(real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-04/*"))
    file = SnapshotFile("f", "hyperliquid", T0)
    rows = to_positions(pl.read_parquet(path[0], hive_partitioning=False), file).positions
    blank = dict.fromkeys(POSITIONS.schema.names)
    book = [
        blank | row | {"source": "test", "scope": "hyperliquid", "liquidation_px_source": None}
        for row in rows.with_columns(snapshot_ts=pl.lit(T0), known_ts=pl.lit(T0)).to_dicts()
    ]
    for coin in ("BTC", "ETH", "HYPE"):
        got = asked(con, book, coin)
        agrees(got, obvious.map_dependence(book, coin))
        assert got["short"][2] > 0
    assert batch(POSITIONS, book).num_rows > 1000
