"""What came of asking a source stays in the lake, whether the landing ended well or not."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipelines.landed import Landed
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.steps.market import land_market
from pipelines.steps.noted import noted
from pipelines.steps.positions import land_reservoir
from tests.rows import land_snapshot, position
from warehouse.contracts.table import ContractError
from warehouse.health.gaps import gaps_in
from warehouse.store import Lake, parts_of
from warehouse.store.asks import Ask, asks_of

DAY = date(2026, 1, 6)
NOW = datetime(2026, 1, 10, tzinfo=UTC)


def raising(error):
    def verb():
        raise error

    return verb


def asked(lake):
    rows = asks_of(Lake.at(lake)).to_pylist()
    names = ("table_name", "source", "day", "hour", "outcome", "reason")
    return sorted((tuple(row[name] for name in names) for row in rows), key=str)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(WorldSpec(coins=4, accounts=60), 3, folder, books=False, contexts=False)
    return str(folder)


@pytest.fixture
def lake(tmp_path):
    land_snapshot(tmp_path / "lake", [position()])
    return tmp_path / "lake"


@pytest.mark.parametrize(
    "kind", [SourceError, UnreachableError, ContractError, PermissionError]
)
def test_a_failure_is_noted_with_its_reason_and_raised_on(lake, kind):
    with pytest.raises(kind, match="cut short"):
        noted(lake, "reservoir", DAY, raising(kind("f.parquet: cut short")))
    assert asked(lake) == [
        ("positions", "reservoir", DAY, -1, "failed", "f.parquet: cut short"),
        ("snapshots", "reservoir", DAY, -1, "failed", "f.parquet: cut short"),
    ]


def test_a_failure_is_of_every_day_that_was_asked_for(lake):
    until = DAY + timedelta(days=3)
    with pytest.raises(SourceError):
        noted(lake, "asset_ctxs", DAY, raising(SourceError("no")), until)
    assert [row[2].day for row in asked(lake)] == [6, 7, 8]


def test_a_reason_is_one_line_without_secrets(lake):
    error = UnreachableError("root https://me:pa55@host/x?token=t0ken&a=1: no\nanswer\n")
    with pytest.raises(UnreachableError):
        noted(lake, "asset_ctxs", DAY, raising(error))
    (row,) = asked(lake)
    assert row[-1] == "root https://host/x: no answer"


def test_a_root_that_is_not_there_is_nothing_of_the_source(lake):
    with pytest.raises(FileNotFoundError):
        noted(lake, "reservoir", DAY, raising(FileNotFoundError("root x: no such folder")))
    assert asked(lake) == []


def test_a_failure_makes_no_lake(tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        (tmp_path / "other.txt").write_text("not a lake")
        with pytest.raises(SourceError):
            noted(folder, "reservoir", DAY, raising(SourceError("no")))
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.txt"]


def test_a_lake_that_cannot_be_written_does_not_hide_the_failure(lake, monkeypatch):
    def full(*_):
        raise OSError("no space")

    monkeypatch.setattr(Lake.at(lake).__class__, "swap", full)
    with pytest.raises(SourceError, match="first word"):
        noted(lake, "reservoir", DAY, raising(SourceError("first word")))


def test_what_verbs_say_is_kept_and_forgotten_once_it_is_there(lake):
    said = Ask("fills", "node_fills", DAY, 7, "absent", "no file")
    assert noted(lake, "node_fills", DAY, lambda: Landed("fills", asked=[said]))[0].asked == [
        said
    ]
    assert len(asked(lake)) == 1
    there = Ask("fills", "node_fills", DAY, 7, "landed")
    noted(lake, "node_fills", DAY, lambda: [Landed("fills", asked=[there])])
    assert asked(lake) == []


def test_a_failure_is_over_once_a_landing_of_its_tables_ends_well(lake):
    with pytest.raises(SourceError):
        noted(lake, "info", DAY, raising(SourceError("no")))
    assert {row[0] for row in asked(lake)} == {"candles", "funding"}
    other = DAY + timedelta(days=1)
    noted(lake, "info", other, lambda: [Landed("funding")])
    noted(lake, "info", DAY, lambda: [Landed("fills"), Landed("candles")])
    assert {row[0] for row in asked(lake)} == {"funding"}


def test_an_hour_that_is_absent_stays_so_when_its_day_no_longer_fails(lake):
    with pytest.raises(SourceError):
        noted(lake, "node_fills", DAY, raising(SourceError("no")))
    said = Ask("fills", "node_fills", DAY, 7, "absent", "no file")
    noted(lake, "node_fills", DAY, lambda: Landed("fills", asked=[said]))
    assert [row[3:5] for row in asked(lake)] == [(7, "absent")]


def test_the_files_of_one_source_fail_together(lake):
    with pytest.raises(SourceError):
        noted(lake, "market_files", DAY, raising(SourceError("no")))
    assert {row[1] for row in asked(lake)} == {
        "market_files",
        "market_files-open_interest",
        "market_files-universe",
    }


def test_the_same_again_changes_nothing(lake):
    for days in range(2):
        with pytest.raises(SourceError):
            noted(
                lake,
                "reservoir",
                DAY,
                raising(SourceError("no")),
                clock=lambda days=days: NOW + timedelta(days=days),
            )
    assert set(asks_of(Lake.at(lake))["asked_ts"].to_pylist()) == {NOW}


def outcomes(landed):
    return {
        (ask.table_name, ask.source, ask.day.day, ask.outcome)
        for one in landed
        for ask in one.asked
    }


def test_a_landing_of_positions_says_of_each_day_what_came(archive, tmp_path):
    landed = land_reservoir(archive, tmp_path, DAY, DAY + timedelta(days=4))
    there = {day for _, _, day, outcome in outcomes(landed) if outcome == "landed"}
    days = {day.day for day in parts_of(Lake.at(tmp_path))["day"].to_pylist()}
    assert there == days < {6, 7, 8, 9}
    assert outcomes(landed) == {
        (table, "simulated", day, "landed" if day in days else "absent")
        for table in ("positions", "snapshots")
        for day in (6, 7, 8, 9)
    }


def test_that_a_source_has_none_is_kept_with_its_reason(archive, tmp_path):
    until = DAY + timedelta(days=4)
    noted(
        tmp_path, "reservoir", DAY, lambda: land_reservoir(archive, tmp_path, DAY, until), until
    )
    reasons = {row[-1] for row in asked(tmp_path)}
    assert reasons == {"the archive has no snapshot of this day"}
    noted(
        tmp_path, "market_files", DAY, lambda: land_market(archive, tmp_path, DAY, until), until
    )
    reasons = {row[-1] for row in asked(tmp_path) if row[0] == "candles"}
    assert reasons == {"candles.parquet holds no row of this day that was asked for"}


def test_an_open_range_says_nothing_beyond_what_is_there(archive, tmp_path):
    landed = land_reservoir(archive, tmp_path)
    assert {outcome for *_, outcome in outcomes(landed)} == {"landed"}


def test_a_landing_of_market_files_says_of_each_day_what_came(archive, tmp_path):
    landed = land_market(archive, tmp_path, DAY, DAY + timedelta(days=4), "market_files")
    said = outcomes(landed)
    assert ("candles", "simulated", 6, "landed") in said
    assert ("candles", "simulated", 9, "absent") in said
    assert ("asset_contexts", "simulated-universe", 9, "absent") in said
    assert "instruments" not in {table for table, *_ in said}
    held = pl.from_arrow(parts_of(Lake.at(tmp_path)).select(["table_name", "source", "day"]))
    there = {(table, source, day.day) for table, source, day in held.iter_rows()}
    assert {one[:3] for one in said if one[3] == "landed"} <= there
    assert not {one[:3] for one in said if one[3] == "absent"} & there


def test_a_day_that_failed_is_a_gap_until_it_is_landed(archive, tmp_path):
    until = DAY + timedelta(days=2)

    def land(verb, day):
        return noted(tmp_path, "simulated", day, verb, clock=lambda: NOW)

    land(lambda: land_reservoir(archive, tmp_path, DAY, DAY + timedelta(days=1)), DAY)
    with pytest.raises(SourceError):
        land(raising(SourceError("cut")), DAY + timedelta(days=1))
    gaps = [gap for gap in gaps_in(Lake.at(tmp_path), NOW) if gap.table_name == "snapshots"]
    assert [(gap.day.day, gap.reason, gap.why) for gap in gaps] == [(7, "failed", "cut")]
    land(lambda: land_reservoir(archive, tmp_path, DAY, until), DAY)
    gaps = [gap for gap in gaps_in(Lake.at(tmp_path), NOW) if gap.table_name == "snapshots"]
    assert gaps == []
