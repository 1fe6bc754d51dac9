"""This module tells the progress of asking in lines, where no bar can move."""

from collections.abc import Callable
from datetime import datetime, timedelta

EVERY = timedelta(seconds=30)


class Pace:
    """A progress that says a line each half minute.

    Parameters
    ----------
    say
        Where lines go.
    now
        The clock.

    Examples
    --------
    >>> times = [datetime(2026, 1, 5, 12, 0, second) for second in (0, 10, 40)]
    >>> pace = Pace(print, iter(times).__next__)
    >>> pace("accounts", 50, 600)
    >>> pace("accounts", 200, 600)
    accounts: 200 of 600, about 1 min left
    """

    def __init__(self, say: Callable[[str], None], now: Callable[[], datetime]) -> None:
        self._say, self._now = say, now
        self._began = self._said = now()
        self._first, self._total = 0, -1

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note how far it is, and say it if nothing was said for half a minute."""
        at = self._now()
        if total != self._total:
            self._began, self._total, self._first = at, total, done
        if at - self._said < EVERY:
            return
        self._said = at
        rate = (done - self._first) / max((at - self._began).total_seconds(), 1e-9)
        left = f", {lasting((total - done) / rate)} left" if rate else ""
        self._say(f"{what}: {done} of {total}{left}")


def lasting(seconds: float) -> str:
    """Return a length of time in words.

    >>> lasting(59.0), lasting(100.0)
    ('less than a minute', 'about 2 min')
    """
    return "less than a minute" if seconds < 60 else f"about {seconds / 60:.0f} min"
