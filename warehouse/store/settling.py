"""This module settles what a batch that is landed again is, beside what the lake holds of it.

The same, a better reading, or a correction; :mod:`warehouse.store.landing` says what follows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

import pyarrow as pa

from warehouse.store.compacted import is_whole, unpack
from warehouse.store.lake import Lake
from warehouse.store.ledger import Origin, Part
from warehouse.store.parts import digest, is_shared, path_of, read_part, write_part


class Found(Enum):
    """What the lake holds of a part that is landed again."""

    SAME = "its rows, in the file that the ledger lists"
    SAME_ROWS = "its rows; its file is gone, or has other bytes than the ledger says"
    OTHERS = "other rows"
    NOTHING = "no file, or a damaged one"


def settled(lake: Lake, stage: Path, draft: Part, lines: list[Part]) -> tuple[list[Part], Part]:
    """Return a part's lines with ``draft`` among them, and the current one."""
    current = next((line for line in lines if line.superseded_ts is None), None)
    if current is None:
        return [*lines, draft], draft
    found = _found(lake, stage, current, draft)
    if found is Found.SAME:
        return lines, current
    others = [line for line in lines if line is not current]
    if found is Found.SAME_ROWS or _unchanged(current.origins, draft.origins):
        line = replace(draft, revision=current.revision, since_ts=current.since_ts)
        # A file that has not the bytes that are listed gets them back in its place.
        mended = line.hash == current.hash and not current.compacted
        line = replace(line, path=current.path if mended else line.other_path)
        return [*others, line], line
    now = draft.received_ts
    revision = max(line.revision for line in lines) + 1
    line = replace(
        draft,
        revision=revision,
        path=path_of(draft.table_name, draft.day, draft.part, revision),
        since_ts=now,
    )
    if found is Found.NOTHING:  # what was known before is lost, not superseded
        return [*others, line], line
    return [*others, replace(current, superseded_ts=now), line], line


def _found(lake: Lake, stage: Path, current: Part, draft: Part) -> Found:
    """Return what the lake holds of a part, beside what is to be landed."""
    body = lake.read(current.path)
    whole = body is not None and _is_whole(current, body)
    if current.hash == draft.hash:  # as it was landed, whatever has become of the file
        return Found.SAME if whole else Found.SAME_ROWS
    rows = None if body is None else _rows(current.path, current.part, body)
    if rows is None:
        return Found.NOTHING
    # A newer Parquet writer may write equal rows as other bytes.
    if rows.equals(read_part((stage / draft.path).read_bytes())):
        return Found.SAME if whole else Found.SAME_ROWS
    return Found.OTHERS if whole else Found.NOTHING


def taken_apart(
    lake: Lake, stage: Path, before: list[Part], after: list[Part]
) -> tuple[list[Part], list[tuple[Path, str]]]:
    """Give parts their own files back where one that lay with them has other rows now.

    A file that is damaged has nothing to give: its parts are missing then, each until it
    is landed again.
    """
    apart = {line.path for line in before if line.compacted and line not in after}
    bodies = {path: lake.read(path) for path in apart}
    lines: list[Part] = []
    restored: list[tuple[Path, str]] = []
    for line in after:
        if line.path in apart:
            body = bodies[line.path]
            whole = body is not None and _is_whole(line, body)
            rows = _rows(line.path, line.part, body) if body and whole else None
            if rows is not None:
                file = stage / f"restored-{len(restored)}"
                write_part(rows, file)
                line = replace(line, bytes=file.stat().st_size, hash=digest(file))
                restored.append((file, line.other_path))
            line = replace(line, path=line.other_path)
        lines.append(line)
    return lines, restored


def rows_of(lake: Lake, path: str, part: str) -> pa.Table | None:
    """Return the rows of a part, from its own file or from one it shares.

    None: the file is gone, or is damaged so that it cannot be read.
    """
    body = lake.read(path)
    return None if body is None else _rows(path, part, body)


def _is_whole(line: Part, body: bytes) -> bool:
    """Return whether a part's file has the bytes that the ledger says."""
    hash_ = hashlib.sha256(body).hexdigest()
    return is_whole(line.path, hash_) if line.compacted else line.hash == hash_


def _rows(path: str, part: str, body: bytes) -> pa.Table | None:
    try:
        if is_shared(path):
            return unpack(pa.BufferReader(body), part)
        return read_part(body)
    except (pa.ArrowInvalid, OSError):
        return None


def _unchanged(before: Sequence[Origin], now: Sequence[Origin]) -> bool:
    """Return whether all that was read before was read again, and is the same.

    >>> old = Origin("a", 1, "x")
    >>> _unchanged([old], [old, Origin("b", 1, "y")]), _unchanged([old], [Origin("a", 1, "z")])
    (True, False)
    """
    return all(one.hash is not None and one in now for one in before)
