"""This module says what a moment is that a question may be asked about."""

from datetime import datetime


def aware(at: datetime, name: str = "at") -> datetime:
    """Return an instant that has a time zone.

    Parameters
    ----------
    at
        The instant.
    name
        What the question calls it.

    Raises
    ------
    ValueError
        If it has none.

    >>> aware(datetime(2026, 2, 5), "since")
    Traceback (most recent call last):
    ...
    ValueError: since 2026-02-05T00:00:00 has no time zone; give an aware datetime
    """
    if at.tzinfo is None:
        raise ValueError(f"{name} {at.isoformat()} has no time zone; give an aware datetime")
    return at
