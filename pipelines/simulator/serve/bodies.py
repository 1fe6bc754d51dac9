"""This module reads the bodies of requests; nothing in them is trusted."""

import re
from typing import Any

from pipelines.simulator.serve.spans import SPANS

LARGEST = 1_000_000  # bytes of a body
MOST_USERS = 1_000  # of a batch
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_LAST = 10**15  # ms: later is as good as never


class BadBody(ValueError):
    """A body that the venue could not make sense of."""

    def __init__(self) -> None:
        super().__init__("Failed to deserialize the JSON body into the target type")


class NoAnswer(LookupError):
    """What is asked for does not exist, and the venue fails instead of saying so."""


def field(body: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field that must be there; true and false are no numbers."""
    value = body.get(name)
    if type(value) is not kind:
        raise BadBody
    return value


def maybe(body: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field that may be absent or null; None then."""
    return None if body.get(name) is None else field(body, name, kind)


def address(value: object) -> str:
    """Return an address in lower case.

    >>> address("0x31CA8395cf837de08b24da3f660e77761dfb974b")
    '0x31ca8395cf837de08b24da3f660e77761dfb974b'
    """
    if not isinstance(value, str) or _ADDRESS.fullmatch(value) is None:
        raise BadBody
    return value.lower()


def users(body: dict[str, Any]) -> list[str]:
    """Return the addresses of a batch, in its order."""
    asked = field(body, "users", list)
    if len(asked) > MOST_USERS:
        raise BadBody
    return [address(value) for value in asked]


def times(body: dict[str, Any]) -> tuple[int, int]:
    """Return ``startTime`` and ``endTime``, ms; without an end, everything since."""
    since, until = field(body, "startTime", int), maybe(body, "endTime", int)
    until = _LAST if until is None else until
    if since < 0 or until < 0:
        raise BadBody
    return min(since, _LAST), min(until, _LAST)


def interval(body: dict[str, Any]) -> str:
    """Return the interval of candles."""
    name = field(body, "interval", str)
    if name not in SPANS:
        raise BadBody
    return name


def rounding(body: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return ``nSigFigs`` and ``mantissa`` of a book; a mantissa goes with five figures."""
    figures, mantissa = maybe(body, "nSigFigs", int), maybe(body, "mantissa", int)
    if figures not in (None, 2, 3, 4, 5):
        raise BadBody
    if mantissa is not None and (figures != 5 or mantissa not in (1, 2, 5)):
        raise BadBody
    return figures, mantissa


def first_dex(body: dict[str, Any]) -> None:
    """Refuse a dex that is not the venue's first, whose name is empty."""
    if maybe(body, "dex", str):
        raise NoAnswer(body["dex"])
