"""This module asks a lake how long positions lasted until they were liquidated."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import polars as pl
import pyarrow as pa

from warehouse.ask import named
from warehouse.moments import aware
from warehouse.survival.curves import curves, groups
from warehouse.survival.weibull import fit

SPELLS = """
from position_spells($since, $until, coin := $coin, knowable := $knowable, max_gap := $max_gap)
"""
# Grouping -> the column that tells groups apart, and the one whose least value orders them.
BY = {
    "leverage": ("leverage_band", "leverage"),
    "distance": ("distance_band", "distance_pct"),
    "segment": ("size_segment", "account_value"),
    "coin": ("coin", "coin"),
    "side": ("side", "side"),
}
CUT_OFF = ("open", "gap", "no_fills", "vanished")
BEGUN = ("opened", "unknown", "left")
# What stands in the catalog under these names after a call.
TABLES = ("survival_spells", "survival_curves", "survival_groups", "survival_weibull")


class Survival(NamedTuple):
    """The answer, as Arrow; the connection holds the same as tables of the same names.

    Attributes
    ----------
    survival_spells
        Rows of ``position_spells`` that were used, each with its ``position_group``.
    survival_curves
        One row for each group and time; see :func:`warehouse.survival.curves.curve`.
    survival_groups
        One row a group; see :func:`warehouse.survival.curves.groups`.
    survival_weibull
        One row for each term of the fit to all; see :func:`warehouse.survival.weibull.fit`.
    basis
        In words, what it is based on.
    """

    survival_spells: pa.Table
    survival_curves: pa.Table
    survival_groups: pa.Table
    survival_weibull: pa.Table
    basis: str


def survival(
    con: duckdb.DuckDBPyConnection,
    since: datetime,
    until: datetime,
    coin: str = "all",
    by: str = "leverage",
    begun: Sequence[str] = ("opened",),
    knowable: bool = False,
    max_gap: timedelta = timedelta(hours=26),
) -> Survival:
    """Say how long positions seen within [since, until) lasted until they were liquidated.

    Parameters
    ----------
    con
        Connection of :func:`warehouse.open_lake`; gets the tables ``TABLES``, replaced by each
        call.
    since, until
        Moments with their zones; nothing from ``until`` on is used.
    coin
        Venue symbol, or ``all``.
    by
        What tells groups apart: ``leverage``, ``distance``, ``segment`` (of account size),
        ``coin`` or ``side``; as when the position was first seen.
    begun
        Which spells count: ``opened`` (not there at the look before), ``unknown`` (nobody had
        looked before), ``left`` (what a liquidation left).
    knowable
        Use only what had been published by ``until``.
    max_gap
        The longest that may lie between two looks, more than 0 seconds up to 31 days.

    Raises
    ------
    duckdb.InvalidInputException
        If no source had told of the coin by then; it names the nearest.
    ValueError
        If a moment has no zone, or a word is none of those allowed.
    """
    for name, moment in (("since", since), ("until", until)):
        aware(moment, name)
    if by not in BY:
        raise ValueError(f"by {by!r} is not allowed; use {', '.join(BY)}")
    if not begun or (odd := [word for word in begun if word not in BEGUN]):
        found = repr(odd[0]) if begun else "nothing"
        raise ValueError(f"begun {found} is not allowed; use {', '.join(BEGUN)}")
    asked = {"since": since, "until": until, "coin": named(coin)}
    asked |= {"knowable": knowable, "max_gap": max_gap}
    every = con.sql(SPELLS, params=asked).pl()
    used = grouped(every.filter(pl.col("begun").is_in(list(begun))), by)
    drawn = curves(used)
    fitted = fit(used)
    frames = (used, drawn, groups(used, drawn), fitted.terms)
    answer = Survival(
        *(frame.to_arrow() for frame in frames), _basis(every, used, begun, fitted.basis)
    )
    for name, table in zip(TABLES, answer, strict=False):
        con.register("answered", table)
        con.execute(f"create or replace table {name} as from answered")
        con.unregister("answered")
    return answer


def grouped(spells: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return spells with their ``position_group``, groups in order, those not known last."""
    column, order = BY[by]
    unknown = "no price" if by == "distance" else "unknown"
    return (
        spells.with_columns(
            pl.col(column).fill_null(unknown).alias("position_group"),
            pl.col(order).min().over(column).alias("_order"),
        )
        .sort("_order", "position_group", nulls_last=True, maintain_order=True)
        .drop("_order")
    )


def _basis(every: pl.DataFrame, used: pl.DataFrame, begun: Sequence[str], fitted: str) -> str:
    if not every.height:
        return "no rows: no look within this time shows a position"
    ends = dict(used["outcome"].value_counts().iter_rows())
    cut = ", ".join(f"{ends[word]} {word}" for word in CUT_OFF if word in ends)
    return (
        f"{used.height} of {every.height} spells ({' or '.join(begun)}); "
        f"{ends.get('liquidated', 0)} liquidated, {ends.get('closed', 0)} closed"
        f"{', cut off: ' + cut if cut else ''}; {fitted}"
    )
