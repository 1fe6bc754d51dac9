"""This module holds the lengths that bars may have."""

import numpy as np

_MINUTE = np.timedelta64(60_000_000, "us")
# Bars tile the hour or, of whole hours, the day, so that every lake cuts time alike: of other
# lengths it would hang on the first bar where the others begin.
WIDTHS = {f"{many}m": many * _MINUTE for many in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)}
WIDTHS |= {f"{many}h": 60 * many * _MINUTE for many in (1, 2, 3, 4, 6, 8, 12)}
WIDTHS["1d"] = 24 * 60 * _MINUTE


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
