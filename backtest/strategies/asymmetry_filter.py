"""This module holds the asymmetry filter: trade only the way the larger magnet pulls.

Claim: price is drawn to where positions are liquidated, for liquidations are forced orders.
A long is worth taking only when the shorts that would be liquidated above are larger than the
longs that would be liquidated below; a short, the other way round.
"""

import numpy as np

from backtest.maps import Maps


def asymmetry_filter(side: np.ndarray, maps: Maps, min_ratio: float) -> np.ndarray:
    """Return ``side`` with the signals refused that the map does not support.

    Parameters
    ----------
    side : int8[n]
        +1 long, -1 short, 0 nothing.
    maps
        What the map said at each decision.
    min_ratio
        How many times the notional against the trade the notional in its favour must be.

    Returns
    -------
    int8[n]
        ``side``, or 0 where the ratio is not reached, where nothing at all lies on the trade's
        way, and where no map was known.

    Raises
    ------
    ValueError
        If ``min_ratio`` is below 0.
    """
    if not min_ratio >= 0:
        raise ValueError(f"min_ratio {min_ratio} must be 0 or more")
    ahead = np.where(side > 0, maps.short_above, maps.long_below)
    behind = np.where(side > 0, maps.long_below, maps.short_above)
    # Without a map both are NaN, and a NaN supports nothing.
    supported = (ahead > 0) & (ahead >= min_ratio * behind)
    return np.where(supported, side, 0).astype(np.int8)
