"""This module finds what stands behind each account: who shares a margin, and how much it is.

What cannot be known is named and left out, never guessed.  The rules, with their reasons, are
in ``docs/definitions.md``, "Cross accounts".
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from warehouse.cross.agreed_margin import agreed_margins, shown_leverages
from warehouse.kernels.margin import implied_margin, liquidation_px, maintenance_margin
from warehouse.margin import BELIEVE, Tier, TierTable, column

# Basis of a position: its account's margin is solved, its own price tells, or why neither is.
SOLVED, OWN = "solved", "own_price"
UNKNOWN = (
    "portfolio_margin",
    "no_tiers",
    "margin_mode_not_recorded",
    "prices_disagree",
    "no_price_and_no_value",
)


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


def own_tiers(positions: pl.DataFrame, tiers: TierTable, leverage: pl.Series) -> Backed:
    """Give each position its tier table: one tier of its own where ``leverage`` says so.

    Parameters
    ----------
    positions
        Rows with ``coin``.
    tiers
        Tables of the coins.
    leverage
        A position's own maximum; null: its coin's; NaN: neither, so no table is known.
    """
    name = (
        pl.when(leverage.is_null())
        .then("coin")
        .otherwise(pl.concat_str("coin", pl.lit(" at "), leverage))
    )
    rows = positions.with_columns(own=leverage, name=name)
    held = dict(tiers.tiers)
    for coin, own, made in rows.select("coin", "own", "name").unique().sort("name").iter_rows():
        if own is not None and own == own and coin in tiers.row_of:
            held[made] = [Tier(0.0, own)]
    tables = tiers if len(held) == len(tiers.tiers) else TierTable.of(held)
    index = rows["name"].replace_strict(tables.row_of, default=-1, return_dtype=pl.Int64)
    return Backed(positions.with_columns(tiers=index), tables)


def given_leverage(positions: pl.DataFrame, tiers: TierTable) -> pl.Series:
    """Return the own maximum of positions that keep one their coin no longer has.

    Null: it is the coin's, or is not given.  NaN: it is another one, and the coin has several
    tiers, so that its own are not known.
    """
    most = {coin: float(steps[0].max_leverage) for coin, steps in tiers.tiers.items()}
    several = [coin for coin, steps in tiers.tiers.items() if len(steps) > 1]
    leverage = pl.col("max_leverage")
    coins = pl.col("coin").replace_strict(most, default=None, return_dtype=pl.Float64)
    return positions.select(
        own=pl.when(leverage != coins).then(
            pl.when(pl.col("coin").is_in(several)).then(float("nan")).otherwise(leverage)
        )
    ).to_series()


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
    given = given_leverage(positions, tiers)
    backed = own_tiers(positions, tiers, given)
    cross = pl.col("leverage_type").ne_missing("isolated")
    rows = backed.positions.with_columns(
        shared=cross, several=cross & (cross.sum().over("account") > 1)
    )
    agreed = _agreed(rows, implied_of(backed))
    rows = pl.concat([rows, agreed], how="horizontal")
    shown = _shown(rows)
    # What the coin's several tiers left open, a price may have shown; else it stays open.
    backed = own_tiers(rows, tiers, shown.zip_with(shown.is_not_null(), given))
    rows = backed.positions.with_columns(shown=shown.is_not_null())
    return Backed(_based(_valued(rows, backed)), backed.tiers)


def _agreed(rows: pl.DataFrame, implied: np.ndarray) -> pl.DataFrame:
    told = rows.select(
        "account", implied=pl.when("shared").then(pl.Series(implied, nan_to_null=True))
    )
    return pl.concat(
        [told.select("implied"), agreed_margins(told, ["account"])], how="horizontal"
    )


def _shown(rows: pl.DataFrame) -> pl.Series:
    """Return the leverage that a price shows which misses its account's margin; null: none."""
    off = (rows["shared"] & ~rows["agrees"] & (rows["agree"] > 1)).fill_null(False).to_numpy()
    found = np.full(rows.height, np.nan)
    some = rows.filter(pl.Series(off))
    found[off] = shown_leverages(
        *(column(some, name) for name in ("size", "mark_px", "liquidation_px", "others"))
    )
    return pl.Series("shown", found, nan_to_null=True)


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
