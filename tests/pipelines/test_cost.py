"""What a pull costs is said, refused and not paid twice."""

from datetime import date, timedelta
from functools import partial

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.archive import Archive
from pipelines.steps import pulls
from pipelines.steps.balances import land_balances
from pipelines.steps.books import land_books
from pipelines.steps.contexts import land_contexts
from pipelines.steps.cost import GB, Plan, TooDear
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.positions import land_reservoir
from pipelines.steps.pull import DAYS_AT_ONCE, listed, spans
from tests.conftest import BUCKET
from tests.pipelines.data_fills import HOUR, NOON, block, fill, put, tree
from tests.pipelines.test_land_balances import line as balance
from tests.pipelines.test_land_balances import position
from tests.pipelines.test_land_balances import put as put_balances
from tests.pipelines.test_land_contexts import FIRST, SECOND, line
from tests.pipelines.test_land_contexts import put as put_contexts

DAY = timedelta(days=1)


def upload(client, root, prefix=""):
    for path, body in tree(root).items():
        client.put_object(Bucket=BUCKET, Key=f"{prefix}{path}", Body=body)


@pytest.fixture
def contexts(bucket, tmp_path):
    """A bucket with two days of contexts."""
    for day in (FIRST, SECOND):
        put_contexts(tmp_path / "archive", day, line(f"{day}T00:01:00Z"))
    upload(bucket, tmp_path / "archive")
    return f"s3://{BUCKET}"


def test_the_estimate_is_transfer_and_requests():
    # By hand: 33 GB x 0.09, and 1,440 requests at 0.0004 a thousand.
    assert Plan(720, 33 * GB, 0, paid=True).usd == pytest.approx(2.97 + 0.000576)
    assert Plan(720, 33 * GB, 0, paid=False).usd == 0


def test_what_is_too_dear_is_refused_with_the_number_that_would_do():
    plan = Plan(720, 80 * GB, 0, paid=True)
    with pytest.raises(TooDear, match=r"about \$7\.20, more than \$5\.00.*--max-usd 8") as told:
        plan.allow(5)
    assert "\n" not in str(told.value)
    assert plan.allow(8) is plan
    assert Plan(720, 80 * GB, 0, paid=False).allow(0)


def test_a_plan_of_nothing_costs_nothing():
    assert str(Plan(0, 0, 7, paid=True)) == (
        "plan: 0 files, 0 B, about $0.00 (requester pays); 7 are in the lake already"
    )
    assert Plan(0, 0, 7, paid=True).allow(0)


def test_a_listing_of_a_bucket_says_sizes_and_when(contexts):
    archive = Archive(contexts)
    path = "hyperliquid-archive/asset_ctxs/20251113.csv.lz4"
    file = archive.listed()[path]
    assert file.size == archive.size(path)
    assert file.put_ts.tzinfo is not None
    assert archive.paid


def test_a_listing_of_a_folder_says_sizes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_bytes(b"123")
    archive = Archive(str(tmp_path))
    assert archive.listed()["a/one"] == (3, None)
    assert listed(archive, ["a"]) == {"a": {"a/one": (3, None)}}
    assert listed(archive, ["a/one"]) == {"a/one": {"a/one": (3, None)}}
    assert not archive.paid


def test_what_the_lake_holds_unchanged_is_not_planned_again(contexts, bucket, tmp_path):
    lake = tmp_path / "lake"
    pull = pulls.contexts_pull(contexts, None, None)
    assert pull.left(lake) == [FIRST, SECOND]
    size = sum(Archive(contexts).sizes().values())
    assert pull.plan([FIRST, SECOND]) == Plan(2, size, 0, paid=True)
    land_contexts(contexts, lake, FIRST, SECOND)
    assert pull.left(lake) == [SECOND]
    plan = pull.plan(pull.left(lake))
    assert (plan.files, plan.held) == (1, 1)
    assert spans(pull, [SECOND], FIRST, SECOND + DAY) == [(FIRST + DAY, SECOND + DAY)]


@pytest.mark.parametrize(("size", "hours"), [(0, 1), (1, 0)])
def test_a_file_that_was_put_anew_is_planned_again(contexts, tmp_path, size, hours):
    """Also one of the same size: a listing says when it was put there."""
    lake = tmp_path / "lake"
    land_contexts(contexts, lake)
    pull = pulls.contexts_pull(contexts, None, None)
    assert pull.left(lake) == []
    ((path, file),) = pull.days[FIRST].items()
    later = type(file)(file.size + size, file.put_ts + timedelta(hours=hours))
    assert pull._replace(days=pull.days | {FIRST: {path: later}}).left(lake) == [FIRST]


