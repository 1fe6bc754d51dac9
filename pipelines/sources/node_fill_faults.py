"""This module finds the first place where node fills break their documentation.

It is slow and careful, one value at a time, and asked only once it is known that something is
wrong: the fast path of :mod:`pipelines.sources.node_fill_rows` knows that, but not where.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

METHODS = ("market", "backstop")
INTEGERS = ("time", "oid", "tid")
DECIMALS = ("px", "sz", "startPosition", "closedPnl", "fee")
STRINGS = ("coin", "dir", "feeToken")
LAST_MS = 253_402_300_799_999  # the end of the year 9999, where datetimes end

MISSING = object()


def block_faults(line: bytes) -> Iterator[str]:
    """Yield what is wrong with a line that must be a block of events."""
    block, wrong = parsed(line)
    if wrong:
        yield wrong
        return
    if not isinstance(block, dict):
        yield f"must be a block, is {shown(block)}"
        return
    events = block.get("events", MISSING)
    if not isinstance(events, list):
        yield f"block field events: must be a list, is {shown(events)}"
        return
    for place, event in enumerate(events, start=1):
        yield from _event_faults(event, f"event {place}: ")


def event_faults(line: bytes) -> Iterator[str]:
    """Yield what is wrong with a line that must be one event."""
    event, wrong = parsed(line)
    if wrong:
        yield wrong
    else:
        yield from _event_faults(event, "")


def first_fault(
    body: bytes, path: str, faults_of: Callable[[bytes], Iterator[str]] = block_faults
) -> str | None:
    """Return one line naming ``path``, line and field of the first fault; null if none.

    >>> first_fault(b'{"events":[["0xa",{"coin":7}]]}', "0.lz4")
    '0.lz4 line 1: fill field coin: must be a string, is 7'
    """
    for number, line in enumerate(body.splitlines(), start=1):
        for fault in faults_of(line):
            return f"{path} line {number}: {fault}"
    return None


def parsed(line: bytes) -> tuple[Any, str]:
    """Return what a line holds, and what is wrong with it if it is no JSON."""
    try:
        return orjson.loads(line), ""
    except orjson.JSONDecodeError as error:
        return None, f"must be JSON: {error}"


def _event_faults(event: object, where: str) -> Iterator[str]:
    if not (isinstance(event, list) and len(event) == 2 and isinstance(event[1], dict)):
        yield f"{where}must be [account, fill], is {shown(event)}"
    elif not isinstance(event[0], str):
        yield f"{where}account must be a string, is {shown(event[0])}"
    else:
        yield from _fill_faults(event[1])


def _fill_faults(fill: dict[str, Any]) -> Iterator[str]:
    for name in STRINGS:
        yield from _unless(isinstance(fill.get(name), str), fill, name, "a string")
    for name in DECIMALS:
        yield from _unless(is_decimal(fill.get(name)), fill, name, "a decimal string")
    for name in INTEGERS:
        yield from _unless(is_whole(fill.get(name)), fill, name, "an integer of 64 bits")
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
        yield from _unless(is_decimal(given[mark]), given, mark, "a decimal string")


def _unless(good: bool, given: dict[str, Any], name: str, allowed: str) -> Iterator[str]:
    if not good:
        found = shown(given.get(name, MISSING))
        yield f"fill field {name}: must be {allowed}, is {found}"


def is_whole(value: object) -> bool:
    """Return whether a value is an integer that 64 bits hold."""
    return type(value) is int and -(2**63) <= value < 2**63


def is_decimal(value: object) -> bool:
    """Return whether Arrow, which reads them all in the fast path, reads a finite number."""
    if not isinstance(value, str):
        return False
    try:
        return bool(pc.is_finite(pa.scalar(value).cast(pa.float64())).as_py())
    except pa.ArrowInvalid:
        return False


def shown(value: object) -> str:
    """Return a value for an error: as JSON on one line, whole if it is short."""
    if value is MISSING:
        return "missing"
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # The parser takes 1,024 levels, the writer only 254.
        return f"{type(value).__name__} of more than 254 levels"
    if not text.isprintable():  # JSON leaves U+2028, which ends a line, and U+202E as they are
        text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
