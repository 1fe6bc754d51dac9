"""This module tells which batches of its sources a lake has, and what came of asking for more.

A batch is an hour or a day of one source and table, named by the instant it begins at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.health.cadences import DAY, HOUR, MADE_UP, Cadence, midnight
from warehouse.store.asks import ALL_DAY

# What gaps and ages need of each line of the ledger.
COLUMNS = (
    "table_name",
    "source",
    "day",
    "part",
    "revision",
    "min_ts",
    "max_ts",
    "superseded_ts",
)
# A tail leaves a part a minute, a year of it half a million: those of one hour are one batch.
# Their place is one that no piece has: an hour's file does not grow to a TB.
_PIECE, _PIECES = r"-(\d{2})-\d{12}$", r"-\1-999999999999"

Key = tuple[str, str]  # table, source
Rows = Sequence[Mapping[str, Any]]

# Parts of an hour end in it, those of a tail in their offset too: own_node-07-000000004096.
_HOUR = re.compile(r".*-([01]\d|2[0-3])(-\d{12})?", re.ASCII)


def lines_of(parts: pa.Table) -> list[dict[str, Any]]:
    """Return what gaps and ages need of each line of the ledger, pieces of an hour as one.

    A piece that its source corrected stays a line of its own.
    """
    lines = parts.select(COLUMNS)
    first = pc.and_(pc.equal(lines["revision"], 1), pc.is_null(lines["superseded_ts"]))
    whole = pc.replace_substring_regex(lines["part"], _PIECE, _PIECES)
    names = pc.if_else(first, whole, lines["part"])
    lines = lines.set_column(lines.schema.get_field_index("part"), "part", names)
    grouped = lines.group_by(list(COLUMNS[:5])).aggregate(
        [("min_ts", "min"), ("max_ts", "max")]
    )
    ends = {"min_ts_min": "min_ts", "max_ts_max": "max_ts"}
    return list(
        grouped.rename_columns([ends.get(name, name) for name in grouped.column_names])
        .sort_by([(name, "ascending") for name in ("table_name", "day", "part", "revision")])
        .to_pylist()
    )


def batches_there(parts: Rows, cadences: Mapping[Key, Cadence]) -> dict[Key, set[datetime]]:
    """Return the batches that parts are of, for each table and source with a cadence.

    Parameters
    ----------
    parts
        What :func:`lines_of` returns; superseded lines too, as another has their place.
    cadences
        Table and source -> how they are cut.
    """
    there: dict[Key, set[datetime]] = {}
    for part in parts:
        key = part["table_name"], part["source"]
        if key in cadences:
            there.setdefault(key, set()).update(_batches(part, cadences[key]))
    return there


def asks_by_key(
    asks: Rows, cadences: Mapping[Key, Cadence], made_up: bool = False
) -> dict[Key, list[Mapping[str, Any]]]:
    """Return the rows of the contract ``asks`` for each table and source with a cadence.

    Parameters
    ----------
    asks, cadences
        What was asked for, and what can be expected.
    made_up
        Whether the lake's rows are those of a simulated venue.  Its archives are asked by the
        names of those they imitate; here they have the name that their rows have.
    """
    asked: dict[Key, list[Mapping[str, Any]]] = {}
    for ask in asks:
        table, source = ask["table_name"], ask["source"]
        if (cadence := cadences.get((table, source))) is None:
            continue
        if made_up:
            source = MADE_UP + source.removeprefix(cadence.asked)
        if (table, source) in cadences:
            asked.setdefault((table, source), []).append(ask)
    return asked


def span_of(ask: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return the first instant that was asked for, and the first that was not."""
    day = midnight(ask["day"])
    if ask["hour"] == ALL_DAY:
        return day, day + DAY
    return day + ask["hour"] * HOUR, day + (ask["hour"] + 1) * HOUR


def answers(asked: Rows, cadence: Cadence) -> dict[datetime, Mapping[str, Any]]:
    """Return what came of asking for each batch: what was met last.

    An hour of a source that gives whole days was asked for with its day; a day of one that
    gives hours, with each of them.  Of one moment's answers the hour's counts.
    """
    found: dict[datetime, Mapping[str, Any]] = {}
    for ask in sorted(asked, key=lambda one: (one["asked_ts"], one["hour"])):
        start, end = span_of(ask)
        if cadence.every == DAY:
            start, end = midnight(ask["day"]), midnight(ask["day"]) + DAY
        while start < end:
            found[start] = ask
            start += cadence.every
    return found


def _batches(part: Mapping[str, Any], cadence: Cadence) -> Iterator[datetime]:
    """Yield the batches that a part is of: by its name's hour, else by its rows' times."""
    day = midnight(part["day"])
    if cadence.every == DAY:
        yield day
    elif named := _HOUR.fullmatch(part["part"]):
        yield day + int(named[1]) * HOUR
    else:
        hour = day + (part["min_ts"] - day) // HOUR * HOUR
        while hour <= part["max_ts"]:
            yield hour
            hour += HOUR
