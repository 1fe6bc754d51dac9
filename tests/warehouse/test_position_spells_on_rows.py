"""How long positions lasted, beside the obvious version, on simulated and on real rows."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.shocks import parse_shock
from pipelines.simulator.world import WorldSpec
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.positions import land_reservoir
from tests.reference import survival as obvious
from tests.warehouse.data_cohorts import rows_of
from warehouse import open_lake

SAME = ("coin", "account", "side", "begun", "seen_ts", "end_ts", "outcome", "looks")
AGE = timedelta(hours=26)
TABLES = ("positions", "snapshots", "accounts", "fills")


def alike(lake, since, until, held, coin):
    """Hold the macro against the obvious version; return how often each outcome came."""
    asked = {"since": since, "until": until, "coin": coin}
    with open_lake(lake) as con:
        days = "where day between $since::date and $until::date"
        span = {"since": since, "until": until}
        rows = {name: rows_of(con, f"from {name} {days}", **span) for name in TABLES}
        got = rows_of(con, "from position_spells($since, $until, coin := $coin)", **asked)
    want = obvious.spells(rows, since, until, held, coin, max_gap=AGE)
    assert [tuple(row[name] for name in SAME) for row in got] == sorted(
        (tuple(row[name] for name in SAME) for row in want), key=lambda row: (*row[:3], row[4])
    )
    return Counter(row["outcome"] for row in got)


def test_spells_of_a_simulated_venue(tmp_path):
    spec = WorldSpec(coins=2, accounts=80, shocks=(parse_shock("2026-01-05T14:00Z=-9%"),))
    root = str(tmp_path / "archive")
    write_archive(spec, 1, root, snapshot_every=2, books=False, contexts=False, market=False)
    lake = tmp_path / "lake"
    land_reservoir(root, lake, source="simulated")
    land_hourly_fills(root, lake, label="simulated")
    since = datetime.combine(spec.start, datetime.min.time(), UTC)
    held = {since + timedelta(hours=hour) for hour in range(24)}
    outcomes = alike(lake, since, since + timedelta(days=1), held, "BTC")
    assert set(outcomes) == {"liquidated", "closed", "open"}
    assert outcomes["liquidated"] >= 3


def test_spells_of_real_rows_claim_no_end_that_no_fill_tells(real, tmp_path):
    """Of those days there are snapshots, and no fills: nothing is known of any end."""
    lake = tmp_path / "lake"
    land_reservoir(str(real), lake, date(2026, 2, 5), date(2026, 2, 6))
    since = datetime(2026, 2, 5, tzinfo=UTC)
    outcomes = alike(lake, since, since + timedelta(hours=12), set(), "BTC")
    assert set(outcomes) == {"no_fills", "open"}
    assert sum(outcomes.values()) > 50
