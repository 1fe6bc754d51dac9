"""This module says at which price an order fills: ticks, and what a market order costs."""

import numpy as np

from warehouse.kernels._jit import kernel

SIGNIFICANT_FIGURES = 5
DECIMALS = 6


@kernel
def tick_of(px, decimals):
    """Return the distance between neighbouring prices at ``px``, USD.

    Parameters
    ----------
    px : float64
        USD, above 0.
    decimals : int
        Most decimals a price of the coin may have: 6 less those of its sizes.

    Notes
    -----
    A price has at most 5 significant figures and ``decimals`` decimals; a whole number is
    always allowed (the venue's documentation, tick and lot size, read 2026-08-22).
    """
    # The addend keeps 1,000, whose logarithm may come out as 2.9999..., in its own decade.
    figures = 10.0 ** (np.floor(np.log10(px) + 1e-12) + 1.0 - SIGNIFICANT_FIGURES)
    return max(min(figures, 1.0), 10.0 ** -float(decimals))


@kernel
def slippage(sizes, curve, notional):
    """Return what a market order gives up against the price it is decided on.

    Parameters
    ----------
    sizes : float64[k]
        USD, rising.
    curve : float64[k]
        Fraction of the price given up by an order of each size, not falling.
    notional : float64
        USD.

    Returns
    -------
    float64
        Fraction of the price.  Up to the first size it is that of the first; between two it is
        linear in size; beyond the last it grows as the square root of size, as impact does
        (Donier & Bonart 2015, arXiv 1412.4503).
    """
    k = sizes.size
    if notional <= sizes[0]:
        return curve[0]
    if notional >= sizes[k - 1]:
        return curve[k - 1] * np.sqrt(notional / sizes[k - 1])
    i = np.searchsorted(sizes, notional)
    part = (notional - sizes[i - 1]) / (sizes[i] - sizes[i - 1])
    return curve[i - 1] + part * (curve[i] - curve[i - 1])
