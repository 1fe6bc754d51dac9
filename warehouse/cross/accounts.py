"""This module finds what stands behind each account: who shares a margin, and how much it is.

What cannot be known is named and left out, never guessed.  The rules, with their reasons, are
in ``docs/definitions.md``, "Cross accounts".
"""

import numpy as np
import polars as pl

from warehouse.cross.own_tables import (
    Backed,
    agreed,
    arrays,
    given_tables,
    own_tiers,
    shown_by,
)
from warehouse.kernels.margin import liquidation_px, maintenance_margin
from warehouse.margin import BELIEVE, TierTable, column

# Basis of a position: its account's margin is solved, its own price tells, or why neither is.
SOLVED, OWN = "solved", "own_price"
UNKNOWN = (
    "portfolio_margin",
    "no_tiers",
    "margin_mode_not_recorded",
    "prices_disagree",
    "no_price_and_no_value",
)


def back(positions: pl.DataFrame, tiers: TierTable) -> Backed:
    """Find what stands behind each position of one dex at one moment.

    Parameters
    ----------
    positions
        One row for each account and coin: ``account, coin, size, mark_px, liquidation_px,
        leverage_type, max_leverage, margin_used, account_value, account_mode``, with units as
        in the contract of ``positions``.
    tiers
        Margin tiers of the coins then.
    """
    cross = pl.col("leverage_type").ne_missing("isolated")
    marked = positions.with_columns(
        shared=cross, several=cross & (cross.sum().over("account") > 1)
    )
    given = given_tables(positions, tiers)
    backed, whole = agreed(marked, tiers, given, ["account"])
    rows, shown = backed.positions, shown_by(backed.positions)
    # What the coin's several tiers left open, a price may have shown; else it stays open.
    own = shown.zip_with(shown.is_not_null(), whole.zip_with(whole.is_not_null(), given))
    backed = own_tiers(rows, tiers, own)
    rows = backed.positions.with_columns(shown=shown.is_not_null())
    return Backed(_based(_valued(rows, backed)), backed.tiers)


def _valued(rows: pl.DataFrame, backed: Backed) -> pl.DataFrame:
    """Add each account's margin: ``margin`` as its prices say it, ``value`` as reported."""
    size, mark, row = column(rows, "size"), column(rows, "mark_px"), rows["tiers"].to_numpy()
    held = np.full(size.size, np.nan)
    known = row >= 0
    held[known] = maintenance_margin(
        np.abs(size[known]) * mark[known], row[known], *arrays(backed)
    )
    rows = rows.with_columns(held=pl.Series(held, nan_to_null=True))
    # One price alone says what its account's margin is, if the position is known to be cross.
    lone = (pl.col("priced") == 1) & (pl.col("leverage_type") == "cross")
    margin = (
        pl.when(pl.col("agrees") & ((pl.col("agree") > 1) | lone))
        .then("implied")
        .mean()
        .over("account")
    )
    plain = (pl.col("leverage_type") == "cross").fill_null(False).all().over("account")
    plain &= (pl.col("account_mode").fill_null("standard") == "standard").all().over("account")
    total = pl.when(pl.col("tiers").min().over("account") >= 0).then(
        pl.col("held").sum().over("account")
    )
    rows = rows.with_columns(
        margin=pl.when("shared").then(margin),
        value=pl.when(plain).then(pl.col("account_value").first().over("account") - total),
    )
    missed = rows.filter(pl.col("margin").is_not_null()).group_by("account").first()
    miss = missed.select((pl.col("value") / pl.col("margin") - 1).abs().median()).item()
    if miss is not None and not miss <= BELIEVE:
        rows = rows.with_columns(value=pl.lit(None, pl.Float64))
    # Where the source gives no price and no mode, cross is shown if the margin leaves none.
    raw = column(rows, "margin") + held - size * mark
    ours = np.full(size.size, np.nan)
    ask = known & ~np.isnan(raw)
    ours[ask] = liquidation_px(size[ask], raw[ask], row[ask], *arrays(backed))
    return rows.with_columns(never=pl.Series(ask & np.isnan(ours)))


def _based(rows: pl.DataFrame) -> pl.DataFrame:
    """Decide what each position's answer is based on."""
    priced, recorded = (
        pl.col("liquidation_px").is_not_null(),
        pl.col("leverage_type") == "cross",
    )
    known_cross = recorded.fill_null(False) | pl.when(priced).then(
        (pl.col("agrees") & (pl.col("agree") > 1)) | pl.col("shown")
    ).otherwise(pl.col("never"))
    fits = ~priced | pl.col("agrees") | pl.col("shown")
    shared, every = pl.col("shared"), pl.col("several")

    def some(what: pl.Expr) -> pl.Expr:
        return (what & shared).fill_null(False).any().over("account")

    # Of one position, the price is the source's, whatever its margin.
    alone = ~every & priced
    of_account = (
        pl.when(some(pl.col("account_mode") == "portfolio_margin"))
        .then(pl.lit(UNKNOWN[0]))
        .when(some(pl.col("tiers") < 0))
        .then(pl.lit(UNKNOWN[1]))
        .when(some(~known_cross))
        .then(pl.lit(UNKNOWN[2]))
        .when(some(~fits) | ((pl.col("priced") > 1) & (pl.col("agree") < 2)))
        .then(pl.lit(UNKNOWN[3]))
        .when(pl.col("margin").is_null() & pl.col("value").is_null())
        .then(pl.lit(UNKNOWN[4]))
        .otherwise(pl.lit(SOLVED))
    )
    of_isolated = (
        pl.when(pl.col("margin_used").is_null())
        .then(pl.lit(UNKNOWN[4]))
        .when(pl.col("tiers") < 0)
        .then(pl.lit(UNKNOWN[1]))
        .otherwise(pl.lit(SOLVED))
    )
    basis = (
        pl.when(alone).then(pl.lit(OWN)).when(shared).then(of_account).otherwise(of_isolated)
    )
    worth, together = pl.col("size") * pl.col("mark_px"), shared.fill_null(False)
    sum_of = {
        name: pl.when(together).then(what).sum().over("account")
        for name, what in (("held", pl.col("held")), ("worth", worth))
    }
    behind = (
        pl.when(~together)
        .then(pl.col("margin_used") - worth)
        .otherwise(pl.coalesce("margin", "value") + sum_of["held"] - sum_of["worth"])
    )
    rows = rows.with_columns(basis=basis)
    return rows.with_columns(behind=pl.when(pl.col("basis") == SOLVED).then(behind)).drop(
        "several",
        "priced",
        "agree",
        "agrees",
        "others",
        "implied",
        "never",
        "shown",
        "held",
        "margin",
        "value",
    )
