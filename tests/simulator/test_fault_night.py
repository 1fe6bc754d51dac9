"""Nights with every fault on: each is absorbed or recorded, nothing delivered is lost, nothing
wrong is landed."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import partial
from time import monotonic

import lz4.frame
import orjson
import polars as pl
import pytest

from pipelines.jobs import venue as venue_job
from pipelines.jobs.job import job_of, run_plainly
from pipelines.settings import settings_of
from pipelines.simulator.archive.fault_plan import KNOWN
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.serve.faults_http import FAULTS
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
from pipelines.sources.info import budget, client
from pipelines.sources.info.client import InfoClient
from pipelines.steps import sweep_now
from tests.simulator.serving import served
from warehouse import open_lake
from warehouse.health.gaps import gaps_in
from warehouse.store import Lake

pytestmark = pytest.mark.slow
SPEC = WorldSpec(seed=5, coins=3, accounts=110)
NOW = datetime(2026, 1, 9, 2, 30, tzinfo=UTC)
DAYS = [date(2026, 1, 5) + timedelta(days=number) for number in range(3)]
SOURCES = ("market_files", "asset_ctxs", "reservoir", "node_fills_by_block", "l2_books")
SPOILS = ("truncated-json", "wrong-types", "null-numbers", "cut-files")
FILE = re.compile(r"hourly/(\d{8})/(\d+)\.lz4")


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """An archive with every fault, and the lake after a night for each of its days."""
    folder = tmp_path_factory.mktemp("nights")
    root, lake = folder / "files", folder / "lake"
    faults = [name for name in KNOWN if name not in ("delisting", "missing-hours")]
    faults.append("missing-hours=2")  # of a day that is there
    write_archive(SPEC, 3, root, truth=folder / "truth", snapshot_every=12, faults=faults)
    roots = dict.fromkeys(SOURCES, str(root))
    settings = settings_of({"lake": str(lake), "roots": roots, "run": {"grace": 0}})
    done = [run_plainly(job_of("nightly", settings, {"day": str(day)}, NOW)) for day in DAYS]
    faults = json.loads((folder / "truth/faults.json").read_text())
    return folder, lake, done, {name: fault["done"] for name, fault in faults.items()}


def spoilt_files(faults):
    return {each["path"] for name in SPOILS for each in faults[name]}


def delivered(folder, faults):
    """Return every fill in a file that is whole, read the slow way."""
    rows = set()
    for file in folder.glob("files/hl-mainnet-node-data/node_fills_by_block/hourly/*/*.lz4"):
        if file.relative_to(folder / "files").as_posix() in spoilt_files(faults):
            continue
        for line in lz4.frame.decompress(file.read_bytes()).splitlines():
            for user, fill in orjson.loads(line)["events"]:
                key = fill["coin"], fill["tid"], user, fill["side"] == "B", fill["time"]
                rows.add((*key, float(fill["px"]), float(fill["sz"])))
    return rows


def landed_fills(lake):
    with open_lake(lake) as con:
        rows = con.sql(
            "select coin, trade_id, account, is_buy, epoch_ms(time_ts), px, size from fills"
        ).fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


def test_what_was_delivered_is_landed_once_and_nothing_else(nights):
    folder, lake, _, faults = nights
    trades = pl.read_parquet(folder / "truth/trades.parquet").with_columns(
        ms=pl.col("ts").dt.epoch("ms")
    )
    sides = (("buyer", True), ("seller", False))
    true = {
        (row["coin"], row["trade_id"], row[side], is_buy, row["ms"], row["px"], row["size"])
        for row in trades.iter_rows(named=True)
        for side, is_buy in sides
    }
    landed = landed_fills(lake)
    assert landed <= true
    wanted = delivered(folder, faults)
    first = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1000)
    assert {row for row in wanted if row[4] >= first} - landed == set()
    assert len(wanted) > 1_000


def test_each_fault_is_absorbed_or_recorded(nights):
    folder, lake, done, faults = nights
    assert all(faults.values()), "a fault that did nothing shows nothing"
    now = datetime(2026, 1, 9, tzinfo=UTC)
    found = [gap for gap in gaps_in(Lake.at(lake), now) if gap.table_name == "fills"]
    gaps = {(gap.day, hour): gap for gap in found for hour in gap.hours}
    reasons = {}
    for name in (*SPOILS, "missing-hours"):
        for each in faults[name]:
            there = name == "missing-hours" or (folder / "files" / each["path"]).exists()
            if there and (match := FILE.search(each["path"])):
                day = datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date()
                reasons[day, int(match[2])] = "missing" if name == "missing-hours" else "failed"
    assert reasons
    for place, reason in reasons.items():
        assert gaps[place].reason.startswith(reason), place
    with open_lake(lake) as con:
        kept = "select count(*) from unknown_fields where table_name = 'fills'"
        assert con.sql(kept).fetchall()[0][0] > 0
        held = con.sql("select count(distinct snapshot_ts) from snapshots").fetchall()[0][0]
    gone = {each["day"] for each in faults["missing-days"]}
    lone = {each["path"] for each in faults["missing-snapshots"] if "/perp/" in each["path"]}
    lone = {path for path in lone if not any(day in path for day in gone)}
    assert held == 6 - 2 * len(gone) - len(lone)
    notes = [note for night in done for one in night.landed for note in one.notes]
    assert sum("new field" in note for note in notes) == 1
    assert any("not next to their hour" in note or "came late" in note for note in notes)
    assert sum(one.duplicates for night in done for one in night.landed) > 0


def test_every_position_landed_was_true(nights):
    folder, lake, _, _ = nights
    files = (folder / "truth/states/positions").glob("*.parquet")
    true = pl.concat([pl.read_parquet(file) for file in files]).select(
        "account", "coin", "size", moment=pl.col("ts").dt.epoch("ms") + 100
    )
    with open_lake(lake) as con:
        landed = con.sql(
            "select account, coin, size, epoch_ms(snapshot_ts) as moment from positions"
        ).pl()
    assert landed.height > 300
    assert landed.join(true, on=["account", "coin", "size", "moment"], how="anti").is_empty()
    whole = true.join(landed.select("moment").unique(), on="moment", how="semi")
    assert whole.height == landed.height


def test_the_nights_again_change_nothing(nights):
    folder, lake, _, _ = nights
    before = landed_fills(lake)
    roots = dict.fromkeys(SOURCES, str(folder / "files"))
    settings = settings_of({"lake": str(lake), "roots": roots, "run": {"grace": 0}})
    for day in DAYS:
        run_plainly(job_of("nightly", settings, {"day": str(day)}, NOW))
    assert landed_fills(lake) == before


@pytest.fixture
def impatient(monkeypatch):
    """Pauses of a real client, a hundred times shorter."""
    monkeypatch.setattr(budget, "WINDOW", 0.5)
    monkeypatch.setattr(budget, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(budget, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.1)
    for module in (venue_job, sweep_now):
        monkeypatch.setattr(module, "InfoClient", partial(InfoClient, timeout=0.5))


def test_a_venue_with_every_fault_gives_true_rows_or_a_reason(tmp_path, impatient):
    venue = open_venue(Simulation(SPEC), 26 * 60)

    def quick():
        return 120 * monotonic()  # the venue's minute, as short as ours is made

    faults = {name: seed for seed, name in enumerate(FAULTS) if name != "delisting"}
    with served(venue, faults=faults, rate=0.01, hang=1.0, clock=quick) as (url, _):
        named = {"url": url, "leaderboard": f"{url}/leaderboard", "simulated": True, "books": 3}
        settings = settings_of({"lake": str(tmp_path), "venue": named, "run": {"grace": 0}})
        for _ in range(4):  # as Prefect tries what may pass again
            done = run_plainly(job_of("nightly", settings, {"day": "2026-01-05"}, NOW))
            if not done.failed:
                break
        run_plainly(job_of("hourly", settings, {}, NOW))
    true = {
        (row["address"], row["name"]): row["size"]
        for row in positions_of(venue.sim, venue.moment).iter_rows(named=True)
    }
    with open_lake(tmp_path) as con:
        landed = con.sql("select account, coin, size from positions").fetchall()
        sweeps = con.sql(
            "select accounts_asked, accounts_failed, trusted from snapshots"
        ).fetchall()
        answered = con.sql(
            "select count(*) from accounts where sweep_ts is not null"
        ).fetchall()[0][0]
    assert landed
    assert [row for row in landed if true.get(row[:2]) != row[2]] == []
    assert answered == sum(asked - failed for asked, failed, _ in sweeps)
    assert all(trusted == (failed <= 0.3 * asked) for asked, failed, trusted in sweeps)
    for name, error in done.failed.items():
        assert "\n" not in str(error), name
