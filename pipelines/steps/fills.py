"""This module lands fills of archives that are cut by the hour, an hour of fill time a part.

The archive cuts its files by arrival, so an hour is whole once its own file and the files
beside it have been read.  Files are read in order and an hour is landed as soon as a later file
has been read: three hours are held at a time, however long the range.  What an own node writes
is landed as :mod:`pipelines.steps.own_node_files` says.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path

from pipelines.landed import Landed, PartlyLanded
from pipelines.sources.archive import label_of
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.hourly_files import HourlyFiles, HourlyFills
from pipelines.sources.hourly_fills import KINDS, hourly_files, open_archive
from pipelines.sources.own_node import OWN_NODE
from pipelines.steps.fill_hours import FillHours
from pipelines.steps.hour_range import HourRange
from pipelines.steps.own_node_files import land_own_node
from warehouse.checks import guarded
from warehouse.contracts.tables import FILLS
from warehouse.store import Lake
from warehouse.store.asks import Ask

Progress = Callable[[str, int, int], None]


def land_hourly_fills(
    root: str,
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    source: str = "node_fills_by_block",
    progress: Progress | None = None,
    label: str | None = None,
) -> Landed:
    """Land the fills whose own time is in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder or URL of the lake.
    since, until
        UTC days; without them everything there is, what spills beyond the files' hours too.
    source
        Name of an archive, one of :data:`pipelines.sources.hourly_fills.KINDS`.  Of
        ``own_node`` the files of these days are landed, whatever the time of their fills.
    progress
        Called with what is done, how many are done, and of how many.
    label
        What rows and parts say of where they came from, instead of ``source``; those of a
        simulated venue say so anyway.

    Returns
    -------
    Landed
        An hour that the archive should have and has no file of is a gap.  Hours are landed
        once all files are read, as one step; what their records hold in fields that no adapter
        knows lands beside them, in ``unknown_fields``.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or nothing to land in a range that has an end open.
    PartlyLanded
        If a file is not as documented; names file, line and field.  The other files' fills have
        been landed, and its hour is asked for as failed.
    UnreachableError
        If the archive cannot be asked; nothing has been landed then.
    ValueError
        If there is no such source, or no day in the range; of kind
        :class:`~warehouse.checks.guard.Blocked`: an hour failed a stop check, and the others
        have been landed.
    """
    if since and until and since >= until:
        raise ValueError(f"since {since} must be before until {until}, which is exclusive")
    if source not in KINDS:
        raise ValueError(f"source {source!r}: must be one of {', '.join(KINDS)}")
    kind = KINDS[source]
    archive = open_archive(kind, root)
    label = label_of(root, label or source)
    files = hourly_files(kind, archive)
    if not files.paths:
        raise FileNotFoundError(f"root {root}: no {kind.layout}")
    span = HourRange(list(files.paths), since, until, kind.covers)
    if kind is OWN_NODE:
        landed = land_own_node(archive, files, span, lake, label, progress)
        return _told(landed, kind, label, files, span, set())
    landed = Landed(FILLS.name)
    failed: dict[datetime, ValueError] = {}
    unknown: Counter[str] = Counter()
    # While a file is parsed, the next is fetched and the hour before is written: 20 % faster on
    # two cores, more where the archive is far away.
    with guarded(lake) as batches, ThreadPoolExecutor(2) as helpers:
        hours = FillHours(span, batches, kind, label, landed, helpers)
        wanted = [files.paths[hour] for hour in span.reading]
        bodies = _one_ahead(helpers, partial(kind.read, archive), wanted)
        for number, (hour, body) in enumerate(zip(list(span.reading), bodies, strict=True)):
            path = files.paths[hour]
            if progress:
                progress(path, number, len(span.reading))
            try:
                rows, odd_fields = kind.to_rows(body.result(), path)
            except UnreachableError:
                raise
            except SourceError as error:
                failed[hour] = error
                continue
            unknown.update(odd_fields)
            hours.add(hour, path, rows, odd_fields, archive.origins(path))
        filled = hours.close()
        failed |= hours.failed
        if span.empty and not landed.rows and not (since and until):
            raise FileNotFoundError(
                f"root {root}: no {kind.layout} "
                f"from {since or 'the first day'} to {until or 'the last'}"
            )
    landed.files = batches.places.get(FILLS.name, [])
    if progress:
        progress("fills", len(span.reading), len(span.reading))
    landed.unknown_fields = dict(sorted(unknown.items()))
    landed = _told(landed, kind, label, files, span, filled)
    return _held_against(landed, kind, span, failed)


def _told(
    landed: Landed,
    kind: HourlyFills,
    label: str,
    files: HourlyFiles,
    span: HourRange,
    filled: set[datetime],
) -> Landed:
    """Add to ``landed`` what was asked for, what there was none of, and what was not read."""
    own = kind is OWN_NODE
    missing = set(span.missing())
    landed.gaps += [
        f"{label}: no file for {hour:%Y-%m-%d %H:%M} UTC" for hour in sorted(missing)
    ]
    landed.asked += [
        _ask(kind.name, hour, hour in missing, own or hour in filled) for hour in span
    ]
    landed.notes += [
        f"{label}: no file for {hour:%Y-%m-%d %H:%M} UTC, beside the range: fills of that "
        "hour and of the one next to it may be missing"
        for hour in (() if own else span.missing_beside())
    ]
    if files.odd:
        landed.notes.append(
            f"{label}: {len(files.odd)} files not read, their names are not documented: "
            f"{files.odd[0]}"
        )
    if files.doubled:
        landed.notes.append(
            f"{label}: {len(files.doubled)} files not read, their hours have another: "
            f"{files.doubled[0]}"
        )
    return landed


def _held_against(
    landed: Landed, kind: HourlyFills, span: HourRange, failed: dict[datetime, ValueError]
) -> Landed:
    """Return ``landed``, or raise it if files failed; their hours are asked for as failed."""
    if not failed:
        return landed
    hours = set(span)
    landed.asked = [
        Ask(one.table_name, one.source, one.day, one.hour, "failed", str(error))
        if (error := failed.get(_hour(one))) is not None
        else one
        for one in landed.asked
    ]
    landed.gaps += [str(error) for _, error in sorted(failed.items())]
    said = next(str(failed[hour]) for hour in sorted(failed))
    if not any(hour in hours for hour in failed):  # only beside the range
        landed.notes.append(f"beside the range: {said}")
        return landed
    more = f" (and {len(failed) - 1} more files)" if len(failed) > 1 else ""
    raise PartlyLanded(f"{said}{more}; the other hours were landed", [landed])


def _hour(ask: Ask) -> datetime:
    return datetime.combine(ask.day, time(ask.hour), UTC)


def _ask(source: str, hour: datetime, missing: bool, filled: bool) -> Ask:
    """Return what came of asking for an hour."""
    reason = None
    if missing:
        reason = "no file of this hour"
    elif not filled:
        reason = "its files hold no fill of this hour"
    outcome = "landed" if reason is None else "absent"
    return Ask(FILLS.name, source, hour.date(), hour.hour, outcome, reason)


def _one_ahead(
    helpers: Executor, read: Callable[[str], bytes], paths: list[str]
) -> Iterator[Future[bytes]]:
    """Yield what ``read`` will return for each path, having asked for the next one already."""
    coming: list[Future[bytes]] = []
    for path in paths:
        coming.append(helpers.submit(read, path))
        if len(coming) > 1:
            yield coming.pop(0)
    yield from coming
