"""This module plans which hourly files are read to land a range of hours.

Files are cut by arrival: what belongs to an hour may have arrived in a file beside it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from pipelines.sources.hourly_files import HOUR


class HourRange:
    """Which hours are landed and which files are read for them.

    Parameters
    ----------
    files
        Hours that have a file, in order, at least one.
    since, until
        UTC days; the hours of ``[since, until)`` are landed, all hours without them.
    covers
        First and last hour that there should be a file of; a last of null: it still grows.

    Attributes
    ----------
    reading
        Files to read, in order.
    empty
        Whether none of them is inside the range.
    """

    def __init__(
        self,
        files: list[datetime],
        since: date | None,
        until: date | None,
        covers: tuple[datetime, datetime | None] | None = None,
    ) -> None:
        self._files = files
        self._covers = covers
        self._first = None if since is None else datetime.combine(since, time(), UTC)
        self._end = None if until is None else datetime.combine(until, time(), UTC)
        low = bisect_left(files, self._first) if self._first else 0
        high = bisect_left(files, self._end) if self._end else len(files)
        self.empty = low == high
        # What arrived late or early is in the nearest file on either side.
        self.reading = files[max(low - 1, 0) : high + 1]

    def holds(self, hour: datetime) -> bool:
        """Return whether fills of ``hour`` are landed."""
        return (self._first is None or hour >= self._first) and (
            self._end is None or hour < self._end
        )

    def between(self, hour: datetime, file: datetime) -> int:
        """Return how many files lie strictly between two hours."""
        low, high = sorted((hour, file))
        return max(bisect_left(self._files, high) - bisect_right(self._files, low), 0)

    def __iter__(self) -> Iterator[datetime]:
        """Yield the hours inside the range that have a file or should have one."""
        hour, end = self._bounds()
        while hour < end:
            if self._has(hour) or self._due(hour):
                yield hour
            hour += HOUR

    def missing(self) -> Iterator[datetime]:
        """Yield the hours inside the range that should have a file and have none."""
        return (hour for hour in self if not self._has(hour))

    def missing_beside(self) -> Iterator[datetime]:
        """Yield the hours just outside the range that should have a file and have none."""
        first, end = self._bounds()
        for hour in (first - HOUR, end):
            if self._due(hour) and not self._has(hour):
                yield hour

    def _bounds(self) -> tuple[datetime, datetime]:
        return self._first or self._files[0], self._end or self._files[-1] + HOUR

    def _due(self, hour: datetime) -> bool:
        """Return whether there should be a file of ``hour``."""
        if self._covers is None:
            return True
        first, last = self._covers
        return first <= hour and (last is None or hour <= last)

    def _has(self, hour: datetime) -> bool:
        place = bisect_left(self._files, hour)
        return place < len(self._files) and self._files[place] == hour
