"""The heatmap against its slow twin, and against the map at each of its moments."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.reference import heatmap as naive
from tests.reference.buckets import bucket_of
from warehouse.catalog import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.heatmap import answering_snapshots, liquidation_heatmap
from warehouse.store import land

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNTIL = datetime(2100, 1, 1, tzinfo=UTC)
SCHEMA = {
    "snapshot_ts": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "scope": pl.String,
    "size": pl.Float64,
    "liquidation_px": pl.Float64,
}
snapshot = st.fixed_dictionaries(
    {
        "snapshot_ts": st.integers(0, 4).map(lambda k: START + k * HOUR),
        "source": st.sampled_from(["a", "b"]),
        "scope": st.sampled_from(["all", "hyperliquid", "xyz"]),
        "complete": st.booleans(),
        "trusted": st.booleans(),
    }
)
ledgers = st.lists(
    snapshot, max_size=12, unique_by=lambda s: (s["snapshot_ts"], s["source"], s["scope"])
)
position = st.fixed_dictionaries(
    {
        "snapshot_ts": st.integers(0, 4).map(lambda k: START + k * HOUR),
        "source": st.sampled_from(["a", "b"]),
        "scope": st.sampled_from(["all", "hyperliquid", "xyz"]),
        "size": st.floats(-1e3, 1e3).filter(lambda size: abs(size) > 1e-6),
        "liquidation_px": st.none() | st.floats(0.5, 5e4) | st.just(1.0),
    }
)


def as_snapshots(rows):
    kinds = {name: SCHEMA[name] for name in ("snapshot_ts", "source", "scope")}
    return pl.DataFrame(rows, schema=kinds | {"complete": pl.Boolean, "trusted": pl.Boolean})


@given(ledger=ledgers, coin=st.sampled_from(["BTC", "xyz:TSLA"]))
def test_the_snapshots_that_answer_agree_with_the_obvious_version(ledger, coin):
    until = START + 3 * HOUR
    chosen = answering_snapshots(as_snapshots(ledger), coin, START + HOUR, until)
    assert chosen.to_dicts() == naive.answering_snapshots(ledger, coin, START + HOUR, until)


@given(
    ledger=ledgers,
    positions=st.lists(position, max_size=25),
    width=st.sampled_from([0.5, 2.0, 100.0]),
)
def test_cells_agree_with_the_obvious_version(ledger, positions, width):
    shown = answering_snapshots(as_snapshots(ledger), "BTC", START, START + 9 * HOUR)
    cells = liquidation_heatmap(pl.DataFrame(positions, schema=SCHEMA), shown, width)
    expected = naive.liquidation_heatmap(positions, shown.to_dicts(), width)
    got = {
        (row["snapshot_ts"], bucket_of(row["px_low"], width)): (
            row["long_notional"],
            row["short_notional"],
            row["positions"],
        )
        for row in cells.to_dicts()
    }
    assert got.keys() == expected.keys()
    for cell, amounts in expected.items():
        assert got[cell] == pytest.approx(amounts)
    assert cells.equals(cells.sort("snapshot_ts", "px_low"))


def test_a_width_that_is_no_width_is_refused():
    with pytest.raises(ValueError, match="width_pct 0 is not allowed"):
        liquidation_heatmap(pl.DataFrame(schema=SCHEMA), as_snapshots([]), 0)


def test_a_snapshot_given_twice_is_refused():
    row = {"snapshot_ts": START, "source": "a", "complete": True, "trusted": True}
    twice = as_snapshots([row | {"scope": "all"}, row | {"scope": "hyperliquid"}])
    with pytest.raises(ValueError, match="one row for each snapshot_ts"):
        liquidation_heatmap(pl.DataFrame(schema=SCHEMA), twice)


@pytest.fixture(scope="module")
def con(real, tmp_path_factory):
    """A lake of six real snapshots and one that nothing may answer from."""
    root = tmp_path_factory.mktemp("lake")
    folder = real / "hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp"
    files = sorted(folder.glob("*/*.parquet"))[::10]
    assert files
    for number, file in enumerate(files):
        ts = datetime.fromtimestamp(int(file.stem.split("_")[-1]) / 1000, UTC)
        land(root, POSITIONS, position_rows(pl.read_parquet(file), ts), file.stem)
        land(root, SNAPSHOTS, snapshot_row(ts, trusted=number != 2), file.stem)
    return open_lake(root)


def position_rows(rows, ts):
    given = rows.select(
        pl.lit(ts).alias("snapshot_ts"),
        pl.lit("reservoir").alias("source"),
        pl.lit("hyperliquid").alias("scope"),
        coin="market",
        account="user",
        size="size",
        entry_px="entry_price",
        mark_px=pl.col("notional") / pl.col("size").abs(),
        liquidation_px="liquidation_price",
        known_ts=pl.lit(ts),
    )
    nothing = [
        pl.lit(None).alias(column.name)
        for column in POSITIONS.columns
        if column.name not in given.columns
    ]
    return given.with_columns(nothing).to_arrow()


def snapshot_row(ts, trusted):
    counts = ("accounts", "positions", "px_venue", "px_computed", "px_never", "px_unknown")
    row = {
        "snapshot_ts": ts,
        "source": "reservoir",
        "scope": "hyperliquid",
        "complete": True,
        "trusted": trusted,
        "known_ts": ts,
    }
    return pa.Table.from_pylist([row | dict.fromkeys(counts, 0)], SNAPSHOTS.schema)


@pytest.mark.parametrize("coin", ["BTC", "HYPE"])
def test_every_column_is_the_map_of_its_moment(con, coin):
    ledger = con.sql("from snapshots").pl()
    shown = answering_snapshots(ledger, coin, ledger["snapshot_ts"].min(), UNTIL)
    assert shown.height == ledger.height - 1
    rows = con.sql("from positions where coin = $coin", params={"coin": coin}).pl()
    cells = liquidation_heatmap(rows, shown, 0.5)
    for ts in shown["snapshot_ts"]:
        chart = con.sql(
            "select px_low, px_high,"
            " coalesce(sum(notional) filter (where side = 'long'), 0) as long_notional,"
            " coalesce(sum(notional) filter (where side = 'short'), 0) as short_notional,"
            " sum(positions)::bigint as positions"
            " from liquidation_map($coin, $ts) group by all order by px_low",
            params={"coin": coin, "ts": ts},
        ).pl()
        column = cells.filter(pl.col("snapshot_ts") == ts).drop("snapshot_ts")
        assert chart.height > 10
        assert_frame_equal(column, chart, rel_tol=1e-9)
