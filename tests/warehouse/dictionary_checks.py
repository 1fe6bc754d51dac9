"""What an entry of the data dictionary must say; each check returns what it finds wrong."""

import re

from warehouse.calls import parameters
from warehouse.dictionary_entries import NONE

COUNTED = {"accounts", "bars", "batches", "fills", "looks", "positions", "rows", "signals"}
UNITS = COUNTED | {
    "none",
    "USD",
    "coin",
    "per cent",
    "fraction",
    "fraction of notional",
    "fraction per hour",
    "fraction per minute",
    "USD per minute",
    "x",
    "points",
    "hours",
    "seconds",
    "microseconds",
    "bytes",
    "trades",
    "fee_token",
    "px USD, size coin",
}
BY_NAME = {
    "px": "USD",
    "notional": "USD",
    "size": "coin",
    "pct": "per cent",
    "share": "fraction",
    "hours": "hours",
    "seconds": "seconds",
    "velocity": "USD per minute",
    "ratio": "x",
    "leverage": "x",
}
WITHOUT_UNIT = {"backtest_runs.sharpe", "backtest_trials.sharpe"}
# Which days were binned from the lake as it is now: the catalog's own, and no table to ask.
HIDDEN = {"levels_days"}


def unsaid(entry):
    """Return the columns of which something is not said."""
    return [
        column.name
        for column in entry.columns
        if not (column.says and column.null and column.origin)
        or column.unit not in UNITS
        or not (column.type or entry.kind == "macro")
    ]


def wrong_units(entry):
    """Return the columns whose unit is not that of their name, or that should have one."""
    return [
        column.name
        for column in entry.columns
        if column.type == "DOUBLE"
        and (
            column.unit != BY_NAME.get(column.name.rpartition("_")[2], column.unit)
            or (column.unit == NONE and f"{entry.name}.{column.name}" not in WITHOUT_UNIT)
        )
    ]


def foreign(entry, entries):
    """Return the columns that are from what is not read on the way to them."""
    read = _behind(entry, entries)
    return [
        column.name
        for column in entry.columns
        if entry.kind != "table"
        for place in column.origin.split(", ")
        if "." in place and place.partition(".")[0] not in read
    ]


def _behind(entry, entries):
    out = set()
    for name in entry.reads:
        out |= {name} | (_behind(entries[name], entries) if name in entries else set())
    return out


def misread(entry, body, entries):
    """Return what a header says is read and is not, and what is read and it does not say."""
    body = re.sub(r"--.*", "", body)
    own = set(re.findall(r"\b(\w+) as (?:materialized )?\(", body))
    named = re.findall(r"\b(?:from|join)\s+(?:promised\.)?(\w+)", body)
    read = {name.removesuffix("_versions") for name in named if name not in own}
    known = {one.name for one in entries.values() if one.kind != "macro"} | HIDDEN
    return set(entry.reads) ^ (read & known)


def arguments(made):
    """Return the columns that a macro's text hands back: ``q.coin_asked as coin``."""
    given = {one.name for one in parameters(made)}
    _, _, last = made.body.rpartition("\n\nselect\n")
    return {name for name in re.findall(r"\b(\w+)_asked as \1\b", last) if name in given}


def unnamed_arguments(entry, made):
    """Return the columns that are an argument, and of which the header says otherwise."""
    origins = {column.name: column.origin for column in entry.columns}
    return [name for name in sorted(arguments(made)) if origins[name] != f"argument {name}"]
