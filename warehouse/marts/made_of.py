"""This module says which files a day's levels are made of, and which levels are current.

A part of ``liquidation_levels`` is a piece of its day: the snapshots of a span of time.  Its
name says the span, and ends in a digest of the paths it was made from.  A map is of nothing
from after its moment, so files whose first row comes after the piece have no part in it, and
what lands as a day goes on leaves the pieces of before as they are.  No path ever gets other
rows, so a piece whose digest is that of today's paths says what the rows say; others are not
shown, and maps are then made from the rows.  A compaction renames what it packs: the nightly
run makes levels after it, a day in one piece.

What a piece was made from goes by need, and the name says which it was.  Complete snapshots
are made of the day's own positions; sweeps also of what accounts answered in the days before,
and of the contexts that tell a mark.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.store.parts import part_named

# Tables that a map is read from: of complete snapshots, and where sweeps merge.
WHOLE, MERGED = "whole", "merged"
READ = {
    WHOLE: ("positions", "snapshots"),
    MERGED: ("accounts", "asset_contexts", "positions", "snapshots"),
}
# Raised when levels of the same rows are to say something else.
VERSION = 5
# A sweep just after midnight merges answers of 26 hours before.
DAYS_BACK = 2
BACK = {WHOLE: 0, MERGED: DAYS_BACK}
US = timedelta(microseconds=1)
_NAME = re.compile(rf"levels-({WHOLE}|{MERGED})-(\d{{1,11}})-(\d{{1,11}})-[0-9a-f]{{16}}")


class File(NamedTuple):
    """A file that counts.

    Attributes
    ----------
    path
        In the lake.
    first, last
        Times of its first row, and of its last.
    """

    path: str
    first: datetime
    last: datetime

    @property
    def table(self) -> str:
        """Return the table whose rows it holds."""
        return self.path.partition("/")[0]


class Piece(NamedTuple):
    """Snapshots of a day that are binned together.

    Attributes
    ----------
    need
        ``WHOLE``: no sweep answers among them; else ``MERGED``.
    since, until
        Of the snapshots: half-open, µs of the UTC day.
    """

    need: str
    since: int
    until: int


def files_by_day(held: pa.Table) -> dict[date, list[File]]:
    """Return the files that maps are read from, by day.

    Parameters
    ----------
    held
        Lines of the ledger: ``table_name``, ``day``, ``path``, ``min_ts``, ``max_ts``,
        ``superseded_ts`` at least.
    """
    read = pc.is_in(held["table_name"], pa.array(READ[MERGED]))
    some = held.filter(pc.and_(read, pc.is_null(held["superseded_ts"])))
    # Parts that lie in one file have a line each.
    some = some.group_by(["day", "path"]).aggregate([("min_ts", "min"), ("max_ts", "max")])
    out: dict[date, list[File]] = defaultdict(list)
    columns = (some[name].to_pylist() for name in ("day", "path", "min_ts_min", "max_ts_max"))
    for day, *file in zip(*columns, strict=True):
        out[day].append(File(*file))
    return out


def part_of(files: Mapping[date, Iterable[File]], day: date, piece: Piece) -> str:
    """Return the name of the part that holds a piece of a day's levels, made from ``files``.

    Parameters
    ----------
    files
        Of :func:`files_by_day`.
    day
        UTC.
    piece
        Which of its snapshots.

    >>> day, before = date(2026, 1, 2), date(2025, 12, 31)
    >>> noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    >>> seen, said = File("positions/a", noon, noon), File("accounts/b", noon, noon)
    >>> whole, merged = (Piece(need, 0, 43_200_000_001) for need in (WHOLE, MERGED))
    >>> part_of({day: [seen]}, day, whole) == part_of({day: [seen, said]}, day, whole)
    True
    >>> more = {day: [seen], before: [said]}
    >>> part_of({day: [seen]}, day, merged) == part_of(more, day, merged)
    False
    >>> later = said._replace(first=noon + US)
    >>> part_of({day: [seen]}, day, merged) == part_of({day: [seen, later]}, day, merged)
    True
    """
    until = moment_of(day, piece.until)
    read = sorted(
        {
            one.path
            for each in _days(day, piece.need)
            for one in files.get(each, ())
            if one.table in READ[piece.need] and one.first < until
        }
    )
    told = "\n".join((str(VERSION), *read))
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    return f"levels-{piece.need}-{piece.since}-{piece.until}-{digest}"


def piece_of(part: str) -> Piece | None:
    """Return what a part of levels holds, by its name; None: it is of another version.

    >>> piece_of("levels-whole-0-43200000001-0123456789abcdef")
    Piece(need='whole', since=0, until=43200000001)
    """
    said = _NAME.fullmatch(part)
    return Piece(said[1], int(said[2]), int(said[3])) if said else None


def moment_of(day: date, us: int) -> datetime:
    """Return the moment so many µs after a UTC day began."""
    return datetime.combine(day, time(), UTC) + us * US


def standing(
    files: Mapping[date, Iterable[File]], day: date, parts: Iterable[str]
) -> dict[str, Piece]:
    """Return those of a day's parts that say what the rows say, in order of time.

    Together they hold every snapshot from midnight to the end of the last, each once.

    Parameters
    ----------
    files, day
        As in :func:`part_of`.
    parts
        Names of those that are held.
    """
    named = [(piece, part) for part in parts if (piece := piece_of(part))]
    found: dict[str, Piece] = {}
    end = 0
    # Of two that begin together, made beside each other, the longer.
    for piece, part in sorted(named, key=lambda one: (one[0].since, -one[0].until)):
        if piece.since == end and part == part_of(files, day, piece):
            found[part] = piece
            end = piece.until
    return found


def _days(day: date, need: str) -> list[date]:
    return [day - timedelta(days=back) for back in range(BACK[need] + 1)]


def current(held: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the lines without levels that are not current, and the days of those that are.

    Parameters
    ----------
    held
        As :func:`files_by_day` takes it, with ``since_ts``.

    Returns
    -------
    held
        The lines to show.
    days
        ``day``, and ``revised``: a file that the levels are made of was ever corrected, so
        that what was knowable cannot be told from them.
    """
    ours = pc.equal(held["table_name"], LIQUIDATION_LEVELS.name)
    lines = held.filter(ours)
    needs: dict[date, set[str]] = {}
    if lines.num_rows:
        parts = [part_named(path) for path in lines["path"].to_pylist()]
        of = lines["day"].to_pylist()
        made: dict[date, list[str]] = defaultdict(list)
        for day, part in zip(of, parts, strict=True):
            made[day].append(part)
        files = files_by_day(held)
        shown = {day: standing(files, day, some) for day, some in made.items()}
        needs = {
            day: {one.need for one in some.values()} for day, some in shown.items() if some
        }
        fresh = [part in shown[day] for day, part in zip(of, parts, strict=True)]
        held = pa.concat_tables(
            [held.filter(pc.invert(ours)), lines.filter(pa.array(fresh, pa.bool_()))]
        )
    days = sorted(needs)
    corrected = held.filter(
        pc.or_(pc.is_valid(held["since_ts"]), pc.is_valid(held["superseded_ts"]))
    )
    told = set(
        zip(corrected["table_name"].to_pylist(), corrected["day"].to_pylist(), strict=True)
    )
    revised = [
        any(
            (table, each) in told
            for need in needs[day]
            for table in READ[need]
            for each in _days(day, need)
        )
        for day in days
    ]
    return held, pa.table(
        {"day": days, "revised": revised},
        schema=pa.schema([("day", pa.date32()), ("revised", pa.bool_())]),
    )