def test_a_folder_is_read_again(tmp_path):
    root = put_contexts(tmp_path / "archive", FIRST, line(f"{FIRST}T00:01:00Z"))
    land_contexts(root, tmp_path / "lake")
    pull = pulls.contexts_pull(root, None, None)
    assert pull.left(tmp_path / "lake") == [FIRST]
    assert spans(pull, [FIRST], None, None) == [(None, None)]


def test_a_day_of_fills_is_held_once_its_own_parts_name_all_hours_beside_it(bucket, tmp_path):
    first = NOON.replace(hour=0)
    files = {first + n * HOUR: [block(fill(first + n * HOUR, tid=n))] for n in range(48)}
    put(tmp_path / "archive", files)
    upload(bucket, tmp_path / "archive")
    root, lake, day = f"s3://{BUCKET}", tmp_path / "lake", first.date()
    pull = pulls.hourly_pull("node_fills_by_block", root, day, day + 2 * DAY)
    assert [len(pull.days[one]) for one in (day, day + DAY)] == [25, 25]
    assert pull.plan(pull.left(lake)).files == 48
    land_hourly_fills(root, lake, day, day + DAY)
    # Of the second day one file was read, beside the first.
    assert pull.left(lake) == [day + DAY]
    assert (pull.plan([day + DAY]).files, pull.plan([day + DAY]).held) == (25, 23)
    land_hourly_fills(root, lake, day + DAY, day + 2 * DAY)
    assert pull.left(lake) == []
    late = {first - HOUR: [block(fill(first - HOUR, tid=99))]}
    put(tmp_path / "late", late)
    upload(bucket, tmp_path / "late")
    pull = pulls.hourly_pull("node_fills_by_block", root, day, day + 2 * DAY)
    assert pull.left(lake) == [day]


def test_a_day_of_fills_is_not_held_because_the_days_beside_it_are(bucket, tmp_path):
    """Each of its two files has been read, but for another day."""
    first = NOON.replace(hour=0)
    hours = [first + n * HOUR for n in (-1, 0, 23, 24)]
    put(tmp_path / "archive", {hour: [block(fill(hour, tid=hour.hour))] for hour in hours})
    upload(bucket, tmp_path / "archive")
    root, lake, day = f"s3://{BUCKET}", tmp_path / "lake", first.date()
    for one in (day - DAY, day + DAY):
        land_hourly_fills(root, lake, one, one + DAY)
    pull = pulls.hourly_pull("node_fills_by_block", root, None, None)
    assert pull.left(lake) == [day]


def test_a_long_pull_is_cut_so_that_little_is_paid_twice(contexts):
    pull = pulls.contexts_pull(contexts, None, None)
    cut = spans(pull, list(pull.days), FIRST, FIRST + 20 * DAY)
    assert cut[0][0] == FIRST
    assert cut[-1][1] == FIRST + 20 * DAY
    assert [low for low, _ in cut[1:]] == [high for _, high in cut[:-1]]
    assert max(high - low for low, high in cut) == DAYS_AT_ONCE * DAY


def test_market_files_are_planned_whole(tmp_path):
    (tmp_path / "market").mkdir()
    (tmp_path / "market/candles.parquet").write_bytes(b"12345")
    pull = pulls.market_pull(str(tmp_path), None, None)
    assert pull.plan(pull.left(tmp_path / "lake")) == Plan(1, 5, 0, paid=False)
    since = date(2026, 1, 1)
    assert spans(pull, list(pull.days), since, None) == [(since, None)]


@pytest.mark.slow  # a world of every archive in a bucket
def test_after_a_landing_of_a_whole_world_nothing_of_it_is_left(bucket, tmp_path):
    """Each source names the files it has read so that the plan finds them again."""
    spec = WorldSpec(coins=2, accounts=30)
    write_archive(spec, 2, tmp_path / "world", snapshot_every=24, market=False)
    upload(bucket, tmp_path / "world", "world/")
    root, lake = f"s3://{BUCKET}/world", tmp_path / "lake"
    first = date(2026, 1, 5)
    put_balances(tmp_path / "world", first, balance(1, position()))
    for path, body in tree(tmp_path / "world/artemis-hyperliquid-data").items():
        key = f"world/artemis-hyperliquid-data/{path}"
        bucket.put_object(Bucket=BUCKET, Key=key, Body=body)
    for pulling, landing in (
        (partial(pulls.hourly_pull, "node_fills_by_block"), land_hourly_fills),
        (pulls.positions_pull, land_reservoir),
        (pulls.contexts_pull, land_contexts),
        (pulls.books_pull, land_books),
        (pulls.balances_pull, land_balances),
    ):
        pull = pulling(root, first, first + 2 * DAY)
        assert first in pull.left(lake)
        assert pull.plan(pull.left(lake)).bytes > 0
        landing(root, lake, first, first + DAY)
        assert first not in pull.left(lake), pulling
        assert (first + DAY in pull.left(lake)) == (first + DAY in pull.days)
