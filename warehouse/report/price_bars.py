"""This module knows how long a bar is, and which bars of a period are not there."""

from datetime import datetime, timedelta

import polars as pl

STEPS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(days=7),
}


def length_of(interval: str) -> timedelta:
    """Return the length of a bar.

    >>> length_of("15m"), length_of("1h")
    (datetime.timedelta(seconds=900), datetime.timedelta(seconds=3600))
    """
    return int(interval[:-1]) * STEPS[interval[-1]]


def missing_bars(bars: pl.DataFrame, since: datetime, until: datetime) -> list[datetime]:
    """Return the starts in ``[since, until)`` that have no bar, in order.

    Parameters
    ----------
    bars
        ``interval`` and ``start_ts`` of one series, at least one row.
    since, until
        UTC, half-open.
    """
    step = length_of(bars["interval"][0])
    first = bars["start_ts"].min()
    # Rounded, so that a stamp some milliseconds late is the bar it means to be.
    held = {round((start - first) / step) for start in bars["start_ts"]}
    before, after = -((first - since) // step), -((first - until) // step)
    return [first + k * step for k in range(before, after) if k not in held]


def closes(
    bars: pl.DataFrame, since: datetime, until: datetime
) -> tuple[list[datetime], list[float | None]]:
    """Return the closes at the ends of their bars; a missing bar is a None, not a bridge."""
    step = length_of(bars["interval"][0])
    known = dict(bars.select("start_ts", "close_px").iter_rows())
    known.update(dict.fromkeys(missing_bars(bars, since, until)))
    starts = sorted(known)
    return [start + step for start in starts], [known[start] for start in starts]
