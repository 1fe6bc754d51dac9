"""This module holds the cluster take-profit: leave one tick before the largest concentration.

Claim: price moves into the largest cluster of liquidations on its way and turns there, so a
target just before it is reached more often, or pays more, than one at a fixed distance.
"""

import numpy as np

from backtest.maps import Maps
from backtest.ticks import price_above, price_below


def cluster_targets(side: np.ndarray, maps: Maps, size_decimals: int | None) -> np.ndarray:
    """Return the target of each signal.

    Parameters
    ----------
    side : int8[n]
        +1 long, -1 short, 0 nothing.
    maps
        What the map said at each decision.
    size_decimals
        Decimals of an order's size, from which ticks follow; null: not known.

    Returns
    -------
    float64[n]
        USD: for a long one tick under the lower edge of the largest cluster of shorts above,
        for a short one tick over the upper edge of the largest cluster of longs below, rounded
        away from the cluster.  NaN: no signal, no map, or no cluster on the way.
    """
    target = np.full(side.size, np.nan)
    for row in np.flatnonzero(side):
        edge = maps.cluster_above[row] if side[row] > 0 else maps.cluster_below[row]
        if np.isnan(edge):
            continue
        before = price_below if side[row] > 0 else price_above
        px = before(float(edge), size_decimals)
        if px > 0:
            target[row] = px
    return target
