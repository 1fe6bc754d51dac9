"""This module compacts closed days: the parts of a table and day become one file.

Every part keeps its line in the ledger, with what it was read from and the hash it was landed
with; its ``path`` then names the file it shares.  So a batch that is landed again is still
known to be there, and one that its source corrects is taken out exactly
(:mod:`warehouse.store.compacted`).  Parts that were ever corrected keep files of their own: a
reader of the past needs their spans apart.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from time import sleep

import pyarrow as pa

from warehouse.contracts.table import Table
from warehouse.contracts.tables import LIQUIDATION_LEVELS, TABLES
from warehouse.store.compacted import is_whole, pack, unpack
from warehouse.store.lake import Lake, NoLake
from warehouse.store.ledger import Part, as_parts, change, parts_of
from warehouse.store.orphans import orphans_of, remove_unlisted
from warehouse.store.parts import shared_path, write_part

# A reader that opened the lake before the swap reads the old files: a query of minutes is rare.
GRACE = timedelta(seconds=60)


@dataclass(slots=True)
class Compacted:
    """What a compaction did.

    Attributes
    ----------
    files
        Compacted files that were made, one a table and day (and version of its contract).
    parts
        Parts that lie in them.
    rows
        Rows in them.
    bytes_before, bytes_after
        Of the files they lay in, and lie in.
    removed
        Files nobody lists any more, or ever did, that were removed.
    damaged
        Days left as they are, one sentence each, for a file of theirs is missing or damaged.
    """

    files: int = 0
    parts: int = 0
    rows: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    removed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


class _Damaged(Exception):
    """A file is not what the ledger says."""


def compact(
    where: Lake | Path | str,
    now: datetime,
    since: date | None = None,
    until: date | None = None,
    tables: Iterable[str] = (),
    grace: timedelta = GRACE,
    wait: Callable[[float], None] = sleep,
    orphan_age: timedelta = timedelta(hours=1),
) -> Compacted:
    """Compact the closed days in ``[since, until)``; safe to repeat, and beside others.

    Parameters
    ----------
    where
        The lake.
    now
        A UTC day is closed once it is over.
    since, until
        UTC days; every closed one without them.
    tables
        Names; all tables without.
    grace
        How long replaced files stay for readers that opened the lake before.
    wait
        Sleeps so many seconds.
    orphan_age
        Files that no line of the ledger names are of a writer that was killed, if they are at
        least this old and still unnamed when the grace is over.

    Raises
    ------
    NoLake
        If there is no lake.
    ValueError
        If a table is not one of the contracts.
    """
    lake = Lake.at(where)
    if not lake.exists():
        raise NoLake(f"no lake at {lake}")
    contracts = _wanted(tables)
    end = min(until or now.date(), now.date())
    done = Compacted()
    with lake.stage():  # sweeps up what killed writers left, also when there is nothing to do
        pass
    gone = orphans_of(lake, contracts, now - orphan_age)
    for lines in _groups(lake, contracts, since or date.min, end):
        gone |= _compact(lake, contracts[lines[0].table_name], lines, done)
    if gone:
        wait(grace.total_seconds())
        done.removed = remove_unlisted(lake, gone)
    return done


def _wanted(names: Iterable[str]) -> dict[str, Table]:
    known = {table.name: table for table in TABLES}
    names = list(names) or list(known)
    if odd := [name for name in names if name not in known]:
        raise ValueError(f"table {odd[0]!r} is not one of {', '.join(known)}")
    return {name: known[name] for name in names}


def _groups(
    lake: Lake, tables: Iterable[str], since: date, until: date
) -> Iterator[list[Part]]:
    """Yield the parts that belong in one file and do not lie in one yet."""
    # Levels are of files that are renamed here: they are made anew, in one piece.
    wanted = set(tables) - {LIQUIDATION_LEVELS.name}
    lines = as_parts(parts_of(lake))
    corrected = {line.key for line in lines if line.since_ts or line.superseded_ts}
    open_ = [
        line
        for line in lines
        if line.table_name in wanted and since <= line.day < until and line.key not in corrected
    ]

    def together(line: Part) -> tuple[str, date, int]:
        return line.table_name, line.day, line.contract

    for _, some in groupby(sorted(open_, key=together), together):
        group = sorted(some, key=lambda line: line.key)
        if len(group) > 1 and len({line.path for line in group}) > 1:
            yield group


def _compact(lake: Lake, table: Table, lines: list[Part], done: Compacted) -> set[str]:
    """Compact parts, and return the files that nobody lists any more."""
    with lake.stage() as stage:
        try:
            sources = _fetched(lake, lines, stage)
        except _Damaged as error:
            done.damaged.append(f"{table.name} of {lines[0].day}: {error}")
            return set()
        draft = stage / "compacted.parquet"
        hash_ = pack(table, [(part, file) for part, file, _ in sources], draft)
        path = shared_path(table.name, lines[0].day, hash_)
        size = draft.stat().st_size
        entered = False

        def listed(before: list[Part]) -> list[Part]:
            nonlocal entered
            # Somebody landed one of them meanwhile: the next run takes it along.
            entered = before == lines
            if not entered:
                return before
            lake.publish([(draft, path)])
            return [replace(line, path=path) for line in lines]

        change(lake, [line.key for line in lines], listed)
    if not entered:
        return set()
    done.files += 1
    done.parts += len(lines)
    done.rows += sum(line.rows for line in lines)
    done.bytes_before += sum(
        {line.path: size for line, (_, _, size) in zip(lines, sources, strict=True)}.values()
    )
    done.bytes_after += size
    return {line.path for line in lines} - {path}


def _fetched(lake: Lake, lines: list[Part], stage: Path) -> list[tuple[str, Path, int]]:
    """Return name and file of each part, as they were landed, and the bytes it lay in."""
    found = []
    read: tuple[str, bytes] | None = None
    for number, line in enumerate(sorted(lines, key=lambda line: line.path)):
        if read is None or read[0] != line.path:
            read = line.path, _whole(lake, line)
        body, file = read[1], stage / f"{number}.parquet"
        if line.compacted:
            try:
                write_part(unpack(pa.BufferReader(body), line.part), file)
            except pa.ArrowInvalid as error:
                raise _Damaged(f"{lake.place(line.path)} {error}") from error
        else:
            file.write_bytes(body)
        found.append((line.part, file, len(body)))
    return sorted(found)


def _whole(lake: Lake, line: Part) -> bytes:
    """Return a file's bytes, if they are what the ledger says."""
    body = lake.read(line.path)
    if body is None:
        raise _Damaged(f"{lake.place(line.path)} is missing")
    hash_ = hashlib.sha256(body).hexdigest()
    if not (is_whole(line.path, hash_) if line.compacted else hash_ == line.hash):
        raise _Damaged(f"{lake.place(line.path)} is damaged")
    return body
