"""What a whole run may spend is held over all that it reads."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.jobs import archives
from pipelines.jobs.job import job_of, run_plainly
from pipelines.jobs.spending import NOTHING, PricedDay, priced, spending
from pipelines.settings import settings_of
from pipelines.steps.cost import GB, Plan, TooDear
from tests.conftest import BUCKET
from tests.pipelines.data_fills import tree
from tests.pipelines.test_land_contexts import FIRST, SECOND, line
from tests.pipelines.test_land_contexts import put as put_contexts
from warehouse import open_lake

NOON = date(2026, 1, 5)
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)


def day(number, gigabytes, source="reservoir"):
    return PricedDay(source, NOON + number * DAY, Plan(1, int(gigabytes * GB), 0, paid=True))


@given(
    st.lists(st.floats(0, 200), max_size=12),
    st.floats(0, 40),
    st.sets(st.integers(0, 11)),
)
def test_the_sum_is_never_more_than_what_the_run_may_spend(sizes, max_usd, urgent):
    days = [day(number, size) for number, size in enumerate(sizes)]
    first = [(one.source, one.day) for n, one in enumerate(days) if n in urgent]
    spent = spending(days, max_usd, first)
    paid = [usd for usd in spent.allowed if usd is not None]
    assert sum(paid) <= max_usd + 1e-9
    assert [one.day for one in spent.days] == [one.day for one in days]
    for one, usd in zip(days, spent.allowed, strict=True):
        assert usd is None or usd >= one.usd
    if sum(one.usd for one in days) <= max_usd:
        assert None not in spent.allowed


def test_what_is_asked_for_first_has_the_first_right_to_the_money():
    days = [day(number, 20) for number in range(3)]  # $1.80 each
    spent = spending(days, 4, [("reservoir", NOON + 2 * DAY)])
    assert [usd is None for usd in spent.allowed] == [False, True, False]


def test_a_plan_says_files_bytes_and_dollars_of_each_source():
    spent = spending([day(0, 1), day(1, 1), day(0, 2, "artemis")], 5)
    assert list(spent.lines()) == [
        "reservoir: 2 days; plan: 2 files, 2.0 GB, about $0.18 (requester pays)",
        "artemis: 1 days; plan: 1 file, 2.0 GB, about $0.18 (requester pays)",
    ]


def test_a_backfill_that_is_too_dear_is_refused_whole():
    spent = spending([day(0, 40), day(1, 40)], 5)
    with pytest.raises(TooDear, match=r"about \$7\.20, more than \$5\.00.*--max-usd 8"):
        spent.allow()
    spending([day(0, 40), day(1, 40)], 8).allow()


@pytest.fixture
def contexts(bucket, tmp_path):
    """Settings of a lake beside a bucket with two days of contexts."""
    for one in (FIRST, SECOND):
        put_contexts(tmp_path / "archive", one, line(f"{one}T00:01:00Z"))
    for path, body in tree(tmp_path / "archive").items():
        bucket.put_object(Bucket=BUCKET, Key=path, Body=body)
    roots = {"asset_ctxs": f"s3://{BUCKET}"}
    given = {"lake": str(tmp_path / "lake"), "roots": roots}

    def settings(max_usd):
        return settings_of(given | {"run": {"max_usd": max_usd, "grace": 0}})

    return settings


def test_a_run_whose_days_are_cheap_alone_is_held_to_their_sum(contexts, tmp_path):
    asked = {"days": [["asset_ctxs", str(FIRST)], ["asset_ctxs", str(SECOND)]]}
    prices = priced(contexts(1), [("asset_ctxs", FIRST), ("asset_ctxs", SECOND)])
    assert [one.plan.files for one in prices] == [1, 1]
    one_and_a_half = prices[0].usd + prices[1].usd / 2
    done = run_plainly(job_of("backfill", contexts(one_and_a_half), asked, NOW))
    assert list(done.failed) == [f"asset_ctxs {SECOND}"]
    assert isinstance(done.failed[f"asset_ctxs {SECOND}"], TooDear)
    with open_lake(tmp_path / "lake") as con:
        assert con.sql("select distinct day from asset_contexts").fetchall() == [(FIRST,)]
    # What is held costs nothing: the other fits now.
    assert run_plainly(job_of("backfill", contexts(one_and_a_half), asked, NOW)).failed == {}


def test_a_night_reads_its_own_day_before_those_that_are_late(contexts, tmp_path):
    lake = tmp_path / "lake"
    job = job_of("nightly", contexts(5), {"day": str(FIRST - DAY)}, NOW)
    run_plainly(job)  # asked for, not there: from now on the source is followed
    (late, own) = priced(contexts(5), [("asset_ctxs", FIRST), ("asset_ctxs", SECOND)])
    poor = contexts(max(late.usd, own.usd))
    job = job_of("nightly", poor, {"day": str(SECOND)}, NOW)
    assert any("requester pays" in line for line in job.plan)
    done = run_plainly(job)
    refused = {name for name, error in done.failed.items() if isinstance(error, TooDear)}
    assert f"asset_ctxs {FIRST}" in refused
    assert f"asset_ctxs {SECOND}" not in refused
    with open_lake(lake) as con:
        assert con.sql("select distinct day from asset_contexts").fetchall() == [(SECOND,)]


def test_a_file_that_grew_since_the_plan_is_held_to_its_share(contexts, bucket):
    (one,) = priced(contexts(1), [("asset_ctxs", FIRST)])
    job = job_of("backfill", contexts(one.usd), {"days": [["asset_ctxs", str(FIRST)]]}, NOW)
    key = "hyperliquid-archive/asset_ctxs/20251113.csv.lz4"
    bucket.put_object(Bucket=BUCKET, Key=key, Body=bytes(10**6))
    done = run_plainly(job)
    assert isinstance(done.failed[f"asset_ctxs {FIRST}"], TooDear)


def test_an_archive_that_does_not_answer_fails_alone(contexts, monkeypatch):
    def away(*_):
        raise ConnectionError("away")

    road = archives.ROADS["asset_ctxs"]._replace(pull=away)
    monkeypatch.setitem(archives.ROADS, "asset_ctxs", road)
    job = job_of("nightly", contexts(1), {"day": str(FIRST)}, NOW)
    assert list(run_plainly(job).failed) == [f"asset_ctxs {FIRST}"]


def test_folders_cost_nothing_and_are_listed_for_people_only(tmp_path):
    root = put_contexts(tmp_path / "archive", FIRST, line(f"{FIRST}T00:01:00Z"))
    settings = settings_of({"lake": str(tmp_path / "lake"), "roots": {"asset_ctxs": root}})
    assert priced(settings, [("asset_ctxs", FIRST)])[0].plan == NOTHING
    (one,) = priced(settings, [("asset_ctxs", FIRST)], folders=True)
    assert (one.plan.files, one.usd) == (1, 0.0)
