import json
from datetime import UTC, datetime, timedelta

import lz4.frame
import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_fills import HOUR, KINDS, hourly_files, open_archive
from tests.pipelines.data_fills import NOON, USER, block, fill
from tests.pipelines.data_node_trades import trade
from warehouse.contracts.fills import FILLS

LINES = {
    "node_fills_by_block": block(fill()),
    "node_fills": json.dumps([USER, fill()]),
    "node_trades": json.dumps(trade()),
    "own_node": block(fill()),
    "artemis": "",
}
HOURLY = [name for name in LINES if name != "artemis"]
PACKED = ["node_fills_by_block", "node_fills", "node_trades"]


def put(root, path, line=""):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    body = f"{line}\n".encode()
    file.write_bytes(lz4.frame.compress(body) if path.endswith(".lz4") else body)


def path_of(kind):
    return f"{kind.prefixes[0]}/20251010/12{kind.endings[0]}"


def test_every_kind_is_listed_by_its_name():
    assert list(KINDS) == list(LINES)
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize("name", HOURLY)
@pytest.mark.parametrize("above", [False, True])
def test_one_description_is_enough_to_land_a_file(tmp_path, name, above):
    kind = KINDS[name]
    put(tmp_path / (kind.bucket if above else ""), path_of(kind), LINES[name])
    archive = open_archive(kind, str(tmp_path))
    paths, odd, doubled = hourly_files(kind, archive)
    assert paths == {NOON: path_of(kind)}
    assert (odd, doubled) == ([], [])
    rows, unknown = kind.to_rows(kind.read(archive, paths[NOON]), paths[NOON])
    assert not unknown
    known = kind.known_ts(NOON, rows["time_ts"])
    rows = rows.append_column("known_ts", known)
    rows = rows.append_column("source", [[name] * rows.num_rows])
    assert FILLS.check(rows).num_rows == (2 if name == "node_trades" else 1)


@pytest.mark.parametrize("name", PACKED)
def test_what_an_archive_holds_is_known_once_the_file_is_published(name):
    kind = KINDS[name]
    rows, _ = kind.to_rows(LINES[name].encode(), "12.lz4")
    known = kind.known_ts(NOON, rows["time_ts"])
    assert set(known.to_pylist()) == {NOON + 2 * HOUR + timedelta(minutes=2)}
    assert len(known) == rows.num_rows


def test_the_archives_follow_each_other_as_documented():
    trades, fills, blocks = (KINDS[name].covers for name in PACKED[::-1])
    assert trades[0] == datetime(2025, 3, 22, 10, tzinfo=UTC)
    assert fills[0] < trades[1] < fills[1]
    # 1,507 files, one an hour.
    assert (fills[1] - fills[0]) // HOUR + 1 == 1507
    assert blocks == (fills[1], None)


@pytest.mark.parametrize("name", HOURLY)
def test_names_that_nobody_documented_are_told(tmp_path, name):
    kind = KINDS[name]
    folder, ending = kind.prefixes[0], kind.endings[0]
    odd = [
        f"{folder}/{name}"
        for name in (
            *(f"20251010/07{ending}", f"20251010/24{ending}", f"20251399/7{ending}"),
            *(f"20251010/7{ending}.tmp", f"2025101/7{ending}", f"20251010/7{ending}/8{ending}"),
            *(f"20251010/٧{ending}", f"x20251010/7{ending}", "20251010/"),
        )
        if not name.endswith("/")
    ]
    for path in (path_of(kind), *odd):
        put(tmp_path, path)
    files = hourly_files(kind, open_archive(kind, str(tmp_path)))
    assert list(files.paths) == [NOON]
    assert sorted(files.odd) == sorted(odd)


def test_hours_come_in_order_of_time_and_not_of_name(tmp_path):
    kind = KINDS["node_fills"]
    for name in ("20251010/10", "20251010/9", "20251009/23", "20251010/0"):
        put(tmp_path, f"node_fills/hourly/{name}.lz4")
    files = hourly_files(kind, open_archive(kind, str(tmp_path)))
    assert [f"{hour:%d %H}" for hour in files.paths] == ["09 23", "10 00", "10 09", "10 10"]


@pytest.mark.parametrize("name", HOURLY)
def test_an_archive_that_is_not_there_is_said(tmp_path, name):
    kind = KINDS[name]
    put(tmp_path, "other/hourly/20251010/12.lz4")
    with pytest.raises(FileNotFoundError) as caught:
        open_archive(kind, str(tmp_path))
    assert str(caught.value).startswith(
        f"root {tmp_path}: holds neither {kind.prefixes[0]}/ nor "
    )
    for prefix in kind.prefixes:
        assert f" {prefix}/" in str(caught.value)
        assert f" {kind.bucket}/{prefix}/" in str(caught.value)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        open_archive(kind, str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", PACKED)
def test_a_file_that_is_not_packed_is_an_error(tmp_path, name):
    path = path_of(KINDS[name])
    put(tmp_path, path)
    (tmp_path / path).write_text(LINES[name])
    with pytest.raises(SourceError, match=f"{path}: must be LZ4 frames"):
        KINDS[name].read(open_archive(KINDS[name], str(tmp_path)), path)
