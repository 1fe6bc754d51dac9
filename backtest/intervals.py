"""This module holds the lengths that bars may have."""

import numpy as np

_MINUTE = np.timedelta64(60_000_000, "us")
# Bars tile the hour or, of whole hours, the day, so that every lake cuts time alike: of other
# lengths it would hang on the first bar where the others begin.
WIDTHS = {f"{many}m": many * _MINUTE for many in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)}
WIDTHS |= {f"{many}h": 60 * many * _MINUTE for many in (1, 2, 3, 4, 6, 8, 12)}
WIDTHS["1d"] = 24 * 60 * _MINUTE
# No coin is older, and calendars end where a million days before would lie.
EARLIEST = np.datetime64("1900-01-01", "us")


def width_of(interval: str) -> np.timedelta64:
    """Return the length of a bar from its word.

    Raises
    ------
    ValueError
        If it is none of ``WIDTHS``.

    >>> width_of("4h").astype("timedelta64[h]").item().total_seconds() / 3600
    4.0
    """
    if interval not in WIDTHS:
        raise ValueError(
            f"interval {interval!r} must be one of {', '.join(WIDTHS)}, for bars tile the hour "
            "or the day"
        )
    return WIDTHS[interval]


def reaching_back(since: np.datetime64, bars: int, width: np.timedelta64) -> np.datetime64:
    """Return the moment so many bars before another, and not before ``EARLIEST``.

    >>> str(reaching_back(np.datetime64("2026-01-01", "us"), 1_000_000, WIDTHS["1d"]))[:10]
    '1900-01-01'
    """
    return max(since - bars * width, EARLIEST)


def finer(interval: str) -> list[str]:
    """Return the intervals of which so many make up one of ``interval``, the coarsest first.

    >>> finer("4h")[:3], finer("1m")
    (['2h', '1h', '30m'], [])
    """
    width = WIDTHS[interval]
    return [
        name
        for name, length in reversed(WIDTHS.items())
        if length < width and not (width % length).astype(int)
    ]
