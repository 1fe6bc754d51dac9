"""This module turns the positions of many snapshots into a heatmap: time across, price up.

The arithmetic is in :mod:`warehouse.kernels.buckets`; this module chooses which snapshots
may answer, carries columns to arrays and back, and turns null into NaN on the way.
"""

from datetime import datetime

import numpy as np
import polars as pl

from warehouse.kernels.buckets import NO_BUCKET, bin_by_time, bucket_low, buckets_of

SNAPSHOT = ("snapshot_ts", "source", "scope")


def answering_snapshots(
    snapshots: pl.DataFrame, coin: str, since: datetime, until: datetime
) -> pl.DataFrame:
    """Return the snapshots of ``[since, until)`` that a map of ``coin`` would answer from.

    Parameters
    ----------
    snapshots
        Rows of the table ``snapshots``.
    coin
        Venue symbol; ``dex:COIN`` asks for snapshots of that dex.
    since, until
        UTC, half-open.

    Returns
    -------
    DataFrame
        Rows of ``snapshots``, complete, trusted and covering the coin's dex, one for each
        ``snapshot_ts``, in order of time.  Of several at one instant the first by scope and
        source stands, as in the macro ``snapshot_at``.
    """
    dex = coin.split(":", 1)[0] if ":" in coin else "hyperliquid"
    return (
        snapshots.filter(
            pl.col("complete"),
            pl.col("trusted"),
            pl.col("scope").is_in(["all", dex]),
            pl.col("snapshot_ts").is_between(since, until, closed="left"),
        )
        .sort("snapshot_ts", "scope", "source")
        .unique("snapshot_ts", keep="first", maintain_order=True)
    )


def liquidation_heatmap(
    positions: pl.DataFrame, snapshots: pl.DataFrame, width_pct: float = 0.5
) -> pl.DataFrame:
    """Sum liquidation notional by snapshot and price bucket.

    Parameters
    ----------
    positions
        Rows of one coin: ``snapshot_ts``, ``source``, ``scope``, ``size`` (coins, signed) and
        ``liquidation_px`` (USD, null: none).  Rows of other snapshots are left out.
    snapshots
        The snapshots to show, as :func:`answering_snapshots` gives them: the columns.
    width_pct
        Width of a bucket, per cent, above 0 and up to 100.

    Returns
    -------
    DataFrame
        One row for each bucket that holds something: ``snapshot_ts``, ``px_low``,
        ``px_high`` (USD), ``long_notional``, ``short_notional`` (USD at the price where the
        positions close) and ``positions``, sorted by time and price.  A snapshot that holds
        nothing has no row here.

    Raises
    ------
    ValueError
        If ``width_pct`` is not above 0 and up to 100, or a snapshot is given twice.
    """
    if not 0 < width_pct <= 100:
        raise ValueError(
            f"width_pct {width_pct} is not allowed; use a number above 0, up to 100"
        )
    columns = snapshots.sort("snapshot_ts").select(SNAPSHOT)
    if columns["snapshot_ts"].n_unique() < columns.height:
        raise ValueError("snapshots must hold one row for each snapshot_ts")
    held = positions.join(columns.with_row_index("column"), on=SNAPSHOT, how="inner")
    px, size = _floats(held, "liquidation_px"), _floats(held, "size")
    bucket = buckets_of(px, float(width_pct))
    known = bucket[bucket != NO_BUCKET]
    first = int(known.min()) if known.size else 0
    shape = (columns.height, int(known.max()) - first + 1 if known.size else 0)
    column = np.ascontiguousarray(held["column"].to_numpy().astype(np.int64))

    def grid(amount: np.ndarray) -> np.ndarray:
        return bin_by_time(column, bucket, amount, first, *shape)

    # A position without a price has no bucket and adds to no cell, so its NaN stays out.
    long = grid(np.maximum(size, 0.0) * px)
    short = grid(np.maximum(-size, 0.0) * px)
    count = grid(np.ones(px.size))
    # Transposed, so that cells come in order of time, then price.
    at_column, at_row = np.nonzero(count.T)
    edges = np.array([bucket_low(first + row, float(width_pct)) for row in range(shape[1] + 1)])
    return pl.DataFrame(
        {
            "snapshot_ts": columns["snapshot_ts"].gather(at_column),
            "px_low": edges[at_row],
            "px_high": edges[at_row + 1],
            "long_notional": long[at_row, at_column],
            "short_notional": short[at_row, at_column],
            "positions": count[at_row, at_column].astype(np.int64),
        }
    )


def _floats(frame: pl.DataFrame, name: str) -> np.ndarray:
    """Return a column as contiguous ``float64``; null becomes NaN."""
    return np.ascontiguousarray(frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy())
