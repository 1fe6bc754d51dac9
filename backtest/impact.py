"""This module says what an order gives up where no book was recorded: the square-root law.

Half the spread, and ``Y`` times the day's volatility times the root of the share that the order
has of the day's volume (Donier & Bonart 2015, arXiv 1412.4503: a million orders in Bitcoin, of
four decades of size).
"""

import numpy as np

from backtest.bars import Bars

# Chosen, not measured: the literature finds constants near 1, and no book of the venue's past
# is held where the law is needed.
Y = 1.0
# Chosen likewise: 1 bp.  Large coins have less, small ones more, which only a book would say.
HALF_SPREAD = 1e-4
DAY = np.timedelta64(86_400_000_000, "us")
# Less of the day before says too little of it.
LEAST = np.timedelta64(6 * 3_600_000_000, "us")


def impact(sizes: np.ndarray, volatility: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Return what orders give up by the law.

    Parameters
    ----------
    sizes : float64[k]
        USD.
    volatility : float64[n]
        Of a day, a fraction; NaN: not known.
    volume : float64[n]
        Of a day, USD; NaN: not known.

    Returns
    -------
    float64[n, k]
        Fraction of the price; NaN where either is not known, or nothing was traded.

    >>> impact(np.array([1e4]), np.array([0.02]), np.array([4e8])).tolist()
    [[0.0002]]
    """
    traded = np.where(volume > 0, volume, np.nan)[:, None]
    return HALF_SPREAD + Y * volatility[:, None] * np.sqrt(sizes / traded)


def day_volatility(bars: Bars, moments: np.ndarray) -> np.ndarray:
    """Return the volatility of a day, from the bars of the day before each moment.

    Parameters
    ----------
    bars
        Bars that reach a day further back than the first moment, where there are such.
    moments : datetime64[us][n]
        UTC, rising.

    Returns
    -------
    float64[n]
        Root of the sum of squared logarithmic returns, close to close, the first from its own
        open, over the time that they took; NaN where they took less than ``LEAST``.
    """
    before = np.concatenate([bars.open_px[:1], bars.close_px[:-1]])
    squared = np.log(bars.close_px / before) ** 2
    begun = np.concatenate([bars.start[:1], bars.end[:-1]])
    low = np.searchsorted(begun, moments - DAY, side="left")
    high = np.searchsorted(bars.end, moments, side="right")
    took = _between(_hours(bars.end - begun), low, high)
    return _per_day(_between(squared, low, high), took) ** 0.5


def range_volatility(bars: Bars) -> np.ndarray:
    """Return the volatility of a day that the range of each bar tells of.

    Returns
    -------
    float64[n]
        Root of ``ln(high / low) ** 2 / (4 ln 2)``, of a day instead of the bar's length: a
        diffusion's variance from its range (Parkinson 1980, The Extreme Value Method for
        Estimating the Variance of the Rate of Return, Journal of Business 53, 61-65).

    Notes
    -----
    It is known at the end of the bar, and not at its open.
    """
    a_bar = np.log(bars.high_px / bars.low_px) / np.sqrt(4 * np.log(2))
    return a_bar * np.sqrt(DAY / bars.width)


def day_volume(bars: Bars, moments: np.ndarray) -> np.ndarray:
    """Return what was traded in the day before each moment, USD.

    Parameters
    ----------
    bars, moments
        As in :func:`day_volatility`.

    Returns
    -------
    float64[n]
        Coins times close of the bars whose volume is known, as if the rest of the day had gone
        on like them; NaN where they are shorter than ``LEAST`` together.
    """
    known = np.isfinite(bars.volume)
    usd = np.where(known, bars.volume, 0.0) * bars.close_px
    low = np.searchsorted(bars.start, moments - DAY, side="left")
    high = np.searchsorted(bars.end, moments, side="right")
    took = _between(known * _hours(bars.width), low, high)
    return _per_day(_between(usd, low, high), took)


def _hours(length: np.ndarray | np.timedelta64) -> np.ndarray:
    return np.asarray(length / np.timedelta64(1, "h"))


def _between(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the sum of ``values[low:high]``, 0 where that is empty."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[np.maximum(high, low)] - total[low]


def _per_day(amount: np.ndarray, hours: np.ndarray) -> np.ndarray:
    enough = hours >= _hours(LEAST) - 1e-9
    # A difference of two sums may miss 0 by a rounding.
    return np.maximum(amount, 0.0) * 24 / np.where(enough, hours, np.nan)
