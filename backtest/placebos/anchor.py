"""This module says what the price was when a snapshot was taken, by bars that had closed."""

from collections.abc import Callable

import numpy as np

from backtest.bars import Bars

Anchor = Callable[[np.ndarray], np.ndarray]


def anchor_of(bars: Bars) -> Anchor:
    """Return what gives the price at moments, from nothing later.

    Parameters
    ----------
    bars
        With their warm-up.

    Returns
    -------
    callable
        Of moments, datetime64[us][n], the close of the newest bar that had closed by then,
        USD; before all bars, the first open; NaN of NaT.
    """
    px = np.concatenate([bars.open_px[:1], bars.close_px])

    def at(moments: np.ndarray) -> np.ndarray:
        newest = np.searchsorted(bars.end, moments, side="right")
        return np.where(np.isnat(moments), np.nan, px[np.where(np.isnat(moments), 0, newest)])

    return at
