"""The verbs that land archives and files, as a user calls them."""

import json
import re
from datetime import UTC, datetime
from itertools import count

import pytest
from click.testing import CliRunner

from pipelines.cli import ingest
from pipelines.sources.archive import Archive
from tests.cli.inside import refused, run
from tests.conftest import BUCKET
from tests.pipelines.data_books import put_books
from tests.pipelines.data_fills import NOON, block, fill, tree
from tests.pipelines.data_fills import put as put_fills
from tests.pipelines.data_lake import frame
from tests.pipelines.test_land_balances import MONDAY, position
from tests.pipelines.test_land_balances import line as balance
from tests.pipelines.test_land_balances import put as put_balances
from tests.pipelines.test_land_contexts import FIRST, SECOND, line
from tests.pipelines.test_land_contexts import put as put_contexts
from tests.pipelines.test_land_imports import HEADER, MAPPING, row
from tests.simulator.serving import served, small_venue
from warehouse.store import Lake
from warehouse.store.asks import asks_of


def call(*args, lake=None):
    """Run a verb in this process; what it raises is the result's."""
    given = [*args] if lake is None else [*args, "--lake", str(lake)]
    return CliRunner().invoke(ingest, given)


def rows(done):
    assert done.exception is None, done.exception
    return json.loads(done.stdout)


@pytest.fixture
def contexts(tmp_path):
    for day in (FIRST, SECOND):
        put_contexts(tmp_path / "archive", day, line(f"{day}T00:01:00Z"))
    return str(tmp_path / "archive")


@pytest.fixture
def paid(contexts, bucket, tmp_path, monkeypatch):
    """The same in a bucket, and the paths that have been read of it."""
    for path, body in tree(tmp_path / "archive").items():
        bucket.put_object(Bucket=BUCKET, Key=path, Body=body)
    read = []
    whole = Archive.read

    def noted(archive, path):
        read.append(path)
        return whole(archive, path)

    monkeypatch.setattr(Archive, "read", noted)
    return read


def test_contexts_land_and_what_is_absent_is_in_the_lake(contexts, tmp_path):
    lake = tmp_path / "lake"
    verb = ("contexts", "--root", contexts, "--from", str(FIRST), "--to", "2025-11-17")
    (landed,) = rows(call(*verb, "--json", lake=lake))
    assert (landed["table"], landed["parts"], landed["rows"]) == ("asset_contexts", 2, 2)
    assert len(landed["gaps"]) == 2
    asks = asks_of(Lake.at(lake)).to_pylist()
    assert [(ask["day"].day, ask["outcome"], ask["hour"]) for ask in asks] == [
        (14, "absent", -1),
        (16, "absent", -1),
    ]
    assert {(ask["table_name"], ask["source"]) for ask in asks} == {
        ("asset_contexts", "asset_ctxs")
    }


def test_people_read_a_table_and_a_local_folder_has_no_plan(contexts, tmp_path):
    done = call("contexts", "--root", contexts, lake=tmp_path / "lake")
    assert done.exception is None
    assert "asset_contexts" in done.stdout
    assert "plan" not in done.stderr
    assert "no file of 2025-11-14" in done.stderr


def test_a_failed_day_is_noted_before_the_error_is_said(contexts, tmp_path):
    put_contexts(tmp_path / "archive", SECOND, line(f"{SECOND}T00:01:00Z", mark=-1))
    span = ("--from", str(FIRST), "--to", "2025-11-16")
    done = call("contexts", "--root", contexts, *span, lake=tmp_path / "lake")
    assert "field mark_px" in str(done.exception)
    asks = asks_of(Lake.at(tmp_path / "lake")).to_pylist()
    assert {ask["outcome"] for ask in asks} == {"failed"}
    assert "field mark_px" in asks[0]["reason"]


