"""This module applies the venue's margin rules to all accounts of the world at once.

Written from the documentation and not from the warehouse's kernel, so that the one can be held
against the other.  Arrays are accounts by coins; tiers come first.
"""

import numpy as np

from pipelines.demo_rows.prices import COINS
from pipelines.sources.documented_tiers import tiers_of

HIGHEST_PX = 1e15  # the venue gives no liquidation price beyond it


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return rate and deduction by tier and coin; a coin with fewer tiers repeats its last."""
    tiers = [tiers_of(coin.name, coin.max_leverage) for coin in COINS]
    most = max(map(len, tiers))
    rate, deduction = np.zeros((most, len(COINS))), np.zeros((most, len(COINS)))
    for c, steps in enumerate(tiers):
        for n in range(most):
            step = steps[min(n, len(steps) - 1)]
            rate[n, c] = 1 / (2 * step.max_leverage)
            if n:
                rise = rate[n, c] - rate[n - 1, c]
                deduction[n, c] = deduction[n - 1, c] + step.lower_bound * rise
    return rate, deduction


RATE, DEDUCTION = _tables()


def maintenance(notional: np.ndarray) -> np.ndarray:
    """Return the maintenance margin, USD: the highest of the tiers' lines.

    >>> maintenance(np.array([0.0, 1e6, 70e6, 40e6])).tolist()
    [0.0, 20000.0, 1750000.0, 3000000.0]
    """
    margin = RATE[0] * notional
    for rate, deduction in zip(RATE[1:], DEDUCTION[1:], strict=True):
        margin = np.maximum(margin, rate * notional - deduction)
    return margin


def liquidation_px(size: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Return the mark at which equity ``raw + size * mark`` meets maintenance.

    Parameters
    ----------
    size
        Coins, signed.
    raw
        USD behind the position at a mark of 0.

    Returns
    -------
    float64
        USD; NaN where there is no position, or no price up to 1e15 liquidates it.

    Examples
    --------
    Half a position of ETH at 3,000 with 20x: margin 75, rate 2 %.

    >>> px = liquidation_px(np.array([[0, 0.5, 0, 0]]), np.array([[0, 75 - 1500.0, 0, 0]]))
    >>> px.round(4).tolist()
    [[nan, 2908.1633, nan, nan]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = size - RATE[:, None, :] * np.abs(size)
        roots = -(raw + DEDUCTION[:, None, :]) / slope
    px = np.where(size > 0, roots.max(axis=0), roots.min(axis=0))
    return np.where((size != 0) & (px > 0) & (px <= HIGHEST_PX), px, np.nan)
