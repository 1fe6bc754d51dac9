"""Keys and tokens that a user gives are used, and said nowhere: not printed, not kept."""

import json
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain

import pyarrow.parquet as pq
import pytest

import undertow
from tests.conftest import BUCKET
from tests.pipelines.data_fills import HOUR, NOON, block, fill, put, tree
from tests.pipelines.data_mapping import MAPPING_TEXT, csv, line
from warehouse.store import Lake
from warehouse.store.asks import ALL_DAY, Ask, record

# What AWS calls a secret holds slashes and signs.
SECRET, TOKEN = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "tok3nThatNobodyMaySee"
KEPT = (SECRET, TOKEN, SECRET.partition("/")[2], "wJalrXUtnFEMI", "AKIAHOSTILE")
USER = f"AKIAHOSTILE:{SECRET}"


class Refusing(BaseHTTPRequestHandler):
    """Understands no question, and repeats what it was asked."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = f"no such thing: http://{self.headers['Host']}{self.path}\n".encode() + body
        self.send_response(422)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def refusing():
    """Host and port of a server that refuses everything."""
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def call(bucket, refusing, monkeypatch, capfd, tmp_path):
    """Run a verb with secrets all around it; return its status and what it said."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHOSTILE")
    monkeypatch.setenv("UNDERTOW_WEBHOOK", f"http://{refusing}/hooks/{TOKEN}?sig={TOKEN}")
    monkeypatch.setenv("UNDERTOW_LAKE", str(tmp_path / "lake"))
    monkeypatch.delenv("UNDERTOW_DEBUG", raising=False)

    def run(*args):
        monkeypatch.setattr("sys.argv", ["undertow", *args])
        status = undertow._run()
        said = "".join(capfd.readouterr())
        hold_secret(said, tmp_path / "lake")
        return status, said

    return run


def hold_secret(said, lake):
    """Raise if something that was printed, or that a lake keeps, holds a part of a secret."""
    kept = [f"{pq.read_table(file).to_pylist()}" for file in lake.rglob("*.parquet")]
    others = [file for file in lake.rglob("*") if file.is_file() and file.suffix != ".parquet"]
    for text in chain([said], kept, (file.read_bytes().decode("latin-1") for file in others)):
        for secret in KEPT:
            assert secret not in text, f"{secret} in {text}"


ROOTS = [
    f"https://{USER}@mirror.example/fills?token={TOKEN}",
    f"s3://{USER}@{BUCKET}",
    f"s3://{USER}@{BUCKET}/some/where?token={TOKEN}",
    f"s3://no-such-bucket/x?token={TOKEN}",
    f"s3://{BUCKET}/none?token={TOKEN}",
    f"gs://{USER}@bucket",
]
VERBS = [
    ("positions",),
    ("fills", "--source", "node_fills_by_block"),
    ("fills", "--source", "reservoir"),
    ("books",),
    ("contexts",),
    ("market",),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_root_that_holds_a_key_is_refused_without_it(verb, call):
    for root in ROOTS:
        days = ("--from", "2025-10-10", "--to", "2025-10-11")
        status, said = call("ingest", *verb, "--root", root, *days)
        assert (status, said[:10]) == (2, "undertow: ")


def test_what_lands_from_a_bucket_and_what_fails_says_no_key(call, bucket, tmp_path):
    root = tmp_path / "archive"
    put(root, {NOON: [block(fill())], NOON + HOUR: [block(fill(px="dear"))]})
    for path, body in tree(root).items():
        bucket.put_object(Bucket=BUCKET, Key=path, Body=body)
    fills = ("ingest", "fills", "--source", "node_fills_by_block", "--root", f"s3://{BUCKET}")
    status, said = call(*fills, "--from", "2025-10-10", "--to", "2025-10-11")
    assert (status, "px: must be a decimal" in said) == (2, True)
    bucket.delete_object(Bucket=BUCKET, Key="node_fills_by_block/hourly/20251010/13.lz4")
    assert call(*fills, "--from", "2025-10-10", "--to", "2025-10-11")[0] == 0
    for table in ("parts", "asks", "incidents"):
        status, said = call("sql", f"from {table}", "--json")
        assert status == 0
        assert json.loads(said.partition("]\n")[0] + "]") or table == "incidents"
    assert call("check")[0] == 0
    assert call("gaps")[0] == 0


def test_a_venue_that_refuses_is_named_without_its_key(call, refusing):
    for url in (
        f"http://AKIAHOSTILE:{TOKEN}@{refusing}",
        f"http://{refusing}?token={TOKEN}",
        f"ftp://{USER}@{refusing}",
    ):
        status, said = call("ingest", "sweep", "--url", url, "--leaderboard", f"{url}/board")
        assert (status, said.count("undertow: ")) == (2, 1)
        status, said = call("ingest", "now", "--url", url, "--day", "2025-10-10")
        assert status == 2 or f"http://{refusing}/info" in said


def test_a_webhook_is_named_by_its_host(call, tmp_path):
    put(tmp_path / "archive", {NOON: [block(fill())]})
    root = str(tmp_path / "archive")
    assert call("ingest", "fills", "--source", "node_fills_by_block", "--root", root)[0] == 0
    status, said = call("check", "--freshness")
    assert status != 0
    assert "webhook 127.0.0.1: answered with status 422" in said


def test_a_file_to_import_is_named_without_its_key(call, tmp_path):
    (tmp_path / "my.toml").write_text(MAPPING_TEXT)
    (tmp_path / "mine.csv").write_bytes(csv(line()))
    for file in (f"https://{USER}@mirror.example/a.csv?token={TOKEN}", f"s3://{USER}@b/a.csv"):
        assert call("ingest", "import", str(tmp_path / "my.toml"), file)[0] == 2
        assert call("ingest", "import", file, str(tmp_path / "mine.csv"))[0] == 2
    assert (
        call("ingest", "import", str(tmp_path / "my.toml"), str(tmp_path / "mine.csv"))[0] == 0
    )


def test_a_secret_that_is_told_is_seen(tmp_path):
    hold_secret("all is well", tmp_path)
    with pytest.raises(AssertionError, match="tok3n"):
        hold_secret(f"https://h/?token={TOKEN}", tmp_path)
    ask = Ask("fills", "info", date(2026, 1, 2), ALL_DAY, "failed", f"s3://{USER}@b: no")
    lake = tmp_path / "lake"
    lake.mkdir()
    record(Lake.at(lake), [ask], datetime(2026, 1, 3, tzinfo=UTC))
    with pytest.raises(AssertionError, match="AKIAHOSTILE"):
        hold_secret("", lake)
