"""This module finds the first place where node fills break their documentation.

It is slow and careful, one value at a time, and asked only once it is known that something is
wrong: the fast path of :mod:`pipelines.sources.node_fill_rows` knows that, but not where.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

METHODS = ("market", "backstop")
INTEGERS = ("time", "oid", "tid")
DECIMALS = ("px", "sz", "startPosition", "closedPnl", "fee")
STRINGS = ("coin", "dir", "feeToken")
LAST_MS = 253_402_300_799_999  # the end of the year 9999, where datetimes end

_MISSING = object()


def first_fault(body: bytes, path: str) -> str | None:
    """Return one line naming ``path``, line and field of the first fault; null if none.

    >>> first_fault(b'{"events":[["0xa",{"coin":7}]]}', "0.lz4")
    '0.lz4 line 1: fill field coin: must be a string, is 7'
    """
    for number, line in enumerate(body.splitlines(), start=1):
        for fault in _faults(line):
            return f"{path} line {number}: {fault}"
    return None


def _faults(line: bytes) -> Iterator[str]:
    try:
        block = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        yield f"must be JSON: {error}"
        return
    if not isinstance(block, dict):
        yield f"must be a block, is {_shown(block)}"
        return
    events = block.get("events", _MISSING)
    if not isinstance(events, list):
        yield f"block field events: must be a list, is {_shown(events)}"
        return
    for place, event in enumerate(events, start=1):
        if not (isinstance(event, list) and len(event) == 2 and isinstance(event[1], dict)):
            yield f"event {place}: must be [account, fill], is {_shown(event)}"
        elif not isinstance(event[0], str):
            yield f"event {place}: account must be a string, is {_shown(event[0])}"
        else:
            yield from _fill_faults(event[1])


def _fill_faults(fill: dict[str, Any]) -> Iterator[str]:
    for name in STRINGS:
        yield from _unless(isinstance(fill.get(name), str), fill, name, "a string")
    for name in DECIMALS:
        yield from _unless(_is_decimal(fill.get(name)), fill, name, "a decimal string")
    for name in INTEGERS:
        whole = type(fill.get(name)) is int and -(2**63) <= fill[name] < 2**63
        yield from _unless(whole, fill, name, "an integer of 64 bits")
    if type(fill.get("time")) is int:
        when = 0 <= fill["time"] <= LAST_MS
        yield from _unless(when, fill, "time", "milliseconds since 1970")
    yield from _unless(fill.get("side") in ("A", "B"), fill, "side", "A or B")
    yield from _unless(isinstance(fill.get("crossed"), bool), fill, "crossed", "true or false")
    given = fill.get("liquidation")
    if isinstance(given, dict):
        yield from _liquidation_faults({f"liquidation.{key}": given[key] for key in given})
    elif given is not None:
        yield from _unless(False, fill, "liquidation", "an object")


def _liquidation_faults(given: dict[str, Any]) -> Iterator[str]:
    method, user, mark = (
        f"liquidation.{name}" for name in ("method", "liquidatedUser", "markPx")
    )
    known = given.get(method) in METHODS
    yield from _unless(known, given, method, " or ".join(METHODS))
    if given.get(user) is not None:
        yield from _unless(isinstance(given[user], str), given, user, "a string")
    if given.get(mark) is not None:
        yield from _unless(_is_decimal(given[mark]), given, mark, "a decimal string")


def _unless(good: bool, given: dict[str, Any], name: str, allowed: str) -> Iterator[str]:
    if not good:
        found = _shown(given.get(name, _MISSING))
        yield f"fill field {name}: must be {allowed}, is {found}"


def _is_decimal(value: object) -> bool:
    """Return whether Arrow, which reads them all in the fast path, reads a finite number."""
    if not isinstance(value, str):
        return False
    try:
        return bool(pc.is_finite(pa.scalar(value).cast(pa.float64())).as_py())
    except pa.ArrowInvalid:
        return False


def _shown(value: object) -> str:
    if value is _MISSING:
        return "missing"
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
