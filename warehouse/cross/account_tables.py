"""This module finds accounts that have one maximum leverage in all of their coins.

Two vaults of the venue do: 3,334 real prices of theirs imply one margin each time, to 1e-9, if
maintenance is the same share of every position, and not if it is each coin's.  Where all
prices are of shorts any share makes them agree, and only the account value says which.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.cross.margin_tables import LEVERAGES, UNKNOWN_TABLE, implied_by
from warehouse.margin import AGREE, column

# The value must be this many times as near to one leverage as to any other: it is reported by
# another page than the prices, of another minute.
NEARER = 2.0


def account_tables(rows: pl.DataFrame, owner: Sequence[str]) -> pl.Series:
    """Return the margin table that an account has in all of its coins.

    Parameters
    ----------
    rows
        Positions of whole accounts, with ``shared`` (not isolated) and what
        :func:`warehouse.cross.agreed_margin.agreed_margins` says by their coins' tiers.
    owner
        Columns that name an account at one moment.

    Returns
    -------
    Series
        Of each row that shares its account's margin: null, if the account's prices agree by
        its coins' tiers, or by no one leverage in all coins; ``UNKNOWN_TABLE``, if they do by
        several and its value does not say which; else the name of the table.
    """
    names = [*owner, "shared", "size", "mark_px", "liquidation_px"]
    priced = pl.col("shared") & pl.col("liquidation_px").is_not_null()
    apart = (priced.sum().over(owner) > 1) & (
        (pl.col("agree") < pl.col("priced")).any().over(owner)
    )
    plain = (pl.col("account_mode").fill_null("standard") == "standard").all().over(owner)
    plain &= (pl.col("leverage_type").ne_missing("isolated")).all().over(owner)
    some = rows.with_row_index("nth").filter(apart & pl.col("shared"))
    none = pl.Series("table", [None] * rows.height, pl.String)
    if not some.height:
        return none
    value = pl.when(plain).then(pl.col("account_value").first().over(owner))
    reported = rows.select(*owner, value=value).unique(owner)
    some = some.select("nth", *names).join(reported, on=owner, how="left", nulls_equal=True)
    met = pl.concat([_met(some, owner, leverage) for leverage in LEVERAGES])
    ranked = met.sort("miss", "leverage", nulls_last=True).group_by(owner, maintain_order=True)
    found = ranked.agg(
        first=pl.col("leverage").first(),
        several=pl.len() > 1,
        miss=pl.col("miss").first(),
        next=pl.col("miss").shift(-1).first(),
    )
    clear = ~pl.col("several") | (NEARER * pl.col("miss") <= pl.col("next")).fill_null(False)
    table = (
        pl.when(clear).then(pl.col("first").cast(pl.String)).otherwise(pl.lit(UNKNOWN_TABLE))
    )
    said = some.join(found.with_columns(table=table), on=owner, nulls_equal=True)
    return none.scatter(said["nth"], said["table"])


def _met(some: pl.DataFrame, owner: Sequence[str], leverage: int) -> pl.DataFrame:
    """Return the accounts all of whose prices agree by a leverage, and how far it is off.

    ``miss`` is the fraction by which margin and maintenance miss the account's value; null:
    that is not known.
    """
    columns = (column(some, name) for name in ("size", "mark_px", "liquidation_px"))
    implied = pl.Series("implied", implied_by(str(leverage), *columns), nan_to_null=True)
    held = (pl.col("size").abs() * pl.col("mark_px")).sum() / (2 * leverage)
    return (
        some.with_columns(implied)
        .group_by(owner)
        .agg(
            apart=pl.col("implied").max() - pl.col("implied").min(),
            margin=pl.col("implied").median(),
            held=held,
            value=pl.col("value").first(),
        )
        .filter(pl.col("apart") <= AGREE * pl.col("margin").abs())
        .with_columns(
            miss=((pl.col("margin") + pl.col("held")) / pl.col("value") - 1).abs(),
            leverage=pl.lit(leverage),
        )
        .drop("apart", "margin", "held", "value")
    )
