"""This module finds the margin that an account's own liquidation prices agree on.

All cross positions of an account imply one margin available (see
:func:`warehouse.kernels.margin.implied_margin`).  So the largest set of positions that agree on
one says what it is, and who is not in the set says something too: that it is isolated, or has
tiers that are not its coin's.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.margin import AGREE


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
        margin, USD, of those of the set that are not this row; null where no two agree.
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
        )
    )
    joined = counted.join(most, on=owner, how="left").with_columns(
        agrees=(pl.col("run") == pl.col("best")).fill_null(False)
        & pl.col("implied").is_not_null()
    )
    mine = pl.col("agrees").cast(pl.Int64)
    others = (pl.col("total") - mine * pl.col("implied").fill_null(0.0)) / (
        pl.col("agree") - mine
    )
    return (
        joined.with_columns(others=pl.when(pl.col("agree") > 1).then(others))
        .sort("nth")
        .select("priced", "agree", "agrees", "others")
    )
