"""This module lands the fills of the venue's nodes, an hour of fill time a part.

The archive cuts its files by arrival, so an hour is whole once its own file and the files
beside it have been read.  Files are read in order and an hour is landed as soon as a later file
has been read: three hours are held at a time, however long the range.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.landed import Landed
from pipelines.sources import node_fills
from pipelines.sources.archive import label_of
from pipelines.sources.node_fill_rows import to_fills
from pipelines.sources.node_fills import HOUR, PUBLISHED_AFTER
from pipelines.steps.first_known import first_known
from pipelines.steps.hour_range import HourRange
from pipelines.steps.staging import staged
from warehouse.contracts.table import TS
from warehouse.contracts.tables import FILLS
from warehouse.store import land

Progress = Callable[[str, int, int], None]


def land_node_fills(
    root: str,
    lake: Path,
    since: date | None = None,
    until: date | None = None,
    source: str = "node_fills_by_block",
    progress: Progress | None = None,
) -> Landed:
    """Land the fills whose own time is in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder of the lake.
    since, until
        UTC days; without them everything there is, what spills beyond the files' hours too.
    source
        What the rows and their parts say of where they came from.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    Landed
        An hour without a file is a gap.  Parts are landed all or none.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or nothing to land in a range that has an end open.
    SourceError
        If a line of a file is not as documented; names file, line and field.
    """
    if since and until and since >= until:
        raise ValueError(f"since {since} must be before until {until}, which is exclusive")
    archive = node_fills.node_fills(root)
    source = label_of(root, source)
    paths, odd = node_fills.hourly_files(archive)
    if not paths:
        raise FileNotFoundError(f"root {root}: no {node_fills.PREFIX}/YYYYMMDD/H.lz4")
    span = HourRange(list(paths), since, until)
    landed = Landed(FILLS.name)
    unknown: Counter[str] = Counter()
    # While a file is parsed, the next is fetched and the hour before is written: 20 % faster on
    # two cores, more where the archive is far away.
    with staged(Path(lake)) as stage, ThreadPoolExecutor(2) as helpers:
        hours = _Hours(span, Path(lake), stage, source, landed, helpers)
        wanted = [paths[hour] for hour in span.reading]
        bodies = _one_ahead(helpers, partial(node_fills.read, archive), wanted)
        for number, (hour, body) in enumerate(zip(span.reading, bodies, strict=True)):
            if progress:
                progress(paths[hour], number, len(span.reading))
            rows, odd_fields = to_fills(body, paths[hour])
            unknown += odd_fields
            hours.add(hour, rows)
        hours.close()
        if span.empty and not landed.rows and not (since and until):
            raise FileNotFoundError(
                f"root {root}: no {node_fills.PREFIX}/YYYYMMDD/H.lz4 "
                f"from {since or 'the first day'} to {until or 'the last'}"
            )
    if progress:
        progress("fills", len(span.reading), len(span.reading))
    landed.unknown_fields = dict(sorted(unknown.items()))
    landed.gaps = [
        f"{source}: no file for {hour:%Y-%m-%d %H:%M} UTC" for hour in span.missing()
    ]
    landed.notes += [
        f"{source}: no file for {hour:%Y-%m-%d %H:%M} UTC, beside the range: fills of that "
        "hour and of the one next to it may be missing"
        for hour in span.missing_beside()
    ]
    if odd:
        landed.notes.append(
            f"{source}: {len(odd)} files not read, their names are not documented: {odd[0]}"
        )
    return landed


def _one_ahead(
    helpers: Executor, read: Callable[[str], bytes], paths: list[str]
) -> Iterator[bytes]:
    """Yield what ``read`` returns for each path, having asked for the next one already."""
    coming: list[Future[bytes]] = []
    for path in paths:
        coming.append(helpers.submit(read, path))
        if len(coming) > 1:
            yield coming.pop(0).result()
    for last in coming:
        yield last.result()


class _Hours:
    """Fills on their way to their hours' parts."""

    def __init__(
        self,
        span: HourRange,
        lake: Path,
        stage: Path,
        source: str,
        landed: Landed,
        helpers: Executor,
    ) -> None:
        self._span, self._lake, self._stage = span, lake, stage
        self._source, self._landed = source, landed
        self._waiting: dict[datetime, list[pa.Table]] = {}
        self._written: dict[datetime, int] = {}
        self._strays = self._outside = self._disagreeing = 0
        self._helpers, self._writing = helpers, Future[None]()
        self._writing.set_result(None)

    def add(self, file: datetime, rows: pa.Table) -> None:
        """Take the rows of one file, and land the hours that no later file can add to."""
        count = rows.num_rows
        rows = rows.append_column("source", pa.repeat(self._source, count))
        known = pa.scalar(file + PUBLISHED_AFTER, TS)
        rows = rows.append_column("known_ts", pa.repeat(known, count))
        for hour, some in _by_hour(rows):
            if self._span.holds(hour):
                self._waiting.setdefault(hour, []).append(some)
                if self._span.between(hour, file):
                    self._strays += some.num_rows
            elif abs(hour - file) > HOUR:
                self._outside += some.num_rows
        self._write([hour for hour in self._waiting if hour < file])

    def close(self) -> None:
        """Land what still waits, and say in ``landed`` what was done."""
        self._write(list(self._waiting))
        self._writing.result()
        self._landed.files = [self._place(self._lake, hour) for hour in sorted(self._written)]
        self._landed.rows = sum(self._written.values())
        if self._disagreeing:
            self._landed.notes.append(
                f"{self._source}: {self._disagreeing} duplicates disagreed with the row that "
                "was known first, which was kept"
            )
        if self._strays:
            self._landed.notes.append(
                f"{self._source}: {self._strays} fills were in a file that is not next to "
                "their hour; landing only a part of this range may miss them"
            )

        if self._outside:
            self._landed.notes.append(
                f"{self._source}: {self._outside} fills lie outside the range and more than an "
                "hour from the hour of their file; they were not landed"
            )

    def _write(self, hours: list[datetime]) -> None:
        """Land hours beside the reading of the next file, one after the other."""
        for hour in sorted(hours):
            self._writing.result()
            self._writing = self._helpers.submit(self._settle, hour, self._waiting.pop(hour))

    def _settle(self, hour: datetime, tables: list[pa.Table]) -> None:
        """Land the rows of ``hour``."""
        if hour in self._written:
            tables.append(_part(self._place(self._stage, hour)))
        kept = first_known(*_hinted(tables))
        self._landed.duplicates += kept.duplicates
        self._disagreeing += kept.disagreeing
        rows, before = kept.rows, self._place(self._lake, hour)
        # An hour whose files are not all there may have been landed from more of them: an
        # archive's mirror that keeps the last days only must not thin out the lake.
        if not self._span.whole(hour) and hour not in self._written and before.exists():
            rows = first_known(*_hinted([rows, _part(before)])).rows
        land(self._stage, FILLS, rows, self._name(hour))
        self._written[hour] = rows.num_rows

    def _name(self, hour: datetime) -> str:
        return f"{self._source}-{hour:%H}"

    def _place(self, lake: Path, hour: datetime) -> Path:
        return lake / FILLS.name / f"day={hour:%Y-%m-%d}" / f"{self._name(hour)}.parquet"


def _by_hour(rows: pa.Table) -> Iterator[tuple[datetime, pa.Table]]:
    """Yield the rows of each hour of fill time, in order of time."""
    hours = pc.divide(rows["time_ts"].cast(pa.int64()), HOUR // HOUR.resolution)
    for number in sorted(pc.unique(hours).to_pylist()):
        hour = datetime.fromtimestamp(number * HOUR.total_seconds(), UTC)
        yield hour, rows.filter(pc.equal(hours, number))


def _hinted(tables: list[pa.Table]) -> tuple[pa.Table, tuple[str, ...], np.ndarray]:
    """Return rows as :func:`first_known` takes them; the sides of a trade share its id."""
    rows = pa.concat_tables([table.select(FILLS.schema.names) for table in tables])
    buys = rows["is_buy"].to_numpy().astype(np.int64)
    return rows, FILLS.grain, rows["trade_id"].to_numpy() * 2 + buys


def _part(path: Path) -> pa.Table:
    """Return the rows of a part, without its promises, which rows to be landed do not make."""
    rows = pq.ParquetFile(path).read()
    return pa.table(dict(zip(rows.column_names, rows.columns, strict=True)))
