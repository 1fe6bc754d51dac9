"""This module translates lines of Artemis' balances to rows of ``positions``.

Lines are taken one at a time and their rows made Arrow columns every few thousand: a million
positions as Python's own objects would take gigabytes.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import Fields
from pipelines.sources.info.leaderboard import ADDRESS
from pipelines.sources.info.states import KNOWN, to_positions
from warehouse.contracts.positions import POSITIONS

SCOPE = "hyperliquid"  # what is given is the state on the first dex
PUBLISHED_AFTER = timedelta(days=1)
NEAR = timedelta(days=2)  # lines were seen some hours from the end of their day
AT_ONCE = 8192  # rows
KNOWN_OF_LINE = frozenset({"user", "address", "timestamp", "response", "_metadata"})
_MADE_LATER = {"source", "liquidation_px_source"}
_COLUMNS = [column for column in POSITIONS.columns if column.name not in _MADE_LATER]
SCHEMA = pa.schema([(column.name, column.kind) for column in _COLUMNS])


class Balances(NamedTuple):
    """A translated file.

    Attributes
    ----------
    positions
        Rows of ``positions`` but for ``source`` and ``liquidation_px_source``.
    accounts
        Accounts whose state is given, with positions or without.
    unanswered
        Accounts whose state is null or missing.
    headers
        Lines that are no accounts.
    untimed
        Accounts without a time, whose positions are of the end of their day.
    unknown
        Field that is not known -> in how many lines.
    """

    positions: pa.Table
    accounts: int
    unanswered: int
    headers: int
    untimed: int
    unknown: Counter[str]


def to_balances(lines: Iterable[bytes], path: str, end: datetime) -> Balances:
    """Translate the lines of one file.  Pure.

    Parameters
    ----------
    lines
        Each an account.
    path
        Name of the file, for errors.
    end
        Last instant of the file's day (UTC): when a line is true that says no time; the times
        that are given are within two days of it.

    Raises
    ------
    SourceError
        If a line is no JSON object, or a field is missing or not as documented; names file,
        line and field.

    Examples
    --------
    >>> position = {
    ...     "coin": "ETH", "szi": "-2.0", "entryPx": "3100.0", "positionValue": "6000.0",
    ...     "liquidationPx": None, "marginUsed": "600.0", "maxLeverage": 25,
    ...     "leverage": {"type": "cross", "value": 10}, "mood": "grim",
    ... }
    >>> line = {"user": "0x" + "AB" * 20, "assetPositions": [{"position": position}]}
    >>> end = datetime(2026, 1, 26, 23, 59, 59, 999999, tzinfo=UTC)
    >>> read = to_balances([orjson.dumps(line)], "a.jsonl", end)
    >>> row = read.positions.to_pylist()[0]
    >>> row["coin"], row["size"], row["mark_px"], row["liquidation_px"], row["account_value"]
    ('ETH', -2.0, 3000.0, None, None)
    >>> row["snapshot_ts"] == end, read.untimed, dict(read.unknown)
    (True, 1, {'position.mood': 1})
    """
    rows: list[dict[str, Any]] = []
    batches: list[pa.RecordBatch] = []
    counts, unknown = Counter[str](), Counter[str]()
    for number, line in enumerate(lines, start=1):
        try:
            rows += _rows(_line(line, f"{path} line {number}"), end, counts, unknown)
        except RecursionError as error:
            raise SourceError(f"{path} line {number}: must not be so deeply nested") from error
        if len(rows) >= AT_ONCE:
            batches.append(pa.RecordBatch.from_pylist(rows, SCHEMA))
            rows = []
    batches.append(pa.RecordBatch.from_pylist(rows, SCHEMA))
    return Balances(
        positions=pa.Table.from_batches(batches),
        accounts=counts["accounts"],
        unanswered=counts["unanswered"],
        headers=counts["headers"],
        untimed=counts["untimed"],
        unknown=unknown,
    )


def _line(line: bytes, where: str) -> Fields:
    try:
        return Fields(orjson.loads(line), where)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{where}: must be JSON: {error}") from error


def _rows(
    line: Fields, end: datetime, counts: Counter[str], unknown: Counter[str]
) -> list[dict[str, Any]]:
    """Return one line's rows, and count what it is."""
    if line.truth("_metadata"):
        counts["headers"] += 1
        return []
    name = "user" if "user" in line.value else "address"
    account = line.text(name)
    if not ADDRESS.fullmatch(account):
        raise line.wrong(name, "0x and 40 digits", account)
    if (state := _state(line, unknown)) is None:
        counts["unanswered"] += 1
        return []
    counts["accounts"] += 1
    at = _moment(line, state, end)
    counts["untimed"] += at is None
    value = None
    if state.value.get("marginSummary") is not None:
        value = state.object("marginSummary").maybe_decimal("accountValue")
    rows, odd = to_positions(state, account, value)
    unknown.update(odd)
    since = {
        "snapshot_ts": at or end,
        "scope": SCOPE,
        "account_mode": None,
        "known_ts": (at or end) + PUBLISHED_AFTER,
    }
    return [row | since for row in rows]


def _state(line: Fields, unknown: Counter[str]) -> Fields | None:
    """Return what holds ``assetPositions``: the line, or what it wraps; None if not given."""
    if "response" not in line.value:
        unknown.update(set(line.value) - KNOWN - KNOWN_OF_LINE)
        return line if line.value.get("assetPositions") is not None else None
    unknown.update(set(line.value) - KNOWN_OF_LINE)
    if line.value["response"] is None:
        return None
    response = line.object("response")
    unknown.update(f"response.{name}" for name in set(response.value) - {"perpetual"})
    if response.value.get("perpetual") is None:
        return None
    state = response.object("perpetual")
    unknown.update(f"response.perpetual.{name}" for name in set(state.value) - KNOWN)
    return state


def _moment(line: Fields, state: Fields, end: datetime) -> datetime | None:
    """Return when a state was true; None where nothing says it."""
    for fields, name in ((state, "time"), (line, "timestamp")):
        given = fields.value.get(name)
        if given is None:
            continue
        at = _iso(fields, name) if isinstance(given, str) else fields.moment(name)
        if abs(at - end) > NEAR:
            raise fields.wrong(name, f"within two days of {end:%Y-%m-%d}", given)
        return at
    return None


def _iso(fields: Fields, name: str) -> datetime:
    text = fields.text(name)
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise fields.wrong(name, "a time", text) from None
