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
    TypeError
        If it is none, as text or a date.
    ValueError
        If it has no zone.

    >>> aware(datetime(2026, 2, 5), "since")
    Traceback (most recent call last):
    ...
    ValueError: since 2026-02-05T00:00:00 has no time zone; give an aware datetime
    >>> aware("2026-02-05T00:00Z")
    Traceback (most recent call last):
    ...
    TypeError: at '2026-02-05T00:00Z' is not allowed; give an aware datetime
    """
    if not isinstance(at, datetime):
        raise TypeError(f"{name} {at!r} is not allowed; give an aware datetime")
    if at.utcoffset() is None:
        raise ValueError(f"{name} {at.isoformat()} has no time zone; give an aware datetime")
    return at
