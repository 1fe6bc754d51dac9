"""This module measures one replay: what it earned, how it fell, how its trades went."""

import numpy as np


def total_return(equity: np.ndarray, start_equity: float) -> float:
    """Return end equity over start equity, less 1.

    >>> total_return(np.array([100.0, 110.0]), 100.0)
    0.10000000000000009
    """
    return float(equity[-1] / start_equity - 1) if equity.size else 0.0


def max_drawdown(equity: np.ndarray, start_equity: float) -> float:
    """Return the largest fall from a peak, as a fraction of it; the start counts as a peak.

    >>> max_drawdown(np.array([110.0, 88.0, 120.0, 108.0]), 100.0)
    0.2
    """
    whole = np.concatenate([[start_equity], equity])
    peak = np.maximum.accumulate(whole)
    return float(((peak - whole) / peak).max())


def mean_trade(returns: np.ndarray) -> float | None:
    """Return the mean of the trades' returns; null: no trades."""
    return float(returns.mean()) if returns.size else None


def hit_rate(returns: np.ndarray) -> float | None:
    """Return the share of trades that earned more than nothing; null: no trades."""
    return float((returns > 0).mean()) if returns.size else None


def sharpe(equity: np.ndarray, start_equity: float, per_year: float) -> float | None:
    """Return the annualised Sharpe ratio of the bars' returns, without a riskless rate.

    Parameters
    ----------
    equity : float64[n]
        At each close, USD.
    start_equity
        Before the first bar, USD.
    per_year
        Bars of a year.

    Returns
    -------
    float or None
        Null where it is undefined: fewer than two bars, returns that do not vary, or equity
        that is not above 0 throughout.
    """
    whole = np.concatenate([[start_equity], equity])
    if equity.size < 2 or (whole <= 0).any():
        return None
    returns = whole[1:] / whole[:-1] - 1
    spread = returns.std(ddof=1)
    if spread == 0:
        return None
    return float(returns.mean() / spread * np.sqrt(per_year))
