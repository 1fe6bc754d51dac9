"""What the warehouse expects of sources is what their adapters say of themselves."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.jobs.names import SOURCES
from pipelines.sources import artemis_balance_lines, artemis_fills, reservoir_fills
from pipelines.sources.hourly_fills import KINDS
from pipelines.sources.monthly_archive import known_from
from pipelines.sources.reservoir import SnapshotFile
from pipelines.steps import fills_now, market_now, sweep
from warehouse.contracts.tables import TABLES
from warehouse.health.cadences import DAY, HOUR, by_table_and_source, cadences, patience

AT = datetime(2026, 3, 4, 7, tzinfo=UTC)


def of(table, source):
    return by_table_and_source()[table, source]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_hourly_fills_come_when_their_archive_has_them(kind):
    cadence = of("fills", kind.name)
    assert cadence.every == HOUR
    # An own node's hour is whole when it has ended.
    assert cadence.published(AT) == AT + (kind.published_after or HOUR)
    assert (cadence.first, cadence.last) == (kind.covers or (None, None))


def test_snapshots_of_the_reservoir_come_after_their_day():
    file = SnapshotFile("f", "all", AT)
    for table in ("positions", "snapshots"):
        assert of(table, "reservoir").published(AT.replace(hour=0)) == file.known_ts


def test_fills_of_the_reservoir_come_after_their_day():
    cadence = of("fills", "reservoir_fills")
    assert cadence.published(AT.replace(hour=0)) == reservoir_fills.known_ts(AT.date())
    assert cadence.first.date() == reservoir_fills.SINCE


def test_artemis_comes_a_day_late():
    assert of("fills", "artemis").after == artemis_fills.PUBLISHED_AFTER
    assert of("fills", "artemis").first == artemis_fills.SINCE
    # A position is true at the end of its day.
    late = DAY + artemis_balance_lines.PUBLISHED_AFTER
    assert of("positions", "artemis_balances").after == late


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 11, 1), date(2026, 12, 31)])
def test_the_venues_archive_comes_by_the_month(day):
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for cadence in (of("asset_contexts", "asset_ctxs"), of("order_books", "l2_books")):
        assert cadence.published(start) == known_from(day)


def test_every_source_with_a_root_is_expected_of_something():
    assert set(SOURCES) <= {one.source for one in cadences()}


def test_what_the_endpoint_tells_is_expected_under_its_name():
    assert {fills_now.SOURCE, market_now.SOURCE, sweep.SOURCE} == {"info"}
    for table in ("positions", "snapshots", "asset_contexts", "order_books"):
        cadence = of(table, "info")
        assert (cadence.every, cadence.once, cadence.job) == (HOUR, True, "hourly")
    for table in ("candles", "funding"):
        cadence = of(table, "info")
        assert (cadence.every, cadence.once, cadence.job) == (DAY, False, "nightly")


def test_each_job_has_its_patience():
    assert {one.job for one in cadences()} == set(patience()) == {"hourly", "nightly"}
    assert of("snapshots", "info").landed_after == patience()["hourly"] < 6 * HOUR


def test_only_tables_of_the_lake_are_expected():
    assert {table for table, _ in by_table_and_source()} <= {table.name for table in TABLES}


def test_batches_begin_at_full_hours_or_midnights():
    for one in cadences():
        for bound in (one.first, one.last):
            if bound is not None:
                assert (bound - bound.replace(hour=0, minute=0)) % one.every == timedelta(0)
