"""Maps binned ahead are made anew when their rows have changed, and no sooner."""

import sys
from datetime import timedelta

import pytest

from tests.cli.inside import run
from tests.rows import T0, batch, land_snapshot, position
from tests.warehouse.data_levels import HOUR, book, held, land_all, pieces, sweep_at
from tests.warehouse.data_sweeps import SAID, lake_of
from warehouse import open_lake
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.contracts.tables import POSITIONS
from warehouse.marts.refresh import refresh
from warehouse.store import land

REFRESHING = sys.modules["warehouse.marts.refresh"]


def test_what_is_up_to_date_is_not_made_again_and_a_repeat_leaves_the_same_bytes(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    assert (refresh(lake).days, refresh(lake).current) == ([T0.date()], 1)
    before = {path: path.read_bytes() for path in lake.rglob("*.parquet")}
    refresh(lake)
    assert {path: path.read_bytes() for path in lake.rglob("*.parquet")} == before


def test_levels_of_rows_that_have_changed_are_not_shown_until_they_are_made_anew(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    refresh(lake)
    assert len({row[1] for row in held(lake)}) == 1
    land_snapshot(lake, book(count=5), T0 + HOUR)
    assert held(lake) == []
    assert refresh(lake).days == [T0.date()]
    assert len({row[1] for row in held(lake)}) == 2
    assert pieces(lake) == [T0 + HOUR]


@pytest.mark.parametrize(("hours", "shown"), [(0, 0), (1, 0), (2, 1)])
def test_what_lands_while_levels_are_made_is_not_taken_for_theirs(
    tmp_path, monkeypatch, hours, shown
):
    """What comes after the snapshots that are binned leaves them as they are."""
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    opened = REFRESHING.open_lake

    def landed_meanwhile(where):
        at = T0 + hours * HOUR
        rows = batch(POSITIONS, [row | {"snapshot_ts": at, "known_ts": at} for row in book(9)])
        land(lake, POSITIONS, rows, "meanwhile")
        return opened(where)

    monkeypatch.setattr(REFRESHING, "open_lake", landed_meanwhile)
    refresh(lake)
    monkeypatch.undo()
    assert len({row[1] for row in held(lake)}) == shown
    assert len(refresh(lake).days) == 1 - shown
    assert len({row[1] for row in held(lake)}) == 1


def test_levels_of_sweeps_are_of_the_two_days_before_too_and_of_no_others(tmp_path):
    lake = tmp_path / "lake"
    land_all(lake, lake_of([sweep_at(1 + 24 * days, (SAID[4], None, None)) for days in (2, 3)]))
    refresh(lake)
    land_snapshot(lake, book(), T0 + HOUR)
    assert refresh(lake).days == [T0.date(), (T0 + timedelta(days=2)).date()]


def test_levels_of_complete_snapshots_do_not_age_by_what_they_do_not_read(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + 24 * HOUR)
    refresh(lake)
    before = held(lake)
    land_snapshot(lake, book(), T0)
    context = lake_of([], [(26 * 60, 9.0, False)])
    land_all(lake, {"asset_contexts": context["asset_contexts"]})
    assert len(before) == len(held(lake)) == 2
    assert refresh(lake).days == [T0.date()]
    land_all(lake, lake_of([sweep_at(27, (SAID[4], None, None))]), "sweep")
    assert len(held(lake)) == 4
    assert refresh(lake).days == [(T0 + 24 * HOUR).date()]
    assert pieces(lake) == [T0, T0 + 24 * HOUR, T0 + 27 * HOUR]
    land_all(lake, {"asset_contexts": context["asset_contexts"]}, "other")
    assert len(held(lake)) == 4  # but of the sweep that may take a mark from it
    assert refresh(lake).days == [(T0 + 24 * HOUR).date()]


def test_a_day_without_a_price_is_made_once(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, None)], T0 + HOUR)
    done = refresh(lake)
    assert (done.days, done.rows) == ([T0.date()], 0)
    assert (refresh(lake).days, refresh(lake).current) == ([], 1)
    assert held(lake) == []
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    assert refresh(lake).rows == 2


def test_only_the_days_asked_for_are_made(tmp_path):
    lake = tmp_path / "lake"
    for days in range(3):
        land_snapshot(lake, book(), T0 + timedelta(days=days))
    second = T0.date() + timedelta(days=1)
    heard = []
    assert refresh(lake, second, second + timedelta(days=1), heard.append).days == [second]
    assert heard == [f"levels of {second}, 1 of 1"]


def test_an_empty_lake_has_nothing_to_bin(tmp_path):
    (tmp_path / "lake").mkdir()
    done = refresh(tmp_path / "lake")
    assert (done.days, done.current, done.rows) == ([], 0, 0)
    assert LIQUIDATION_LEVELS.name in {row[0] for row in _tables(tmp_path / "lake")}


def _tables(lake):
    with open_lake(lake) as con:
        return con.sql("select view_name from duckdb_views()").fetchall()


def test_a_check_says_how_many_days_are_binned_ahead(tmp_path):
    lake = tmp_path / "lake"
    for day in (0, 1):
        land_snapshot(lake, book(), T0 + 24 * day * HOUR)

    def said():
        done = run("check", lake=lake)
        return next(line for line in done.stderr.splitlines() if "binned ahead" in line)

    assert "maps of 0 of 2 days are binned ahead and current, 2026-01-02 is the first" in said()
    refresh(lake, until=(T0 + 24 * HOUR).date())
    assert "maps of 1 of 2 days are binned ahead and current, 2026-01-03 is the first" in said()
    assert said().endswith("until undertow marts")
    refresh(lake)
    assert "maps of all 2 days are binned ahead and current" in said()
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    assert "maps of 1 of 2 days" in said()