def test_books_of_some_coins(tmp_path):
    for coin in ("BTC", "ETH"):
        root = put_books(tmp_path / "archive", 0, coin, 0, 20, 60)
    verb = ("books", "--root", root, "--coins", "BTC", "--every", "10s", "--json")
    (landed,) = rows(call(*verb, lake=tmp_path / "lake"))
    assert landed["rows"] == 3
    assert frame(tmp_path / "lake", "select distinct coin from order_books").rows() == [
        ("BTC",)
    ]


def test_balances_of_artemis(tmp_path):
    root = put_balances(tmp_path / "archive", MONDAY, balance(1, position()))
    verb = ("positions", "--source", "artemis", "--root", root, "--json")
    landed = rows(call(*verb, lake=tmp_path / "lake"))
    assert [one["table"] for one in landed] == ["positions", "accounts", "snapshots"]


def test_fills_of_each_hourly_archive(tmp_path):
    root = put_fills(tmp_path / "archive", {NOON: [block(fill(NOON))]})
    verb = ("fills", "--source", "node_fills_by_block", "--root", root, "--json")
    (landed,) = [one for one in rows(call(*verb, lake=tmp_path / "lake")) if one["rows"]]
    assert (landed["table"], landed["rows"]) == ("fills", 1)
    # An own node may write its fills by block too.
    assert rows(call("fills", "--source", "own_node", *verb[3:], lake=tmp_path / "own"))
    for source in ("node_fills", "node_trades", "artemis", "reservoir"):
        done = call("fills", "--source", source, "--root", root, lake=tmp_path / "lake")
        assert isinstance(done.exception, FileNotFoundError), (source, done)


def test_a_plan_reads_nothing(contexts, tmp_path):
    done = call("contexts", "--root", contexts, "--plan", "--json", lake=tmp_path / "lake")
    size = sum(Archive(contexts).sizes().values())
    assert rows(done) == [{"files": 2, "bytes": size, "held": 0, "usd": 0.0}]
    done = call("contexts", "--root", contexts, "--plan", lake=tmp_path / "lake")
    assert done.stderr == f"plan: 2 files, {size} B, free (a folder)\n"
    assert not (tmp_path / "lake").exists()


def test_a_bucket_is_planned_first_and_what_is_landed_is_not_read_again(paid, tmp_path):
    verb = ("contexts", "--root", f"s3://{BUCKET}", "--json")
    done = call(*verb, "--to", "2025-11-14", lake=tmp_path / "lake")
    assert rows(done)[0]["rows"] == 1
    assert done.stderr.startswith("plan: 1 file, ")
    assert "about $0.01 (requester pays)" in done.stderr
    done = call(*verb, lake=tmp_path / "lake")
    assert rows(done)[0]["rows"] == 1
    assert "1 are in the lake already" in done.stderr
    assert paid == ["asset_ctxs/20251113.csv.lz4", "asset_ctxs/20251115.csv.lz4"]
    done = call(*verb, lake=tmp_path / "lake")
    assert "nothing is read; --again lands it anew" in done.stderr
    assert len(paid) == 2
    assert rows(call(*verb, "--again", lake=tmp_path / "lake"))[0]["rows"] == 2
    assert len(paid) == 4


def test_a_pull_that_broke_off_goes_on_where_it_was(paid, bucket, tmp_path):
    good = put_contexts(tmp_path / "good", SECOND, line(f"{SECOND}T00:01:00Z"))
    path = "hyperliquid-archive/asset_ctxs/20251115.csv.lz4"
    bucket.put_object(Bucket=BUCKET, Key=path, Body=b"no frame")
    verb = ("contexts", "--root", f"s3://{BUCKET}", "--json")
    assert "must be LZ4 frames" in str(call(*verb, lake=tmp_path / "lake").exception)
    bucket.put_object(Bucket=BUCKET, Key=path, Body=Archive(good).open(path).read())
    paid.clear()
    assert rows(call(*verb, lake=tmp_path / "lake"))[0]["rows"] == 1
    assert paid == ["asset_ctxs/20251115.csv.lz4"]
    assert frame(tmp_path / "lake", "from asset_contexts").height == 2


