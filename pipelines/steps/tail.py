"""This module follows the files that an own node writes, and lands their lines as they come."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.archive import Archive, label_of
from pipelines.sources.hourly_fills import HOUR, hourly_files, open_archive
from pipelines.sources.own_node import OWN_NODE, PACKED, read_tail
from pipelines.steps.own_node_files import OwnNodeFiles
from warehouse.checks import guarded
from warehouse.contracts.tables import FILLS
from warehouse.store import Lake

# Seconds from one look to the next.  Each look that finds fills makes one part: 60 an hour are
# a ledger's worth that a night's compaction keeps small.
EVERY = 60.0
DAY = timedelta(days=1)


def tail(
    root: str,
    lake: Lake | Path | str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    until: datetime | None = None,
    every: float = EVERY,
    told: Callable[[Landed], None] | None = None,
) -> Landed:
    """Land new whole lines of an own node's files, look after look; safe to kill and repeat.

    It goes on where the ledger ends: with the newest file that the lake holds something of and
    the one before; in a lake without any, with the newest file there is (older ones are for
    :func:`pipelines.steps.fills.land_hourly_fills`).

    Parameters
    ----------
    root
        Folder of this machine above the node's own paths.
    lake
        Folder or URL of the lake.
    clock, sleep
        What time it is, and how to wait so many seconds.
    until
        After the first look at this time or later it ends; null: never.
    every
        Seconds between looks.
    told
        Called after each look with what it landed.

    Returns
    -------
    Landed
        Of all looks.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no folder of fills in it.
    SourceError
        If a line is not as documented, a file is shorter than what was landed of it, or one
        that two later hours' files follow ends within a line.
    """
    archive = open_archive(OWN_NODE, root)
    if "://" in archive.root:
        raise ValueError(f"root {root}: an own node's files must be on this machine")
    following = _Following(archive, Lake.at(lake), label_of(root, OWN_NODE.name), clock)
    whole = Landed(FILLS.name)
    while True:
        now = clock()
        landed = following.look()
        whole.add(landed)
        if told:
            told(landed)
        if until is not None and now >= until:
            return whole
        sleep(every)


class _Following:
    """Which files are watched, and how far they have been read."""

    def __init__(
        self, archive: Archive, lake: Lake, label: str, clock: Callable[[], datetime]
    ) -> None:
        self._archive, self._lake, self._label = archive, lake, label
        self._clock = clock
        self._own = OwnNodeFiles(lake, archive, label, Landed(FILLS.name))
        self._offsets: dict[datetime, int] = {}
        newest = self._own.newest
        # Of the hour before, the end may be missing.
        self._first = None if newest is None else newest - HOUR

    def look(self) -> Landed:
        """Land what is new in the watched files, as one step."""
        landed = Landed(FILLS.name)
        paths = hourly_files(OWN_NODE, self._archive).paths
        if not paths:
            return landed
        if self._first is None:
            self._first = max(paths)
        # A file holds fills of the hours about it; the ledger's other days are not read.
        first, last = self._first.date() - DAY, max(paths).date() + DAY
        self._own.begin(landed, {first + n * DAY for n in range((last - first).days + 1)})
        watched = [hour for hour in paths if hour >= self._first]
        # A node may still write to the file of the hour before.
        open_ = watched[-2:]
        with guarded(self._lake, self._clock) as batches:
            for hour in watched:
                offset, lines = self._new(hour, paths[hour], hour in open_)
                self._own.land(batches, hour, paths[hour], offset, lines)
                self._offsets[hour] = offset + len(lines)
            self._own.say_news()
        landed.files = batches.places.get(FILLS.name, [])
        self._first = open_[0] if open_ else self._first
        self._offsets = {hour: self._offsets[hour] for hour in open_}
        return landed

    def _new(self, hour: datetime, path: str, is_open: bool) -> tuple[int, bytes]:
        """Return where a file goes on, and its whole lines from there."""
        seen = hour in self._offsets
        if not is_open or not seen or path.endswith(PACKED):
            # Read whole, so that what was landed of it is held against it.
            offset, lines = self._own.rest(hour, path, still_written=is_open)
            ahead = self._offsets.get(hour, offset) - offset
            return (offset + ahead, lines[ahead:]) if ahead > 0 else (offset, lines)
        offset = max(self._offsets[hour], self._own.offset(hour))
        return offset, read_tail(Path(self._archive.root, path), offset)[0]
