"""A lake in a bucket: what others may see of it, and what goes wrong there."""

import subprocess
import sys

import duckdb
import pytest
import s3fs

from tests.conftest import BUCKET
from tests.rows import T0, land_snapshot, position
from warehouse import open_lake
from warehouse.sandbox import select
from warehouse.store import Lake, NoLake
from warehouse.store.bucket import BucketLake

FILE = "positions/day=2026-01-02/test-20260102t000000000000.parquet"


@pytest.fixture
def neighbours(lake):
    """A lake, and two that it must not read: one beside it, one whose name begins alike."""
    for where in (lake, f"{lake}2", f"{lake[:-4]}other"):
        land_snapshot(where, [position(holder=n) for n in range(1, 4)])
    return lake


def test_the_sandbox_reads_its_lake(neighbours):
    assert select(neighbours, "select count(*) from positions").fetchall() == [(3,)]
    query = f"select count(*) from '{neighbours}/{FILE}'"
    assert select(neighbours, query).fetchall() == [(3,)]
    query = "select count(*) from liquidation_map('BTC', '2026-01-03'::timestamptz)"
    assert select(neighbours, query).fetchall() == [(0,)]


ELSEWHERE = (
    "from '{lake}2/{file}'",
    "from '{beside}other/{file}'",
    "from '{lake}/../other/{file}'",
    "from '{lake}/positions/../../other/{file}'",
    "from glob('{beside}*')",
    "from glob('{beside}other/**')",
    "from glob('/etc/*')",
    "from read_text('/etc/hostname')",
    "from read_text('file:///etc/hostname')",
    "from read_blob('{beside}other/{file}')",
    "from read_csv('http://127.0.0.1:9/x')",
    "from read_parquet(['{lake}/{file}', '{lake}2/{file}'])",
)


def test_the_sandbox_reads_nothing_else(neighbours):
    for query in ELSEWHERE:
        asked = query.format(lake=neighbours, beside=neighbours[:-4], file=FILE)
        with pytest.raises(duckdb.Error, match=r"disabled by configuration|No files found"):
            select(neighbours, asked).fetchall()


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1) to '{lake}/x.csv'",
        "attach '{lake}/x.duckdb'",
        "set enable_external_access = true",
        "select 1; select 2",
        "drop view positions",
    ],
)
def test_the_sandbox_takes_nothing_but_a_select(tmp_path, query):
    with pytest.raises(ValueError, match="one statement, a SELECT"):
        select(tmp_path, query.format(lake=tmp_path))


def undertow(*args):
    command = [sys.executable, "-m", "undertow", *args]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_reads_either_kind(lake):
    rows = [position(holder=n, size=1.0, liquidation_px=50.0 + n) for n in range(1, 4)]
    land_snapshot(lake, rows)
    status, told, _ = undertow(
        "sql", "select sum(size) as s from positions", "--json", "--lake", lake
    )
    assert (status, told) == (0, '[{"s": 3.0}]\n')
    status, told, _ = undertow(
        "map", "BTC", "--at", f"{T0:%Y-%m-%dT%H:%MZ}", "--json", "--lake", lake
    )
    assert (status, told.count('"side": "long"')) == (0, 3)


def refused(monkeypatch, what):
    if what == "no credentials":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    if what == "refused":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    return f"s3://{'no-such-bucket' if what == 'no bucket' else BUCKET}/lake"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no bucket", "no lake at s3://no-such-bucket/lake"),
        ("no credentials", "credentials"),
        ("refused", "Could not connect"),
    ],
)
def test_a_bucket_that_cannot_be_read_is_one_line_without_secrets(
    bucket, monkeypatch, what, says
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr-hidden")
    place = refused(monkeypatch, what)
    status, told, complaint = undertow("sql", "from positions", "--lake", place)
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert says in complaint
    assert place in complaint
    assert "wJalr" not in complaint


@pytest.mark.parametrize(
    ("what", "says"),
    [("no bucket", "bucket does not exist"), ("no credentials", "credentials")],
)
def test_a_bucket_that_cannot_be_written_is_one_line(bucket, monkeypatch, what, says):
    place = refused(monkeypatch, what)
    with pytest.raises(OSError, match=rf"^lake {place}: [^\n]*{says}[^\n]*$"):
        land_snapshot(place, [position()])


def test_credentials_do_not_belong_in_the_url():
    with pytest.raises(ValueError, match="AWS_") as told:
        Lake.at("s3://me:wJalr-hidden@bucket/lake")
    assert "wJalr" not in str(told.value)


def test_a_prefix_without_objects_is_an_empty_lake(bucket):
    with open_lake(f"s3://{BUCKET}/nothing") as con:
        assert con.sql("from positions").fetchall() == []
    with pytest.raises(NoLake):
        open_lake("s3://no-such-bucket/nothing")


def test_the_change_of_another_is_not_lost(bucket):
    lake = BucketLake(f"s3://{BUCKET}/lake")
    seen = []

    def change(body):
        seen.append(body)
        if len(seen) < 3:  # somebody else writes between our reading and our writing
            bucket.put_object(Bucket=BUCKET, Key="lake/a", Body=b"%d" % len(seen))
        return (body or b"") + b"+ours"

    lake.swap("a", change)
    assert seen == [None, b"1", b"2"]
    assert lake.read("a") == b"2+ours"


def test_a_change_that_others_always_overtake_is_given_up(bucket, monkeypatch):
    monkeypatch.setattr("warehouse.store.bucket.TRIES", 3)
    lake, count = BucketLake(f"s3://{BUCKET}/lake"), iter(range(10))

    def change(_):
        bucket.put_object(Bucket=BUCKET, Key="lake/a", Body=b"%d" % next(count))
        return b"ours"

    with pytest.raises(OSError, match="a was changed by others 3 times in a row"):
        lake.swap("a", change)


def test_a_change_that_fails_leaves_the_object(lake):
    place = Lake.at(lake)
    place.swap("_ledger/a", lambda _: b"1")
    with pytest.raises(ZeroDivisionError):
        place.swap("_ledger/a", lambda _: 1 // 0)
    place.swap("_ledger/a", lambda _: None)
    assert place.read("_ledger/a") == b"1"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\0b", "a\\b"])
def test_a_path_does_not_leave_the_lake(lake, path):
    for ask in (Lake.at(lake).place, Lake.at(lake).read):
        with pytest.raises(ValueError, match="leaves the lake"):
            ask(path)
