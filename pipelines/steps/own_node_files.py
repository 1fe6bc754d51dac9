"""This module lands what an own node writes, a stretch of bytes of an hour's file a part.

A file grows while it is read.  Its part is named after the file and the byte it begins at, and
the ledger keeps, as the part's origin, the bytes it was made of.  Whoever lands next, the tail
every minute or the batch once, goes on where the ledger ends: no row is landed twice, and the
parts of a file together are what one landing of the whole would be.

Files hold fills by the time the node wrote them, so a part's day is that of its fills and its
name has the day of its file.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landed import Landed
from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import HourlyFiles
from pipelines.sources.own_node import OWN_NODE, PACKED, whole_lines
from pipelines.steps.fill_hours import joined
from pipelines.steps.given_fills import GivenFills
from pipelines.steps.hour_range import HourRange
from pipelines.steps.unknown_rows import fields_in, news, unknown_rows
from warehouse.checks import guarded
from warehouse.contracts.tables import FILLS, UNKNOWN_FIELDS
from warehouse.store import Lake, Landing, Origin, parts_of
from warehouse.store.ledger import Part, as_parts

Progress = Callable[[str, int, int], None]
_NAME = re.compile(r"-(\d{8}t\d\d)-(\d{12})$")


def part_name(label: str, hour: datetime, offset: int) -> str:
    """Return the name of the part that begins at byte ``offset`` of the file of ``hour``.

    >>> part_name("own_node", datetime(2025, 10, 10, 7, tzinfo=UTC), 512)
    'own_node-20251010t07-000000000512'
    """
    return f"{label}-{hour:%Y%m%dt%H}-{offset:012d}"


def land_own_node(
    archive: Archive,
    files: HourlyFiles,
    span: HourRange,
    lake: Lake | Path | str,
    label: str,
    progress: Progress | None = None,
) -> Landed:
    """Land what is not landed yet of the files of a range.

    Raises
    ------
    SourceError
        If a line is not as documented, or a file is not what was landed of it before.
    """
    landed = Landed(FILLS.name)
    hours = [hour for hour in files.paths if span.holds(hour)]
    with guarded(lake) as batches:
        own = OwnNodeFiles(batches.lake, archive, label, landed)
        for number, hour in enumerate(hours):
            if progress:
                progress(files.paths[hour], number, len(hours))
            own.land(batches, hour, files.paths[hour], *own.rest(hour, files.paths[hour]))
        own.say_news()
    landed.files = batches.places.get(FILLS.name, [])
    if progress:
        progress("fills", len(hours), len(hours))
    return landed


class OwnNodeFiles:
    """What of a node's files is in a lake, and the landing of more.

    Parameters
    ----------
    lake, archive
        Where parts are, and where the files.
    label
        What rows and parts say of where they came from.
    landed
        Told what is done.
    """

    def __init__(self, lake: Lake, archive: Archive, label: str, landed: Landed) -> None:
        self._lake, self._archive, self._label = lake, archive, label
        self._lines: dict[datetime, dict[int, list[Part]]] = {}
        self._given = GivenFills()
        self._found: Counter[str] = Counter()
        self.begin(landed)

    @property
    def newest(self) -> datetime | None:
        """Return the hour of the newest file that the lake holds something of."""
        return max(self._lines, default=None)

    def begin(self, landed: Landed, days: Collection[date] | None = None) -> None:
        """Read in the ledger what of some days, or all, is landed; tell ``landed`` the rest."""
        self._landed = landed
        lines = parts_of(self._lake, days)
        ours = pc.and_(
            pc.equal(lines["table_name"], FILLS.name),
            pc.starts_with(lines["part"], pattern=f"{self._label}-"),
        )
        self._lines = {}
        for line in as_parts(lines.filter(ours)):
            if (name := _NAME.search(line.part)) and line.superseded_ts is None:
                hour = datetime.strptime(name[1], "%Y%m%dt%H").replace(tzinfo=UTC)
                stretches = self._lines.setdefault(hour, {})
                stretches.setdefault(int(name[2]), []).append(line)

    def offset(self, hour: datetime) -> int:
        """Return the byte of the file of ``hour`` that the lake's rows end before."""
        return max((end for _, end, _ in self._stretches(hour)), default=0)

    def rest(self, hour: datetime, path: str, still_written: bool = False) -> tuple[int, bytes]:
        """Return where a file goes on, and its whole lines from there.

        One that is ``still_written`` may end within a line, whatever follows it.

        Raises
        ------
        SourceError
            If it does not begin with the bytes that were landed of it.
        """
        if still_written and not path.endswith(PACKED):
            body = whole_lines(self._archive.read(path))
        else:
            body = OWN_NODE.read(self._archive, path)
        for start, end, hash_ in self._stretches(hour):
            if hashlib.sha256(body[start:end]).hexdigest() != hash_:
                raise SourceError(
                    f"{path}: bytes {start} to {end} must be those that were landed, but the "
                    "file was cut short or changed"
                )
        return self.offset(hour), body[self.offset(hour) :]

    def land(
        self, batches: Landing, hour: datetime, path: str, offset: int, lines: bytes
    ) -> None:
        """Draft the rows of whole ``lines``, which begin at byte ``offset`` of a file."""
        if not lines:
            return
        named = f"{path} from byte {offset}" if offset else path
        rows, unknown = OWN_NODE.to_rows(lines, named)
        for name, count in unknown.items():
            counts = self._landed.unknown_fields
            counts[name] = counts.get(name, 0) + count
        if not rows.num_rows:
            return
        rows = rows.append_column("source", pa.repeat(self._label, rows.num_rows))
        rows = rows.append_column("known_ts", OWN_NODE.known_ts(hour, rows["time_ts"]))
        end = offset + len(lines)
        url = f"{self._archive.root.rstrip('/')}/{path}#bytes={offset}-{end}"
        origin = Origin(url, len(lines), hashlib.sha256(lines).hexdigest())
        part = part_name(self._label, hour, offset)
        odd = unknown_rows(unknown, rows, self._label, FILLS.name, named, FILLS.time)
        if odd.num_rows:
            batches.land(UNKNOWN_FIELDS, odd, part, [origin])
            self._found += fields_in(odd["fields"])
        once = self._given.fresh(batches, hour, self._lines, joined(FILLS, [rows]))
        self._landed.duplicates += rows.num_rows - once.num_rows
        rows = once
        if rows.num_rows:
            batches.land(FILLS, rows, part, [origin])
            self._landed.rows += rows.num_rows

    def say_news(self) -> None:
        """Note the fields that are new to the lake; before the landing ends."""
        self._landed.notes += [
            note
            for note in news(self._lake, self._label, FILLS.name, self._found)
            if note not in self._landed.notes
        ]
        self._found.clear()

    def _stretches(self, hour: datetime) -> list[tuple[int, int, str | None]]:
        """Return begin, end and hash of what is landed of the file of ``hour``."""
        some = []
        for start, lines in sorted(self._lines.get(hour, {}).items()):
            (origin,) = lines[0].origins
            some.append((start, start + (origin.size or 0), origin.hash))
        return some
