import pytest
import s3fs

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.archive import Archive
from pipelines.sources.errors import UnreachableError
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir
from tests.pipelines.data_fills import HOUR, NOON, block, fill, put, tree
from warehouse.store import Lake

BUCKET = "hl-mainnet-node-data"


def upload(client, root, prefix=""):
    for path, body in tree(root).items():
        client.put_object(Bucket=BUCKET, Key=f"{prefix}{path}", Body=body)


def test_an_archive_reads_a_bucket_as_it_reads_a_folder(bucket, tmp_path):
    for path in ("b/2.lz4", "b/10.lz4", "b/deep/1.txt", "a.lz4"):
        file = tmp_path / "local" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
    upload(bucket, tmp_path / "local", "mirror/")
    local, remote = Archive(str(tmp_path / "local")), Archive(f"s3://{BUCKET}/mirror")
    for ask in (
        lambda archive: archive.sizes(),
        lambda archive: archive.files("b", ".lz4"),
        lambda archive: (archive.folders(), archive.folders("b"), archive.folders("none")),
        lambda archive: (archive.has("b"), archive.has("b/2.lz4"), archive.has("none")),
        lambda archive: (archive.read("b/2.lz4"), archive.size("b/2.lz4")),
        lambda archive: archive.open("b/2.lz4").read(),
    ):
        assert ask(remote) == ask(local)
    bucket.put_object(Bucket=BUCKET, Key="mirror/new", Body=b"")
    assert "new" in remote.files()


def test_reading_a_bucket_offers_to_pay(bucket):
    bucket.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    filesystem = Archive(f"s3://{BUCKET}")._fs
    assert filesystem.req_kw == {"RequestPayer": "requester"}


def test_a_bucket_or_prefix_that_is_not_there_is_named(bucket):
    for root in ("s3://no-such-bucket", f"s3://{BUCKET}/none"):
        with pytest.raises(FileNotFoundError, match=f"root {root}: no such folder"):
            Archive(root)


def test_a_key_that_would_leave_the_root_is_refused(bucket):
    bucket.put_object(Bucket=BUCKET, Key="a/../../etc/passwd", Body=b"1")
    with pytest.raises(ValueError, match="leaves the archive"):
        Archive(f"s3://{BUCKET}").files()


def test_missing_credentials_are_one_line(bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(UnreachableError, match=f"root s3://{BUCKET}: .*credentials"):
        Archive(f"s3://{BUCKET}")


def test_a_landing_from_a_bucket_leaves_the_bytes_of_a_landing_from_a_folder(bucket, tmp_path):
    files = {
        NOON + n * HOUR: [block(fill(NOON + n * HOUR, tid=n), fill(NOON + HOUR, tid=9))]
        for n in range(3)
    }
    root = put(tmp_path / "archive", files)
    upload(bucket, tmp_path / "archive")
    local = land_hourly_fills(root, tmp_path / "local")
    remote = land_hourly_fills(f"s3://{BUCKET}", tmp_path / "remote")
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")
    assert (remote.rows, remote.duplicates, remote.notes) == (4, 2, local.notes)


def test_real_rows_from_a_bucket_leave_the_bytes_of_those_from_a_folder(bucket, real, tmp_path):
    folder = real / "raw-blocks" / BUCKET
    upload(bucket, folder)
    land_hourly_fills(str(folder), tmp_path / "local")
    assert land_hourly_fills(f"s3://{BUCKET}", tmp_path / "remote").rows == 3590
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")


def test_positions_and_market_rows_come_from_a_bucket_as_from_a_folder(bucket, tmp_path):
    root = tmp_path / "archive"
    spec = WorldSpec(coins=2, accounts=20)
    write_archive(spec, 1, root, snapshot_every=6, books=False, contexts=False)
    upload(bucket, root, "world/")
    for lake, source in (("local", str(root)), ("remote", f"s3://{BUCKET}/world")):
        land_market(source, tmp_path / lake)
        land_reservoir(source, tmp_path / lake)
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")
    assert any("positions" in str(path) for path in tree(tmp_path / "remote"))


def test_a_world_is_written_to_a_bucket_as_to_a_folder(bucket, tmp_path):
    spec = WorldSpec(coins=1, accounts=10)
    place = f"s3://{BUCKET}/worlds/one"
    local, remote = (write_archive(spec, 1, at) for at in (tmp_path, place))
    assert remote == local
    archive = Archive(place)
    assert {path: archive.read(path) for path in archive.files()} == {
        str(path): body for path, body in tree(tmp_path).items()
    }
    assert write_archive(spec, 1, place) == local
    with pytest.raises(ValueError, match=r"another world \(seed 7 instead of 8\)"):
        write_archive(spec._replace(seed=8), 1, place)
    with pytest.raises(ValueError, match="of no simulated world"):
        write_archive(spec, 1, f"s3://{BUCKET}/worlds")
    assert not Archive(f"s3://{BUCKET}/worlds").has("simulated.json")


def test_a_bucket_that_cannot_be_written_to_is_one_line(bucket, monkeypatch):
    with pytest.raises(FileNotFoundError, match="target s3://no-such-bucket/x: no such"):
        write_archive(WorldSpec(coins=1, accounts=1), 1, "s3://no-such-bucket/x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(UnreachableError, match=f"target s3://{BUCKET}: .*credentials"):
        write_archive(WorldSpec(coins=1, accounts=1), 1, f"s3://{BUCKET}")


def test_landing_into_a_bucket_leaves_the_bytes_of_landing_into_a_folder(bucket, tmp_path):
    spec, root = WorldSpec(coins=3, accounts=40), str(tmp_path / "archive")
    write_archive(spec, 1, tmp_path / "archive", snapshot_every=12, books=False, contexts=False)
    place = f"s3://{BUCKET}/lakes/one"
    for lake in (str(tmp_path / "local"), place):
        land_market(root, lake)
        land_reservoir(root, lake)
        land_hourly_fills(root, lake)
    remote = Lake.at(place)
    parts = {path: remote.read(path) for path in remote.sizes("") if "_ledger" not in path}
    assert parts == tree(tmp_path / "local")
    assert {path.partition("/")[0] for path in parts} >= {"fills", "positions", "candles"}
