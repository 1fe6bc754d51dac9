"""When jobs ended well, and who is told that they did not."""

from datetime import UTC, datetime

import pytest

from tests.rows import batch, snapshot
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.health.cadences import DAY, HOUR, patience
from warehouse.health.freshness import ages_at, ages_in, ages_of_jobs, sentence_of
from warehouse.health.news import ages_to_tell
from warehouse.health.runs import Ended, Run, remember, runs_of
from warehouse.store import Lake, land

D0 = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)
BOTH = ("nightly", "hourly")


@pytest.fixture
def lake(tmp_path):
    rows = [snapshot(D0, source="friend")]  # of whom nothing is expected
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, rows), "friend-1")
    return Lake.at(tmp_path)


def well(*units, fields=()):
    return {unit: Ended(True, fields) for unit in units}


def test_what_is_remembered_of_a_job_is_its_newest_good_end(lake):
    remember(lake, "nightly", well("sweep", "checks"), BOTH, D0)
    remember(lake, "nightly", {"sweep": Ended(False, ()), "checks": Ended(True, ())}, BOTH,
             D0 + DAY)  # fmt: skip
    assert [(run.unit, run.since_ts, run.ended_ts) for run in runs_of(lake)] == [
        ("checks", D0, D0 + DAY),
        ("sweep", D0, D0),
    ]


def test_what_a_job_does_no_longer_and_who_runs_no_longer_is_forgotten(lake):
    remember(lake, "hourly", well("sweep", "books"), BOTH, D0)
    remember(lake, "hourly", well("sweep"), BOTH, D0)
    assert [(run.job, run.unit) for run in runs_of(lake)] == [("hourly", "sweep")]
    remember(lake, "nightly", well("checks"), ["nightly"], D0)
    assert [run.job for run in runs_of(lake)] == ["nightly"]


def test_a_field_is_news_once(lake):
    def told(unit, *fields):
        return remember(lake, "nightly", well(unit, fields=fields), BOTH, D0)

    assert told("sweep", "mood", "age") == [("sweep", "age"), ("sweep", "mood")]
    assert told("sweep", "mood") == []
    assert told("sweep", "mood", "size") == [("sweep", "size")]


def test_a_dead_job_is_stale_though_no_row_tells(lake):
    remember(lake, "nightly", well("sweep"), BOTH, D0)
    assert ages_in(lake, D0 + patience()["nightly"])[0].stale is False
    (age,) = ages_in(lake, D0 + patience()["nightly"] + HOUR)
    assert (age.table_name, age.source, age.stale) == ("job", "nightly: sweep", True)
    assert sentence_of(age) == (
        "job nightly: sweep: last ended well before 27.0 h, allowed are 26.0 h"
    )


def test_what_was_never_well_is_as_old_as_its_first_try():
    run = Run("hourly", "books", D0, None, ())
    (age,) = ages_of_jobs([run], D0 + 6 * HOUR)
    assert (age.newest_ts, age.age, age.stale) == (None, 6 * HOUR, True)
    assert sentence_of(age) == (
        "job hourly: books: never well, tried for 6.0 h, allowed are 5.0 h"
    )


def test_a_backfill_is_expected_of_nobody():
    assert ages_of_jobs([Run("backfill", "reservoir", D0, None, ())], D0 + 99 * DAY) == []


def test_an_hour_tells_what_became_stale_and_then_once_a_day():
    runs = [
        Run("nightly", "sweep", D0, D0, ()),
        Run("hourly", "sweep", D0, D0 + 99 * DAY, ()),  # alive
    ]
    hours = []
    for hour in range(24 * 4):
        now = D0 + hour * HOUR
        if told := ages_to_tell([], runs, "hourly", now):
            assert [age.source for age in told] == ["nightly: sweep"]
            hours.append(hour)
        stale = [age for age in ages_at([], runs, now) if age.stale]
        assert ages_to_tell([], runs, "nightly", now) == stale
        assert ages_to_tell([], runs, "backfill", now) == []
    assert hours == [27, 50, 74]
