"""This module holds our liquidation prices against the venue's own, position by position.

Our price is made without looking at the venue's: of an isolated position from its margin, of a
cross one from the margin that the account's *other* prices agree on or, without others, from
the account value, as far as it is believed.  Definitions: ``docs/definitions.md``, "Margin
error".
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from warehouse.cross.margin_tables import UNKNOWN_TABLE
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

CLOSE, FAIR = 1e-6, 1e-4
# Why a price is not within CLOSE of ours, or could not be held against one.
OFF = ("near_zero", "own_leverage", "unexplained")
NOT_COMPARED = (
    "no_tiers",
    "no_margin",
    "margin_mode_unknown",
    "shared_collateral",
    "no_other_price",
)
OWNER = ("source", "scope", "snapshot_ts", "account", "dex")
GRAIN = ("source", "scope", "coin", "leverage_type")


def compare(positions: pl.DataFrame, tiers: TierTable) -> pl.DataFrame:
    """Hold each position's price against ours.

    Parameters
    ----------
    positions
        Rows of ``positions``, whole accounts of one or more moments.
    tiers
        Margin tiers of the coins then.

    Returns
    -------
    DataFrame
        ``source, scope, coin, leverage_type`` (``unrecorded`` for null), ``venue`` (has the
        venue's price), ``error`` (relative, infinite where we find no price, null where not
        compared), ``verdict`` (``close``, one of ``OFF`` or of ``NOT_COMPARED``; null: the
        venue gives no price), ``sibling`` and ``agrees`` (one of several prices of its
        account; in its largest set that implies one margin), ``silent`` and ``confirmed`` (the
        venue gives no price, and the margin is known; we find none either).
    """
    given = given_tables(positions, tiers)
    venue_px = pl.when(pl.col("liquidation_px_source") == "venue").then("liquidation_px")
    marked = positions.with_columns(
        liquidation_px=venue_px,
        dex=pl.col("coin").str.extract("^([^:]+):").fill_null(""),
        shared=pl.col("leverage_type").ne_missing("isolated"),
    )
    told, whole = agreed(marked, tiers, given, OWNER)
    # Ours is by the coin's tiers, or by a table that is given, never by one that prices showed.
    unsure = (whole == UNKNOWN_TABLE).fill_null(False)
    backed = own_tiers(told.positions, tiers, whole.zip_with(unsure, given))
    rows, ours = _priced(backed.positions, backed)
    other = (given == UNKNOWN_TABLE).fill_null(False) | whole.is_not_null()
    rows = rows.with_columns(
        ours=pl.Series(ours, nan_to_null=True),
        other_leverage=other | shown_by(rows).is_not_null(),
    )
    return _judged(rows)


def _priced(rows: pl.DataFrame, backed: Backed) -> tuple[pl.DataFrame, np.ndarray]:
    """Add ``behind``, USD that *others* say stand behind a position at its mark; price it."""
    size, mark, row = column(rows, "size"), column(rows, "mark_px"), rows["tiers"].to_numpy()
    known, held = row >= 0, np.full(size.size, np.nan)
    held[known] = maintenance_margin(
        np.abs(size[known]) * mark[known], row[known], *arrays(backed)
    )
    rows = rows.with_columns(held=pl.Series(held, nan_to_null=True))
    plain = (pl.col("leverage_type") == "cross").fill_null(False).all().over(OWNER)
    plain &= (pl.col("account_mode").fill_null("standard") == "standard").all().over(OWNER)
    total = pl.when(pl.col("tiers").min().over(OWNER) >= 0).then(
        pl.col("held").sum().over(OWNER)
    )
    value = pl.when(plain).then(pl.col("account_value").first().over(OWNER) - total)
    rows = rows.with_columns(value=value)
    # Reported values are believed as at landing: if known prices do not contradict them.
    miss = (pl.col("value") / pl.col("implied").median().over(OWNER) - 1).abs()
    believed = miss.median().over("source", "scope").fill_null(0.0) <= BELIEVE
    cross = pl.col("leverage_type") == "cross"
    # Where no two agree: of all others, but for what may be isolated.
    sure = cross.fill_null(False) & pl.col("implied").is_not_null()
    mine = pl.when(sure).then("implied").otherwise(0.0)
    sure_others = sure.cast(pl.Int64).sum().over(OWNER) - sure.cast(pl.Int64)
    rows = rows.with_columns(
        sure_others=sure_others,
        rest=pl.when(sure_others > 0).then((mine.sum().over(OWNER) - mine) / sure_others),
    )
    behind = (
        pl.when(~pl.col("shared"))
        .then(pl.col("margin_used"))
        .when(pl.col("others").is_not_null())
        .then(pl.col("others") + pl.col("held"))
        .when(pl.col("rest").is_not_null())
        .then(pl.col("rest") + pl.col("held"))
        .when(cross & believed)
        .then(pl.col("value") + pl.col("held"))
    )
    rows = rows.with_columns(behind=behind)
    raw, ours = column(rows, "behind") - size * mark, np.full(size.size, np.nan)
    ask = known & ~np.isnan(raw)
    ours[ask] = liquidation_px(size[ask], raw[ask], row[ask], *arrays(backed))
    return rows, ours


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    venue = pl.col("liquidation_px").is_not_null()
    asked = pl.col("behind").is_not_null() & (pl.col("tiers") >= 0)
    # Where no mode was recorded, cross is shown by agreement, and by nothing else.
    agrees = pl.col("agrees") & (pl.col("agree") > 1)
    shown = pl.col("leverage_type").is_not_null() | agrees | pl.col("other_leverage")
    several = pl.col("priced") > 1
    error = (pl.col("ours") / pl.col("liquidation_px") - 1).abs().fill_null(float("inf"))
    difference = (pl.col("ours") - pl.col("liquidation_px")).abs().fill_null(float("inf"))
    compared = venue & asked & shown
    verdict = (
        pl.when(~venue)
        .then(None)
        .when(~asked & pl.col("other_leverage"))
        .then(pl.lit("own_leverage"))
        .when(pl.col("tiers") < 0)
        .then(pl.lit("no_tiers"))
        .when(~pl.col("shared") & ~asked)
        .then(pl.lit("no_margin"))
        .when(~shown & several)
        .then(pl.lit("margin_mode_unknown"))
        .when(~asked & (pl.col("account_mode").fill_null("standard") != "standard"))
        .then(pl.lit("shared_collateral"))
        .when(~compared)
        .then(pl.lit("no_other_price"))
        .when(error <= CLOSE)
        .then(pl.lit("close"))
        .when(difference <= CLOSE * pl.col("mark_px"))
        .then(pl.lit("near_zero"))
        .when("other_leverage")
        .then(pl.lit("own_leverage"))
        .otherwise(pl.lit("unexplained"))
    )
    silent = ~venue & asked & (pl.col("leverage_type").is_not_null() | (pl.col("agree") > 1))
    # A price that no mode is recorded of is no sibling of one that is cross, unless it agrees.
    kin = (pl.col("sure_others") > 0) | agrees
    sibling = venue & pl.col("shared") & several
    sibling &= kin | (pl.col("leverage_type") != "cross").fill_null(True)
    # A day holds millions: words as numbers take a third of the memory and of the time.
    return rows.select(
        pl.col(GRAIN).fill_null("unrecorded").cast(pl.Categorical),
        venue.alias("venue"),
        pl.when(compared).then(error).alias("error"),
        verdict.cast(pl.Categorical).alias("verdict"),
        sibling.fill_null(False).alias("sibling"),
        (sibling & agrees).fill_null(False).alias("agrees"),
        silent.fill_null(False).alias("silent"),
        (silent & pl.col("ours").is_null()).fill_null(False).alias("confirmed"),
    )


def summed(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return one row for each source, scope, coin and margin mode of what was compared.

    Parameters
    ----------
    parts
        Answers of :func:`compare`, of one day.

    Returns
    -------
    DataFrame
        The columns of the contract ``margin_errors`` but for its times.
    """
    error = pl.col("error")
    counts = {name: pl.col("verdict") == name for name in (*OFF, *NOT_COMPARED)}
    flags = ("venue", "sibling", "agrees", "silent", "confirmed")
    return (
        pl.concat(parts)
        .group_by(GRAIN)
        .agg(
            positions=pl.len().cast(pl.Int64),
            compared=error.count().cast(pl.Int64),
            # An error without bound has no place in a table; it is counted as no_price.
            median_error=_finite(error.median()),
            p99_error=_finite(error.quantile(0.99, "linear")),
            no_price=error.is_infinite().sum().cast(pl.Int64),
            within_1e6=(error <= CLOSE).sum().cast(pl.Int64),
            within_1e4=(error <= FAIR).sum().cast(pl.Int64),
            **{name: pl.col(name).sum().cast(pl.Int64) for name in flags},
            **{name: what.sum().cast(pl.Int64) for name, what in counts.items()},
        )
        .with_columns(pl.col(GRAIN).cast(pl.String))
        .sort(GRAIN)
    )


def _finite(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_finite()).then(value)
