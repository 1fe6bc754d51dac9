import json

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_fills import KINDS, hourly_files, open_archive
from pipelines.sources.own_node import read, read_tail, to_fills, whole_lines
from tests.pipelines.data_fills import (
    HOUR,
    NOON,
    USER,
    block,
    blocks,
    body_of,
    fill,
    fills,
    users,
)
from tests.pipelines.data_hostile import OFTEN, hostile, refused_or_right
from tests.pipelines.test_node_fills_by_user import plain as plain_by_user
from tests.reference import node_fills as plain_blocks

OWN = KINDS["own_node"]
BY_USER, BY_BLOCK = "node_fills/hourly", "node_fills_by_block/hourly"
LINE = json.dumps([USER, fill()])
events = st.lists(st.tuples(users, fills()).map(list), max_size=4)
documents = blocks().map(lambda lines: [json.loads(line) for line in lines])


def put(root, path, body):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return str(root)


def plain(body):
    """Read a file by the shape of its first line."""
    return (plain_by_user if body.startswith(b"[") else plain_blocks.to_rows)(body)


@pytest.mark.parametrize("line", [LINE, block(fill())])
def test_either_shape_of_line_is_read(line):
    rows, unknown = to_fills(body_of([line] * 3), "12")
    assert rows["account"].to_pylist() == [USER] * 3
    assert not unknown


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([LINE, block(fill())], "12 line 2: must be [account, fill], is {"),
        ([block(fill()), LINE], "12 line 2: must be a block, is ["),
        (["null"], "12 line 1: must be a block, is null"),
        (["\0\0\0"], "12 line 1: must be JSON: "),
    ],
)
def test_a_line_of_another_shape_is_named(lines, says):
    with pytest.raises(SourceError) as caught:
        to_fills(body_of(lines), "12")
    assert str(caught.value).startswith(says)


@given(body=hostile(events) | hostile(documents))
@OFTEN
def test_a_harmed_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain, body)


@given(body=st.binary(max_size=200))
@OFTEN
def test_what_was_never_a_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain, body)


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("", f"{BY_USER}/20251010/12"),
        ("", f"{BY_BLOCK}/20251010/12"),
        ("", f"{BY_BLOCK}/20251010/12.lz4"),
        ("hl/data", f"{BY_USER}/20251010/12"),
        ("hl/data", f"{BY_BLOCK}/20251010/12.lz4"),
    ],
)
def test_the_root_is_the_nodes_folder_or_the_home_above_it(tmp_path, root, path):
    body = f"{LINE}\n".encode()
    put(tmp_path / root, path, lz4.frame.compress(body) if path.endswith("4") else body)
    archive = open_archive(OWN, str(tmp_path))
    files = hourly_files(OWN, archive)
    assert files == ({NOON: path}, [], [])
    assert OWN.read(archive, path) == body


def test_of_two_files_of_an_hour_the_plain_one_is_read_and_the_other_said(tmp_path):
    for path in (f"{BY_USER}/20251010/12", f"{BY_USER}/20251010/12.lz4"):
        put(tmp_path, path, b"")
    put(tmp_path, f"{BY_BLOCK}/20251010/12", b"")
    files = hourly_files(OWN, open_archive(OWN, str(tmp_path)))
    assert files.paths == {NOON: f"{BY_BLOCK}/20251010/12"}
    assert files.doubled == [f"{BY_USER}/20251010/12", f"{BY_USER}/20251010/12.lz4"]


def test_a_fill_is_known_when_it_happens():
    rows, _ = to_fills(body_of([block(fill(NOON), fill(NOON + HOUR, tid=8))]), "12")
    known = OWN.known_ts(NOON, rows["time_ts"])
    assert known.to_pylist() == rows["time_ts"].to_pylist() == [NOON, NOON + HOUR]
    assert len(OWN.known_ts(NOON, rows["time_ts"].slice(0, 0))) == 0


def test_half_a_line_of_the_newest_hour_is_left_for_later(tmp_path):
    put(tmp_path, f"{BY_USER}/20251010/11", f"{LINE}\n".encode())
    put(tmp_path, f"{BY_USER}/20251010/12", f"{LINE}\n{LINE}\n{LINE[:50]}".encode())
    archive = Archive(str(tmp_path))
    assert read(archive, f"{BY_USER}/20251010/12") == f"{LINE}\n{LINE}\n".encode()


def test_a_whole_last_line_without_its_line_feed_is_half_a_line(tmp_path):
    put(tmp_path, f"{BY_USER}/20251010/12", LINE.encode())
    assert read(Archive(str(tmp_path)), f"{BY_USER}/20251010/12") == b""


@pytest.mark.parametrize("later", [f"{BY_USER}/20251010/13", f"{BY_BLOCK}/20251011/0.lz4"])
def test_half_a_line_of_a_closed_hour_is_an_error(tmp_path, later):
    put(tmp_path, f"{BY_USER}/20251010/12", f"{LINE}\n{LINE[:50]}".encode())
    put(tmp_path, later, b"")
    with pytest.raises(SourceError) as caught:
        read(Archive(str(tmp_path)), f"{BY_USER}/20251010/12")
    assert str(caught.value) == (
        "node_fills/hourly/20251010/12 line 2: must end in a line feed, as the hour is closed, "
        "ends after 50 bytes"
    )


def test_half_a_line_of_a_packed_hour_is_an_error_even_of_the_newest(tmp_path):
    put(tmp_path, f"{BY_USER}/20251010/12.lz4", lz4.frame.compress(LINE.encode()))
    with pytest.raises(SourceError, match=r"12\.lz4 line 1: must end in a line feed"):
        read(Archive(str(tmp_path)), f"{BY_USER}/20251010/12.lz4")


@given(body=st.binary(max_size=60) | st.text("ab\n").map(str.encode))
def test_whole_lines_end_in_a_line_feed_and_leave_less_than_a_line(body):
    lines = whole_lines(body)
    assert body.startswith(lines)
    assert lines == b"" or lines.endswith(b"\n")
    assert b"\n" not in body[len(lines) :]


@given(pieces=st.lists(st.text("ab\n", max_size=4).map(str.encode), max_size=8))
def test_a_growing_file_is_read_once_and_by_whole_lines(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("node") / "12"
    path.write_bytes(b"")
    got, offset = b"", 0
    for piece in pieces:
        with path.open("ab") as file:
            file.write(piece)
        lines, offset = read_tail(path, offset)
        got += lines
        assert offset == len(got)
        assert got == whole_lines(path.read_bytes())


def test_a_tail_is_rows_before_the_next_line_is_whole(tmp_path):
    path = tmp_path / "12"
    path.write_text(f"{LINE}\n{LINE[:30]}")
    lines, offset = read_tail(path, 0)
    assert to_fills(lines, "12")[0].num_rows == 1
    assert read_tail(path, offset) == (b"", offset)
    with path.open("a") as file:
        file.write(f"{LINE[30:]}\n")
    assert read_tail(path, offset) == (f"{LINE}\n".encode(), 2 * offset)


@pytest.mark.parametrize(
    ("offset", "says"), [(3, "it is within a line"), (99, "the file ends before it")]
)
def test_a_file_that_was_replaced_is_not_read_on(tmp_path, offset, says):
    path = tmp_path / "12"
    path.write_bytes(b"one\ntwo\n")
    with pytest.raises(SourceError) as caught:
        read_tail(path, offset)
    assert str(caught.value) == f"{path}: byte {offset} must be the start of a line, {says}"
