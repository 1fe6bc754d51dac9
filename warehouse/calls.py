"""This module knows what the parameters of macros mean, and writes calls of them.

A macro's own header declares its parameters and their defaults; a name means the same in all.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from warehouse.catalog import Definition


class Meaning(NamedTuple):
    """What a parameter means, and a value of it as SQL, where a call must give one."""

    says: str
    example: str | None = None


class Parameter(NamedTuple):
    """One parameter of a macro.

    Attributes
    ----------
    name
        As a call names it: ``at`` is quoted in a signature, and needs no quotes here.
    default
        SQL; None: every call must give it.
    says
        What it means; empty where nothing is said.
    """

    name: str
    default: str | None
    says: str


MEANINGS = {
    "at": Meaning(
        "moment asked for: a TIMESTAMPTZ, or text with Z or an offset",
        "'2026-01-08T12:00Z'::timestamptz",
    ),
    "coin": Meaning(
        "venue symbol, as BTC or xyz:TSLA; one that no source told of by then is an error, see "
        "checked_coin",
        "'BTC'",
    ),
    "coin_by": Meaning(
        "moment by which a source must have told of the coin, where that is later than what is "
        "asked for: the end of a range whose moments are asked for one by one; null: what is "
        "asked for"
    ),
    "since": Meaning("first moment of the range", "'2026-01-08T00:00Z'::timestamptz"),
    "until": Meaning("end of the range, exclusive", "'2026-01-09T00:00Z'::timestamptz"),
    "from_at": Meaning("moment of the earlier map", "'2026-01-08T00:00Z'::timestamptz"),
    "to_at": Meaning("moment of the later map", "'2026-01-09T00:00Z'::timestamptz"),
    "given": Meaning("what is to be checked"),
    "later": Meaning("moment that must come after from_at"),
    "name": Meaning("what an error calls it"),
    "moments": Meaning("list of moments", "['2026-01-08T12:00Z'::timestamptz]"),
    "with_end": Meaning("true: what is of the end itself too"),
    "every": Meaning("length of an interval, 1 second to 366 days", "interval 1 hour"),
    "segment": Meaning("name of a segment, or all", "'all'"),
    "table_name": Meaning("table of the lake", "'fills'"),
    "width_pct": Meaning("width of a price bucket, per cent", "0.5"),
    "width_px": Meaning("width of a price bucket, USD, instead of width_pct", "null"),
    "knowable": Meaning("true: only what had been published by then"),
    "untrusted": Meaning("true: sweeps too that failed for too many accounts"),
    "max_age": Meaning("how old what answers may be, at most"),
    "max_gap": Meaning("the longest that may lie between two looks"),
    "pcts": Meaning("moves, whole per cent, 1 to 50"),
    "hours": Meaning("ages, hours"),
    "threshold_pct": Meaning("at risk from this share of the way on, per cent"),
    "within_pct": Meaning("how far from the price counts, per cent"),
    "depth_pct": Meaning("distance from the mid within which depth counts, per cent"),
    "book_age": Meaning("how old a book may be, at most"),
    "min_held": Meaning("least share of the seven days that must be held, for a norm"),
    "interval_": Meaning("length of a bar: 1m, 5m, 1h, 1d"),
    "venue": Meaning("exchange, lower case"),
    "kind": Meaning("size or profit"),
    "segments": Meaning("true: name the most-hit segment too"),
    "profits": Meaning("true: profits and their segments too"),
    "wanted": Meaning("false: no row, and no file is opened"),
    "seed_ratio": Meaning("times its norm at which a cascade begins"),
    "keep_ratio": Meaning("times its norm at which it goes on"),
    "min_velocity": Meaning("least velocity at which it begins, USD a minute"),
    "gap": Meaning("the longest lull within one cascade"),
    "recovery": Meaning("how long after the end recovery is looked for"),
    "word": Meaning("length of a bar: 1m, 5m, 1h, 1d"),
    "bids": Meaning("list of levels, highest px first"),
    "asks": Meaning("list of levels, lowest px first"),
    "pct": Meaning("distance from the mid, per cent"),
    "px": Meaning("price, USD"),
    "bucket": Meaning("number of a price bucket"),
    "velocity_ratio": Meaning("velocity over its norm"),
    "one_sidedness": Meaning("difference of both sides over their sum, 0 to 1"),
    "open_interest_fall_pct": Meaning("fall of open interest, per cent; below 0: it rose"),
    "book_taken": Meaning("forced USD a minute over the USD that rest near the mid"),
    "age": Meaning("how old what is found may be, at most"),
    "share": Meaning("share that must be known, above 0, up to 1"),
    "distance_pct": Meaning("from the mark to the liquidation price, per cent of the mark"),
    "leverage": Meaning("chosen leverage"),
    "mark_px": Meaning("marks of the positions of a snapshot, USD"),
    "moment": Meaning("a moment"),
    "every_us": Meaning("length of an interval, microseconds"),
    "long_notional": Meaning("notional of longs, USD"),
    "short_notional": Meaning("notional of shorts, USD"),
    "amount": Meaning("account value or profit, USD"),
    "known_ts": Meaning("when the row was published"),
    "since_ts": Meaning("of a correction: when it could be known"),
    "superseded_ts": Meaning("when a correction took the row's place"),
}


def parameters(made: Definition) -> list[Parameter]:
    """Return the parameters of a macro, in order.

    >>> made = Definition("m", "table macro", 'coin, "at", pcts := [5, 10]', "", "")
    >>> [(one.name, one.default) for one in parameters(made)]
    [('coin', None), ('at', None), ('pcts', '[5, 10]')]
    """
    out = []
    # A comma within brackets is of a default.
    for declared in re.split(r",\s*(?![^\[(]*[\])])", made.parameters):
        if not declared:
            continue
        name, _, default = (part.strip() for part in declared.partition(":="))
        name = name.strip('"')
        says = MEANINGS[name].says if name in MEANINGS else ""
        out.append(Parameter(name, default or None, says))
    return out


def call(made: Definition, given: Mapping[str, str] | None = None) -> str:
    """Return a query that asks a table macro, as SQL.

    Parameters
    ----------
    made
        The macro.
    given
        Parameter -> SQL, instead of the examples; a name that the macro lacks is left out.

    Raises
    ------
    LookupError
        If the macro must be given something of which there is no example.
    """
    given = given or {}
    values = []
    for one in parameters(made):
        if one.default is not None:
            if one.name in given:
                values.append(f"{one.name} := {given[one.name]}")
            continue
        value = given.get(one.name) or getattr(MEANINGS.get(one.name), "example", None)
        if value is None:
            raise LookupError(
                f"macro {made.name}: parameter {one.name} has no example in warehouse/calls.py"
            )
        values.append(value)
    return f"from {made.name}({', '.join(values)})"
