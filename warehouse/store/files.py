"""This module looks whether the files that the ledger lists are there, whole and heard of."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contracts.coins import COINS, TOLD_BY
from warehouse.store import coins
from warehouse.store.compacted import is_whole
from warehouse.store.lake import Lake, NoLake
from warehouse.store.ledger import Part, as_parts, parts_of

LOST, DAMAGED, UNHEARD = "lost", "damaged", "unheard"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that the ledger lists and that is not what it says.

    Attributes
    ----------
    table_name, day, path
        Which file.
    state
        ``lost``: there is none; ``damaged``: it has other bytes than were written;
        ``unheard``: it tells of a coin that the lake does not know, or not from so early on.
    parts
        Names of the parts that lie in it: what has to be landed again.
    rows
        How many rows they had.
    """

    table_name: str
    day: date
    path: str
    state: str
    parts: tuple[str, ...]
    rows: int


def lost_files(lake: Lake) -> list[BadFile]:
    """Return the files that are listed and gone; none is opened.

    Raises
    ------
    NoLake
        If there is no lake.
    """
    listed = _listed(lake)
    tables = {lines[0].table_name for lines in listed.values()}
    there = {path for table in tables for path in lake.sizes(table)}
    return [_bad(lines, LOST) for path, lines in listed.items() if path not in there]


def bad_files(
    lake: Lake,
    since: date | None = None,
    until: date | None = None,
    table: str | None = None,
    progress: Progress | None = None,
) -> tuple[list[BadFile], int]:
    """Read files, and return those that are not as they must be, and how many were looked at.

    Parameters
    ----------
    lake
        Whose files.
    since, until
        UTC days ``[since, until)``; all without.
    table
        Only its files.
    progress
        Called with the path, how many are done, and of how many.

    Raises
    ------
    NoLake
        If there is no lake.
    """
    listed = _listed(lake, since, until, table)
    found, heard = [], coins.coins_of(lake)
    for number, (path, lines) in enumerate(listed.items()):
        if progress:
            progress(path, number, len(listed))
        if (body := lake.read(path)) is None:
            found.append(_bad(lines, LOST))
        elif not _as_landed(lines[0], hashlib.sha256(body).hexdigest()):
            found.append(_bad(lines, DAMAGED))
        elif not coins.covers(heard, _told(lines, body)):
            found.append(_bad(lines, UNHEARD))
    if progress:
        progress("looked at", len(listed), len(listed))
    return found, len(listed)


def _listed(
    lake: Lake, since: date | None = None, until: date | None = None, table: str | None = None
) -> dict[str, list[Part]]:
    """Return the files that the ledger lists, in order, with the lines of each."""
    if not lake.exists():
        raise NoLake(f"no lake at {lake}: `undertow ingest` or `undertow demo` makes one")
    files: dict[str, list[Part]] = {}
    for line in sorted(as_parts(parts_of(lake)), key=lambda line: (line.key, line.revision)):
        if (
            (since is None or line.day >= since)
            and (until is None or line.day < until)
            and table in {None, line.table_name}
        ):
            files.setdefault(line.path, []).append(line)
    return files


def _told(lines: list[Part], body: bytes) -> pa.Table:
    """Return the coins that a file tells of; of parts that share one, as the latest was."""
    table = next((one for one in TOLD_BY if one.name == lines[0].table_name), None)
    if table is None:
        return COINS.schema.empty_table()
    held = pq.ParquetFile(pa.BufferReader(body))
    names = {"coin", table.time, "known_ts", "interval"} & set(table.schema.names)
    told = coins.told_of(table, held.read(columns=sorted(names)))
    since = [line.since_ts for line in lines if line.since_ts is not None]
    return coins.received(told, max(since, default=None))


def _as_landed(line: Part, hash_: str) -> bool:
    return is_whole(line.path, hash_) if line.compacted else hash_ == line.hash


def _bad(lines: list[Part], state: str) -> BadFile:
    first = lines[0]
    names = tuple(line.part for line in lines)
    rows = sum(line.rows for line in lines)
    return BadFile(first.table_name, first.day, first.path, state, names, rows)