def test_a_pull_that_is_too_dear_reads_nothing(paid, tmp_path):
    verb = ("ingest", "contexts", "--root", f"s3://{BUCKET}", "--max-usd", "0")
    said = refused(run(*verb, lake=tmp_path / "lake"))
    assert "would cost about $0.01, more than $0.00: allow it with --max-usd 1" in said
    assert call(*verb[1:], lake=tmp_path / "lake").exception is not None
    assert paid == []
    assert not (tmp_path / "lake").exists()


def test_an_import_by_a_mapping(tmp_path):
    (tmp_path / "mine.toml").write_text(MAPPING)
    (tmp_path / "mine.csv").write_text(f"{HEADER}\n{row()}\n")
    verb = ("import", str(tmp_path / "mine.toml"), str(tmp_path / "mine.csv"), "--json")
    landed = rows(call(*verb, lake=tmp_path / "lake"))
    assert [(one["table"], one["rows"]) for one in landed] == [
        ("positions", 1),
        ("snapshots", 1),
    ]


def test_an_import_of_hypertracker_at_its_moment(tmp_path):
    head = "address,coin,side,dex,size,value,entryPrice,liquidationPrice"
    (tmp_path / "BTC.csv").write_text(f"{head}\n0x{'ab' * 20},BTC,short,main,1,7,71000,90000\n")
    verb = ("import", "hypertracker", str(tmp_path / "BTC.csv"), "--at", "2026-04-01T12:00Z")
    landed = rows(call(*verb, "--json", lake=tmp_path / "lake"))
    assert landed[0]["rows"] == 1
    at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert frame(tmp_path / "lake", "select snapshot_ts from positions").rows() == [(at,)]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("import", "mine.toml", "none.csv"), "none.csv: no such file"),
        (("import", "none.toml", "mine.csv"), "none.toml: no such file"),
        (("import", "mine.csv", "mine.csv"), "mine.csv: cannot be read as TOML"),
        (("import", "mine.toml"), "Missing argument 'FILE…'"),
        (("import", "mine.toml", "mine.csv", "--at", "2026-01-01T00:00Z"), "takes no moment"),
        (("import", "mine.toml", "mine.csv", "--at", "noon"), "'noon' is no moment"),
        (("import", "mine.toml", "mine.csv", "--complete"), "--complete is for hypertracker"),
        (("import", "hypertracker", "mine.csv"), "hypertracker needs --at"),
        (("import", "kiyotaka", "mine.csv"), "kiyotaka needs --quote"),
        (("import", "kiyotaka", "mine.csv", "--quote", "coin"), "cannot be read as JSON"),
        (("import", "mine.toml", "folder"), "folder: is a folder, must be a file"),
    ],
)
def test_an_import_that_cannot_be_is_one_line(tmp_path, args, says):
    (tmp_path / "mine.toml").write_text(MAPPING)
    (tmp_path / "mine.csv").write_text(f"{HEADER}\n{row()}\n")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    assert says in refused(run("ingest", *args, lake=tmp_path / "lake", cwd=tmp_path))
    assert sorted(tmp_path.iterdir()) == before


WRONG = [
    (("--root", "none"), "root none: no such folder"),
    (("--root", "other"), "root other: holds neither"),
    (("--root", "file"), "root file: no such folder"),
    (("--root", "gs://bucket"), "root gs://bucket: must be a folder or an s3:// URL"),
    (("--root", "other", "--from", "2026-01-03", "--to", "2026-01-02"), "must be before --to"),
    (("--root", "other", "--from", "yesterday"), "Invalid value for '--from'"),
    (("--root", "other", "--from", "0001-01-01"), "years are 2000 to 2199"),
    (("--root", "other", "--max-usd", "-1"), "Invalid value for '--max-usd'"),
    (("--root", "other", "--lake", "file"), "lake file: file is a file, must be a folder"),
    (("--root", "other", "--lake", "file/lake"), "lake file/lake: file is a file"),
    (("--root", "other", "--lake", "gs://b"), "lake gs://…: must be a folder or an s3:// URL"),
    (("--root", "other", "--plan"), "root other: holds neither"),
    ((), "Missing option '--root'"),
]


