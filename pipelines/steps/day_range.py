"""This module says which days of an archive a landing is asked for."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

from warehouse.store.asks import ALL_DAY, Ask

Progress = Callable[[str, int, int], None]


class DayRange:
    """Days of ``[since, until)``, and which of them an archive has files of.

    Parameters
    ----------
    there
        Days that there are files of.
    since, until
        UTC days; None: from the first file's day, to that of the last.

    Raises
    ------
    ValueError
        If ``since`` is not before ``until``.

    Examples
    --------
    >>> days = DayRange([date(2026, 1, 1), date(2026, 1, 3)], None, date(2026, 1, 5))
    >>> [day.day for day in days.there], [day.day for day in days.missing]
    ([1, 3], [2, 4])
    """

    def __init__(self, there: Iterable[date], since: date | None, until: date | None) -> None:
        if since and until and since >= until:
            raise ValueError(f"since {since} must be before until {until}, which is exclusive")
        self._asked = since, until
        every = sorted(there)
        self.there = [
            day for day in every if not (since and day < since) and not (until and day >= until)
        ]
        first = since or min(self.there, default=None)
        end = until or max(self.there, default=None)
        if until is None and end is not None:
            end += timedelta(days=1)
        held, self.missing = set(self.there), list[date]()
        if first and end:
            days = (first + timedelta(days=n) for n in range((end - first).days))
            self.missing = [day for day in days if day not in held]

    def check(self, root: str, what: str) -> None:
        """Raise if there is nothing to land in a range that has an end open.

        Raises
        ------
        FileNotFoundError
            It names the root and ``what`` was looked for.
        """
        since, until = self._asked
        if not self.there and not (since and until):
            span = f"from {since or 'the first day'} to {until or 'the last'}"
            raise FileNotFoundError(f"root {root}: no {what} {span}")


def asked_of(table: str, source: str, days: Mapping[date, int]) -> list[Ask]:
    """Return what became of days that were asked for: how many files there are of each.

    >>> [ask.outcome for ask in asked_of("fills", "me", {date(2026, 1, 1): 0})]
    ['absent']
    """
    return [
        Ask(table, source, day, ALL_DAY, "landed")
        if files
        else Ask(table, source, day, ALL_DAY, "absent", "the archive has no file of the day")
        for day, files in sorted(days.items())
    ]
