"""This module finds the margin that an account's own liquidation prices agree on.

All cross positions of an account imply one margin available (see
:func:`warehouse.kernels.margin.implied_margin`).  So the largest set of positions that agree on
one says what it is, and who is not in the set says something too: that it is isolated, or has
tiers that are not its coin's.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from warehouse.kernels.margin import implied_margin
from warehouse.margin import AGREE, Tier, TierTable

# Maximum leverages that the venue's coins have or had (`meta`).  A position may keep the one
# that its coin had before: of 8,300 real positions that miss their account's margin, three in
# four meet it with another leverage of this list.
LEVERAGES = (3, 4, 5, 10, 15, 20, 25, 40, 50)


def agreed_margins(rows: pl.DataFrame, owner: Sequence[str]) -> pl.DataFrame:
    """Return for each row what its account's prices agree on.

    Parameters
    ----------
    rows
        Columns of ``owner`` and ``implied`` (USD, null: no price, or an isolated position).
    owner
        Columns that name an account at one moment.

    Returns
    -------
    DataFrame
        In the order of ``rows``: ``priced``, how many of the account's rows imply a margin;
        ``agree``, how many of them are in the largest set that agrees to ``AGREE``, null if
        ``priced`` is 0; ``agrees``, whether this row is one of them; ``others``, the mean
        margin, USD, of those of the set that are not this row, or of all other rows where no
        two agree; null where there is none.
    """
    keys = [*owner, "run"]
    sorted_rows = (
        rows.with_row_index("nth")
        .select("nth", *owner, "implied")
        .sort(*owner, "implied", nulls_last=True)
    )
    near = pl.col("implied").diff().abs() <= AGREE * pl.col("implied").abs()
    same = pl.struct(owner) == pl.struct(owner).shift(1)
    runs = sorted_rows.with_columns(
        run=(~(near & same).fill_null(False)).cast(pl.Int64).cum_sum(),
    )
    counted = runs.with_columns(
        length=pl.col("implied").count().over(keys),
        priced=pl.col("implied").count().over(owner),
    )
    most = (
        counted.filter(pl.col("implied").is_not_null())
        .sort("length", "run", descending=[True, False])
        .group_by(owner, maintain_order=True)
        .agg(
            best=pl.col("run").first(),
            agree=pl.col("length").first(),
            total=pl.col("implied").filter(pl.col("run") == pl.col("run").first()).sum(),
            whole=pl.col("implied").sum(),
        )
    )
    joined = counted.join(most, on=owner, how="left").with_columns(
        agrees=(pl.col("run") == pl.col("best")).fill_null(False)
        & pl.col("implied").is_not_null()
    )
    set_of = pl.when(pl.col("agree") > 1)
    mine = pl.col("implied").is_not_null() & (pl.col("agrees") | (pl.col("agree") == 1))
    count = set_of.then("agree").otherwise("priced") - mine.cast(pl.Int64)
    own = pl.when(mine).then("implied").otherwise(0.0)
    total = set_of.then("total").otherwise("whole") - own
    return (
        joined.with_columns(others=pl.when(count > 0).then(total / count))
        .sort("nth")
        .select("priced", "agree", "agrees", "others")
    )


def shown_leverages(
    size: np.ndarray, mark: np.ndarray, px: np.ndarray, margin: np.ndarray
) -> np.ndarray:
    """Return the maximum leverage with which each price implies its account's margin.

    Parameters
    ----------
    size, mark, px, margin : float64[n]
        Coins, signed; USD; USD; USD that the account's other prices imply.

    Returns
    -------
    float64[n]
        One of ``LEVERAGES``, as a single tier; NaN: with none of them.
    """
    found = np.full(size.size, np.nan)
    for leverage in LEVERAGES:
        table = TierTable.of({"": [Tier(0.0, float(leverage))]})
        rows = np.zeros(size.size, np.int64)
        implied = implied_margin(size, mark, px, rows, table.first, table.rate, table.deduction)
        meets = np.isnan(found) & (np.abs(implied - margin) <= AGREE * np.abs(margin))
        found[meets] = leverage
    return found