@pytest.mark.parametrize("verb", ["contexts", "books", "positions", "fills"])
def test_every_verb_of_an_archive_refuses_alike(tmp_path, monkeypatch, verb):
    (tmp_path / "other").mkdir()
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    for args, says in WRONG:
        done = call(verb, *args) if "--lake" in args else call(verb, *args, lake="lake")
        text = done.stderr if done.exit_code == 2 else str(done.exception)
        said = re.sub("neither it nor its folder [a-z-]+/ holds", "holds neither", text)
        assert says in said, (verb, args)
        assert done.stdout == ""
        assert done.exit_code == 2 or isinstance(done.exception, ValueError | OSError)
        assert {path.name for path in tmp_path.iterdir()} == {"file", "other"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("books", "--coins", "BTX"), "coin 'BTX' has no book in these days"),
        (("books", "--coins", "BTC,,ETH"), "must be names with commas between them"),
        (("books", "--every", "often"), "--every 'often': must be as 10s, 1m or 1h"),
        (("books", "--every", "-1m"), "--every '-1m': must be as"),
        (("books", "--from", "2026-05-01"), "no market_data/"),
        (("fills", "--source", "nobody"), "Invalid value for '--source'"),
        (("fills", "--dex", "xyz"), "--dex is for --source reservoir"),
        (("positions", "--source", "nobody"), "Invalid value for '--source'"),
    ],
)
def test_what_a_user_gets_wrong_of_one_verb_is_said(tmp_path, args, says):
    root = put_books(tmp_path / "archive", 0, "BTC", 0)
    done = call(*args, "--root", root, lake=tmp_path / "lake")
    assert says in (done.stderr if done.exit_code == 2 else str(done.exception))
    assert not (tmp_path / "lake").exists()


def test_a_file_that_cannot_be_read_is_one_line(contexts, tmp_path, monkeypatch):
    def denied(archive, path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(Archive, "read", denied)
    done = call("contexts", "--root", contexts, lake=tmp_path / "lake")
    assert isinstance(done.exception, OSError)
    assert "\n" not in str(done.exception)


@pytest.mark.slow  # likewise
def test_now_asks_for_a_day_that_has_ended(tmp_path):
    today = datetime.now(UTC).date()
    done = call("now", "--day", f"{today}", lake=tmp_path / "lake")
    assert "must be a day that has ended" in str(done.exception)
    unreachable = ("now", "--day", "2026-01-01", "--url", "http://127.0.0.1:9")
    done = run("ingest", *unreachable, lake=tmp_path / "lake")
    assert done.returncode == 2
    assert "127.0.0.1:9/info perpDexs: connection failed" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "lake").exists()


@pytest.mark.slow  # waits for the venue's minute
def test_now_and_sweep_land_what_a_venue_says(tmp_path):
    minutes = count(0, 60)  # a minute a look: the venue's rate limit is never met
    with served(small_venue(), clock=lambda: next(minutes)) as (url, _):
        asking = ("--url", url, "--simulated", "--json", "--reserve", "0")
        day = ("--day", "2026-01-05", "--interval", "1h", "--books", "2")
        landed = rows(call("now", *asking, *day, lake=tmp_path))
        swept = rows(call("sweep", *asking, "--leaderboard", "", lake=tmp_path))
    assert [one["table"] for one in landed] == ["candles", "funding", "fills", "order_books"]
    assert {"positions", "accounts", "snapshots"} <= {one["table"] for one in swept}
    books = frame(tmp_path, "select distinct source, coin from order_books")
    assert set(books["source"]) == {"simulated"}
    assert books.height == 2


def test_a_tail_needs_the_folder_of_a_node(tmp_path):
    verb = ("ingest", "tail", "--root", str(tmp_path / "none"), "--minutes", "0.01")
    done = run(*verb, lake=tmp_path / "lake")
    assert done.returncode == 2
    assert "no such folder" in done.stderr.splitlines()[-1]
