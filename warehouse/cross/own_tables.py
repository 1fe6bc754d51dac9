"""This module gives each position the margin table it follows: its coin's, or its own.

A table of its own is given with the position, or shown by the prices of its account.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from warehouse.cross.account_tables import account_tables
from warehouse.cross.agreed_margin import agreed_margins
from warehouse.cross.margin_tables import UNKNOWN_TABLE, shown_tables, tiers_named
from warehouse.kernels.margin import implied_margin
from warehouse.margin import TierTable, column


class Backed(NamedTuple):
    """Positions with what stands behind them.

    Attributes
    ----------
    positions
        The rows as given, with ``basis`` (``solved``, ``own_price`` or one of ``UNKNOWN``),
        ``shared`` (whether it is not isolated), ``tiers`` (row of the tier tables, -1: none is
        known) and ``behind``: USD behind the whole account if every price were 0, the same in
        every row of it, or behind an isolated position; null where that is not solved.
    tiers
        The tier tables that ``tiers`` names: the coins' and positions' own.
    """

    positions: pl.DataFrame
    tiers: TierTable


def own_tiers(positions: pl.DataFrame, tiers: TierTable, table: pl.Series) -> Backed:
    """Give each position its tier table: one of its own where ``table`` names it.

    Parameters
    ----------
    positions
        Rows with ``coin``.
    tiers
        Tables of the coins.
    table
        Name of a position's own table; null: its coin's; ``UNKNOWN_TABLE``: neither.
    """
    name = (
        pl.when(table.is_null())
        .then("coin")
        .otherwise(pl.concat_str("coin", pl.lit(" at "), table))
    )
    rows = positions.with_columns(own=table, name=name)
    held = dict(tiers.tiers)
    for coin, own, made in rows.select("coin", "own", "name").unique().sort("name").iter_rows():
        if own is not None and own != UNKNOWN_TABLE and coin in tiers.row_of:
            held[made] = tiers_named(own)
    tables = tiers if len(held) == len(tiers.tiers) else TierTable.of(held)
    index = rows["name"].replace_strict(tables.row_of, default=-1, return_dtype=pl.Int64)
    return Backed(positions.with_columns(tiers=index), tables)


def given_tables(positions: pl.DataFrame, tiers: TierTable) -> pl.Series:
    """Return the own table of positions that keep a maximum leverage their coin has no longer.

    Null: it is the coin's, or is not given.  ``UNKNOWN_TABLE``: it is another one, and the coin
    has several tiers, so that its own are not known.
    """
    most = {coin: float(steps[0].max_leverage) for coin, steps in tiers.tiers.items()}
    several = [coin for coin, steps in tiers.tiers.items() if len(steps) > 1]
    leverage = pl.col("max_leverage")
    coins = pl.col("coin").replace_strict(most, default=None, return_dtype=pl.Float64)
    return positions.select(
        own=pl.when(leverage != coins).then(
            pl.when(pl.col("coin").is_in(several))
            .then(pl.lit(UNKNOWN_TABLE))
            .otherwise(leverage.cast(pl.String))
        )
    ).to_series()


def agreed(
    positions: pl.DataFrame, tiers: TierTable, given: pl.Series, owner: Sequence[str]
) -> tuple[Backed, pl.Series]:
    """Find what each account's prices agree on, and the tables it has in all of its coins.

    Parameters
    ----------
    positions
        Rows with ``shared`` (not isolated).
    tiers
        Tables of the coins.
    given
        See :func:`given_tables`.
    owner
        Columns that name an account at one moment.

    Returns
    -------
    tuple
        The positions with ``implied`` (USD, null of isolated ones) and the columns of
        :func:`warehouse.cross.agreed_margin.agreed_margins`; the tables, as in
        :func:`warehouse.cross.account_tables.account_tables`.
    """
    backed = own_tiers(positions, tiers, given)
    rows = _agreed(backed, owner)
    whole = account_tables(rows, owner)
    if whole.is_not_null().any():
        backed = own_tiers(positions, tiers, whole.zip_with(whole.is_not_null(), given))
        rows = _agreed(backed, owner)
    return Backed(rows, backed.tiers), whole


def _agreed(backed: Backed, owner: Sequence[str]) -> pl.DataFrame:
    told = pl.Series(implied_of(backed), nan_to_null=True)
    rows = backed.positions.with_columns(implied=pl.when("shared").then(told))
    return pl.concat([rows, agreed_margins(rows, owner)], how="horizontal")


def shown_by(rows: pl.DataFrame) -> pl.Series:
    """Return the table that a price shows which misses its account's margin; null: none."""
    off = (rows["shared"] & ~rows["agrees"] & (rows["agree"] > 1)).fill_null(False)
    off &= rows["liquidation_px"].is_not_null()
    some = rows.filter(off)
    found = shown_tables(
        *(column(some, name) for name in ("size", "mark_px", "liquidation_px", "others"))
    )
    shown = pl.Series("shown", [None] * rows.height, pl.String)
    return shown.scatter(off.arg_true(), pl.Series(found, dtype=pl.String))


def implied_of(backed: Backed) -> np.ndarray:
    """Return the margin that each position's price implies, USD; NaN without price or tiers."""
    rows = backed.positions["tiers"].to_numpy()
    size, mark, px = (
        column(backed.positions, name) for name in ("size", "mark_px", "liquidation_px")
    )
    known, out = rows >= 0, np.full(rows.size, np.nan)
    out[known] = implied_margin(
        size[known], mark[known], px[known], rows[known], *arrays(backed)
    )
    return out


def arrays(backed: Backed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tier tables as the kernels want them."""
    return backed.tiers.first, backed.tiers.rate, backed.tiers.deduction
