"""This module says how long a sweep asks: until its time is over, and slice by slice."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

SLICE = timedelta(minutes=5)  # of asking, after which the answers are landed


class Span(NamedTuple):
    """A time for asking.

    Attributes
    ----------
    end
        From then on nobody new is asked; who was asked may answer.
    hard_end
        From then on nobody is waited for; None: all are.
    """

    end: datetime
    hard_end: datetime | None

    def over(self, now: datetime) -> bool:
        """Return whether nobody new is asked."""
        return now >= self.end


def next_slice(now: datetime, until: datetime | None) -> Span:
    """Return the time of the next slice of a sweep that may ask until a time.

    >>> at = datetime(2026, 1, 5, 12)
    >>> next_slice(at, at + timedelta(minutes=3)).end == at + timedelta(minutes=3)
    True
    >>> next_slice(at, None).end == at + SLICE
    True
    """
    end = now + SLICE
    return Span(end if until is None else min(end, until), until)


async def within(
    end: datetime | None, work: Coroutine[Any, Any, None], now: Callable[[], datetime]
) -> None:
    """Do work, and leave it where it is at its end; None: it has none."""
    deadline = asyncio.timeout(None if end is None else max(0.0, (end - now()).total_seconds()))
    try:
        async with deadline:
            await work
    except TimeoutError:
        if not deadline.expired():
            raise


def shared(now: datetime, until: datetime | None, weights: Sequence[int]) -> datetime | None:
    """Return when the first of several that share a time has had its share; None: no end.

    What the first does not use is left for the others, who share it anew.

    >>> at = datetime(2026, 1, 5, 12)
    >>> shared(at, at + timedelta(minutes=8), [300, 100]) - at
    datetime.timedelta(seconds=360)
    """
    if until is None:
        return None
    whole = sum(weights)
    return now + (until - now) * (weights[0] / whole) if whole else until
