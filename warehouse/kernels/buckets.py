"""This module is the one definition of a price bucket.

Bucket ``k`` of width ``w`` per cent is ``[(1 + w/100)**k, (1 + w/100)**(k + 1))`` USD: buckets
are multiplicative and anchored at 1 USD, so that a bucket is the same at every moment and for
every caller.  ``warehouse/sql/macros/bucket_of.sql`` says the same in SQL, and the two are
tested equal.
"""

import numpy as np

from warehouse.kernels._jit import kernel

# Marks a price that has no bucket; no price above 0 comes near it.
NO_BUCKET = np.iinfo(np.int64).min


@kernel
def bucket_low(bucket, width_pct):
    """Return the lower edge of a bucket.

    Parameters
    ----------
    bucket : int64
    width_pct : float64
        Width in per cent, above 0.

    Returns
    -------
    float64
        USD.
    """
    return (1.0 + width_pct / 100.0) ** float(bucket)


@kernel
def buckets_of(px, width_pct):
    """Return the bucket of each price.

    Parameters
    ----------
    px : float64[n]
        Prices, USD.  NaN, infinite and not positive prices have no bucket.
    width_pct : float64
        Width in per cent, above 0.

    Returns
    -------
    int64[n]
        ``bucket_low(out[i]) <= px[i] < bucket_low(out[i] + 1)``, or ``NO_BUCKET``.

    Notes
    -----
    The logarithm only guesses: a price on an edge may be guessed one bucket off, so the guess
    is held against the edges themselves.  O(n).
    """
    step = np.log(1.0 + width_pct / 100.0)
    out = np.full(px.size, NO_BUCKET, dtype=np.int64)
    for i in range(px.size):
        if not (px[i] > 0.0 and px[i] < np.inf):
            continue
        guess = np.int64(np.floor(np.log(px[i]) / step))
        if px[i] < bucket_low(guess, width_pct):
            guess -= 1
        elif px[i] >= bucket_low(guess + 1, width_pct):
            guess += 1
        out[i] = guess
    return out


@kernel
def bin_by_time(column, bucket, notional, first_bucket, columns, rows):
    """Sum notional into a grid of moments and price buckets.

    Parameters
    ----------
    column : int64[n]
        Moment each position belongs to, ``0 <= column < columns``.
    bucket : int64[n]
        Its price bucket, or ``NO_BUCKET``.
    notional : float64[n]
        USD, not negative.
    first_bucket : int64
        Bucket of the grid's first row.
    columns, rows : int64
        Shape of the grid.

    Returns
    -------
    float64[rows, columns]
        ``out[r, c]`` is the sum over ``bucket == first_bucket + r`` and ``column == c``, USD.

    Notes
    -----
    Buckets outside the grid add to no cell.  O(n) time, O(rows * columns) space.
    """
    out = np.zeros((rows, columns))
    for i in range(column.size):
        # Compared before the difference is taken: NO_BUCKET minus anything wraps around.
        if bucket[i] < first_bucket or bucket[i] >= first_bucket + rows:
            continue
        out[bucket[i] - first_bucket, column[i]] += notional[i]
    return out
