"""This module counts imported positions into rows of ``snapshots``."""

import polars as pl

from warehouse.contracts.positions import SNAPSHOTS


def snapshot_rows(positions: pl.DataFrame, *, complete: bool) -> pl.DataFrame:
    """Return a row of ``snapshots`` for each moment, source and scope of ``positions``.  Pure.

    Parameters
    ----------
    positions
        Rows of ``positions``, of one source or more.
    complete
        By its source's word the file holds every position of its scope.  Without it no view
        answers from the snapshot unless asked to.

    Notes
    -----
    A position without a price counts as ``px_unknown``: the file does not say whether it can
    be liquidated.  Where our kernel has filled prices in, count after it.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 2, 5, tzinfo=UTC)
    >>> rows = pl.DataFrame({
    ...     "snapshot_ts": at, "source": "s", "scope": "all", "account": ["a", "a", "b"],
    ...     "liquidation_px_source": ["venue", None, "computed"], "known_ts": at,
    ... })
    >>> made = snapshot_rows(rows, complete=False)
    >>> made.select("positions", "accounts", "px_venue", "px_computed", "px_unknown").row(0)
    (3, 2, 1, 1, 1)
    """
    source = pl.col("liquidation_px_source")
    made = positions.group_by("snapshot_ts", "source", "scope", maintain_order=True).agg(
        accounts=pl.col("account").n_unique().cast(pl.Int64),
        positions=pl.len().cast(pl.Int64),
        px_venue=(source == "venue").sum().cast(pl.Int64),
        px_computed=(source == "computed").sum().cast(pl.Int64),
        px_never=pl.lit(0, pl.Int64),
        px_unknown=source.is_null().sum().cast(pl.Int64),
        known_ts=pl.col("known_ts").max(),
    )
    asked = ("accounts_asked", "accounts_failed", "accounts_skipped")
    made = made.with_columns(
        pl.lit(None, pl.Datetime("us", "UTC")).alias("started_ts"),
        pl.lit(complete).alias("complete"),
        pl.lit(True).alias("trusted"),
        *(pl.lit(None, pl.Int64).alias(name) for name in asked),
    )
    return made.select(column.name for column in SNAPSHOTS.columns)
