"""This module shows a rule clusters at the usual distance, the same above and below.

A target before a cluster is a target at some distance.  What is said of clusters must do better
than a rule that knows how far away they mostly lie, and nothing of where they lie now.
"""

import math
from dataclasses import replace
from heapq import heappush, heappushpop

import numpy as np

from backtest.maps import Maps
from backtest.view import MapReader


def distance_only(read: MapReader) -> MapReader:
    """Return a reader whose clusters lie at the median distance of those seen so far.

    Parameters
    ----------
    read
        What answers with the maps themselves.

    Notes
    -----
    A pair of clusters is put at that distance (of logarithms, above and below together) when a
    snapshot is first asked, and stays there until another snapshot answers or the price has
    reached one of the two.  Both sides hold the mean of what both really hold, so that neither
    draws the price more than the other.
    """

    def typical(
        asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        seen = read(asked, moments, px, reach_pct)
        both = (seen.short_above + seen.long_below) / 2
        above, below = np.full(px.size, np.nan), np.full(px.size, np.nan)
        rows = np.flatnonzero(seen.known)
        usual = median_so_far(
            np.log(seen.cluster_above[rows] / px[rows]),
            np.log(px[rows] / seen.cluster_below[rows]),
        )
        snapshot = np.datetime64("NaT", "us")
        low = high = np.nan
        for row, far in zip(rows, usual, strict=True):
            # Written so that a pair that is not there is put anew.
            if snapshot != seen.snapshot_ts[row] or not low < px[row] < high:
                snapshot = seen.snapshot_ts[row]
                low, high = px[row] * np.exp(-far), px[row] * np.exp(far)
            below[row], above[row] = low, high
        return replace(
            seen, short_above=both, long_below=both, cluster_above=above, cluster_below=below
        )

    return typical


def median_so_far(*distances: np.ndarray) -> np.ndarray:
    """Return the median of all distances up to each row, the row's own included.

    Parameters
    ----------
    distances : float64[n]
        One or several for each row; NaN: there is none.

    Returns
    -------
    float64[n]
        NaN: none was seen yet.

    Notes
    -----
    The smaller half lies in one heap and the larger in another: O(n log n).

    >>> median_so_far(np.array([np.nan, 1.0, 4.0]), np.array([np.nan, 3.0, np.nan])).tolist()
    [nan, 2.0, 3.0]
    """
    # Of the smaller half the negatives, so that its largest comes first; it may hold one more.
    small: list[float] = []
    large: list[float] = []
    out = np.full(distances[0].size, np.nan)
    for row, seen in enumerate(zip(*(one.tolist() for one in distances), strict=True)):
        for one in seen:
            if math.isnan(one):
                continue
            if len(small) > len(large):
                heappush(large, -heappushpop(small, -one))
            else:
                heappush(small, -heappushpop(large, one))
        if small:
            out[row] = -small[0] if len(small) > len(large) else (large[0] - small[0]) / 2
    return out
