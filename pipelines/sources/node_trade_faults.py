"""This module finds the first place where node trades break their documentation.

It is slow and careful, as :mod:`pipelines.sources.node_fill_faults` is for fills.
"""

import re
from collections.abc import Iterator

import pyarrow as pa

from pipelines.sources.node_fill_faults import MISSING, is_decimal, is_whole, parsed, shown

OVERRIDES = ("Na", "LiquidatedMarket", "NetChildVaultPositions")
STRINGS = ("coin",)
DECIMALS = ("px", "sz")
# Nanoseconds at most, and no zone: block time in UTC.  The first digits say: 1970 or later.
TIME = (
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
    r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?$"
)
TO_MICROSECONDS = len("2025-05-25T13:59:59.974190")


def trade_faults(line: bytes) -> Iterator[str]:
    """Yield what is wrong with a line that must be one trade.

    >>> next(trade_faults(b'{"coin":7}'))
    'trade field coin: must be a string, is 7'
    """
    trade, wrong = parsed(line)
    if wrong:
        yield wrong
        return
    if not isinstance(trade, dict):
        yield f"must be a trade, is {shown(trade)}"
        return
    for name in STRINGS:
        yield from _unless(isinstance(trade.get(name), str), trade, name, "a string")
    for name in DECIMALS:
        yield from _unless(is_decimal(trade.get(name)), trade, name, "a decimal string")
    yield from _unless(
        _is_time(trade.get("time")), trade, "time", "YYYY-MM-DDTHH:MM:SS, with or without .n"
    )
    yield from _unless(trade.get("side") in ("A", "B"), trade, "side", "A or B")
    known = trade.get("trade_dir_override") in OVERRIDES
    yield from _unless(known, trade, "trade_dir_override", " or ".join(OVERRIDES))
    sides = trade.get("side_info")
    if not (isinstance(sides, list) and len(sides) == 2):
        yield from _unless(False, trade, "side_info", "[buyer, seller]")
        return
    for place, side in enumerate(sides):
        if isinstance(side, dict):
            yield from _side_faults(side, f"side_info[{place}].")
        else:
            at = {f"side_info[{place}]": side}
            yield from _unless(False, at, f"side_info[{place}]", "an object")


def _side_faults(side: dict, where: str) -> Iterator[str]:
    yield from _unless(isinstance(side.get("user"), str), side, "user", "a string", where)
    start = is_decimal(side.get("start_pos"))
    yield from _unless(start, side, "start_pos", "a decimal string", where)
    whole = is_whole(side.get("oid"))
    yield from _unless(whole, side, "oid", "an integer of 64 bits", where)


def _unless(good: bool, given: dict, name: str, allowed: str, where: str = "") -> Iterator[str]:
    if not good:
        found = shown(given.get(name, MISSING))
        yield f"trade field {where}{name}: must be {allowed}, is {found}"


def _is_time(value: object) -> bool:
    """Return whether Arrow, which reads them all in the fast path, reads a time."""
    if not isinstance(value, str) or not re.fullmatch(TIME, value):
        return False
    try:
        pa.scalar(value[:TO_MICROSECONDS]).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return False
    return True
