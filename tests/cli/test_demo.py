"""The main job as a new user runs it, on embedded rows and on real ones."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from warehouse import open_lake
from warehouse.marts.refresh import days_of
from warehouse.store import Lake
from warehouse.store.ledger import parts_of

COINS = ["BTC", "ETH", "HYPE", "SOL"]


def test_the_demo_says_where_the_report_is(demo):
    assert f"The report is at {demo.report}" in demo.said
    assert demo.report.stat().st_size > 100_000


def test_every_row_of_the_demo_says_that_it_is_simulated(demo):
    with open_lake(demo.lake) as con:
        for table in ("positions", "snapshots", "fills", "candles", "funding", "backtest_runs"):
            sources = con.sql(f"select distinct source from {table}").fetchall()
            assert sources == [("simulated",)], table
    assert "SIMULATED" in demo.report.read_text()


def test_the_demo_leaves_no_map_to_be_made_from_rows(demo):
    stale, current = days_of(parts_of(Lake.at(demo.lake)))
    assert stale == []
    assert current > 5


def test_the_demo_replays_every_coin_with_and_without_the_map(demo):
    with open_lake(demo.lake) as con:
        runs = con.sql("select coin, count(distinct variant) from backtest_runs group by coin")
        assert sorted(runs.fetchall()) == [(coin, 4) for coin in COINS]
        asked = con.sql("select distinct knowable from backtest_runs").fetchall()
        assert asked == [(True,)]


def test_the_demo_takes_funding_on_the_oracle_price(demo):
    with open_lake(demo.lake) as con:
        notes = con.sql("select notes from backtest_studies").fetchall()
    said = [re.findall(r"oracle price at (\d+) of (\d+) openings", text) for (text,) in notes]
    assert said == [[("335", "335")] * len(COINS)] * 3


def test_the_demos_trades_are_joined_to_their_studies(demo):
    """Studies share the rule without the map, whose trades are then of all of them."""
    with open_lake(demo.lake) as con:
        shared, own, twice = con.sql(
            "select count(distinct run_id) filter (not own), count(distinct run_id) "
            "filter (own), count(*) - count(distinct (study_id, run_id)) from study_runs"
        ).fetchall()[0]
        joined = con.sql(
            "select count(distinct study_id), count(distinct (run_id, bound, trade)) "
            "from study_runs join backtest_trades using (run_id, coin)"
        ).fetchall()[0]
        trades = con.sql("select count(*) from backtest_trades").fetchall()[0][0]
    assert (shared, own, twice) == (len(COINS), 3 * len(COINS), 0)
    assert joined == (3, trades)


def test_the_demo_prices_what_its_snapshots_left_out(demo):
    with open_lake(demo.lake) as con:
        computed, never = con.sql(
            "select sum(px_computed), sum(px_never) from snapshots"
        ).fetchall()[0]
        sources = con.sql(
            "select liquidation_px_source, count(*) from positions "
            "where liquidation_px is not null group by all"
        ).fetchall()
    assert computed > 100
    assert never > 100
    assert dict(sources)["computed"] == computed
    assert set(dict(sources)) == {"venue", "computed"}


def test_the_demos_world_has_cascades_on_the_days_of_its_shocks(demo):
    with open_lake(demo.lake) as con:
        worst = con.sql(
            "select time_ts::date as day, count(*) as orders from fills "
            "where liquidated_account = account group by all order by orders desc limit 3"
        ).fetchall()
        methods = con.sql("select distinct liquidation_method from fills").fetchall()
    assert {day.day for day, _ in worst} >= {9, 15}
    assert worst[1][1] > 500
    assert {("market",), ("backstop",), ("adl",)} <= set(methods)


def test_the_demo_sees_all_of_its_venue_but_what_is_missing(demo):
    with open_lake(demo.lake) as con:
        snapshots, hours = con.sql(
            "select (select count(*) from snapshots), "
            "(select count(distinct date_trunc('hour', known_ts)) from fills)"
        ).fetchall()[0]
        shares = con.sql(
            "with held as (select coin, snapshot_ts, sum(notional) filter (size > 0) as usd "
            "from positions group by all) "
            "select min(usd / open_interest_notional), max(usd / open_interest_notional) "
            "from held asof join (select coin, context_ts, open_interest_notional "
            "from asset_contexts where open_interest_notional is not null) as read "
            "on held.coin = read.coin and held.snapshot_ts >= read.context_ts"
        ).fetchall()[0]
    assert snapshots == 14 * 4 - 1
    assert "no file for 2026-01-" in demo.said
    assert hours in {14 * 24 - 1, 14 * 24}  # the last file holds what came late
    assert shares == pytest.approx((1.0, 1.0), abs=1e-6)


def test_real_rows_go_the_whole_road(real_demo):
    with open_lake(real_demo.lake) as con:
        counts = con.sql(
            "select (select count(*) from positions), (select count(*) from fills), "
            "(select count(*) from snapshots), (select count(distinct coin) from backtest_runs)"
        ).fetchall()[0]
    assert counts == (134_051, 36_802, 55, 4)
    report = real_demo.report.read_text()
    assert "SIMULATED" not in report
    assert "binance" in report


def test_the_october_cascade_is_marked(real_demo):
    with open_lake(real_demo.lake) as con:
        methods = con.sql(
            "select liquidation_method, count(*) from fills "
            "where liquidation_method is not null group by all order by all"
        ).fetchall()
    assert methods == [("adl", 265), ("backstop", 197), ("market", 2613)]


@pytest.mark.parametrize("coin", COINS)
def test_the_newest_snapshot_answers(real_demo, coin):
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "undertow",
                "scenarios",
                coin,
                "--pct",
                "5,10,15",
                "--json",
            ),
            *("--at", "2026-02-05T12:00Z", "--lake", str(real_demo.lake)),
        ],
        capture_output=True,
        text=True,
    )
    rows = json.loads(done.stdout)
    assert len(rows) == 6
    snapshot_ts = datetime(2026, 2, 5, 8, 2, 18, 984000, tzinfo=UTC)
    assert {datetime.fromisoformat(row["snapshot_ts"]) for row in rows} == {snapshot_ts}


def undertow(*args):
    command = [sys.executable, "-m", "undertow", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True)


def test_made_up_rows_never_land_among_real_ones(real, tmp_path):
    from tests.rows import land_snapshot, position

    land_snapshot(tmp_path / "lake", [position()], source="reservoir")
    before = sorted(tmp_path.rglob("*"))
    done = undertow("demo", "--lake", tmp_path / "lake")
    assert done.returncode == 2
    assert "holds real rows, with which simulated ones must not mix" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_real_rows_of_one_kind_go_as_far_as_they_can(real, tmp_path):
    """Positions alone make maps; what the rest would have given is said."""
    rows = tmp_path / "rows"
    day = "by_dex/hyperliquid/snapshots/perp/date=2026-02-05"
    folder = rows / "hydromancer-reservoir" / day
    shutil.copytree(real / "hydromancer-reservoir" / day, folder)
    done = undertow("demo", "--real", rows, "--lake", tmp_path / "lake")
    assert done.returncode == 0, done.stderr
    assert "goes on without: root" in done.stderr
    assert "no backtest of BTC: no 1h candles of BTC" in done.stderr
    assert (tmp_path / "report.html").exists()


def test_rows_without_a_snapshot_are_refused(tmp_path):
    (tmp_path / "by_dex").mkdir()
    done = undertow("demo", "--real", tmp_path, "--lake", tmp_path / "lake")
    assert done.returncode == 2
    assert "holds no snapshot of positions" in done.stderr
    assert not (tmp_path / "lake").exists()
