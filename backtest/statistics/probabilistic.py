"""This module says how far a Sharpe ratio can be believed, by its length and its odd returns.

References
----------
.. [1] D. H. Bailey, M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk
   15(2), 2012.
"""

import math
from dataclasses import dataclass

import numpy as np

from backtest.statistics.returns import as_level, as_returns, scaled
from backtest.statistics.trials import NORMAL


@dataclass(frozen=True, slots=True)
class Moments:
    """What the distribution of a Sharpe ratio's estimate depends on.

    Attributes
    ----------
    sharpe
        Mean over standard deviation, of one period: not annualised.
    skew, kurtosis
        Of the periods' returns; 0 and 3 for normal ones.
    periods
        How many returns there are, 2 or more.
    """

    sharpe: float
    skew: float
    kurtosis: float
    periods: int

    def __post_init__(self):
        """Refuse moments that no returns have.

        Raises
        ------
        ValueError
            If there are fewer than two periods, or the kurtosis is below ``1 + skew²``.
        """
        if self.periods < 2:
            raise ValueError(f"periods must be 2 or more, not {self.periods}")
        # Pearson's inequality; two-valued returns meet it exactly, up to rounding.
        if not self.kurtosis >= (1 + self.skew**2) * (1 - 1e-9):
            least = f"1 + skew² = {1 + self.skew**2:.4g}"
            raise ValueError(f"kurtosis must be at least {least}, not {self.kurtosis}")

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the estimated Sharpe ratio, [1], section 3."""
        odd = 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2
        return math.sqrt(max(odd, 0.0) / (self.periods - 1))


def moments(returns: np.ndarray) -> Moments | None:
    """Return the moments of returns.

    Parameters
    ----------
    returns : float64[t]
        One per period, fractions.

    Returns
    -------
    Moments or None
        None: fewer than two returns, or all the same.

    Raises
    ------
    ValueError
        If a return is unknown.
    """
    known = as_returns(returns, "returns")
    if known.size < 2:
        return None
    known = scaled(known)
    middle = known.mean()
    apart = known - middle
    apart -= apart.mean()  # what rounding of the mean left over
    spread = math.sqrt(float((apart**2).mean()))
    # Below this, returns that are the same differ by their rounding alone.
    if spread <= 1e-14:
        return None
    skew, kurtosis = (float(((apart / spread) ** power).mean()) for power in (3, 4))
    sample = spread * math.sqrt(known.size / (known.size - 1))
    return Moments(float(middle) / sample, skew, kurtosis, known.size)


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> float | None:
    """Return how sure it is that the true Sharpe ratio is above ``benchmark``.

    Parameters
    ----------
    found
        Moments of the returns.
    benchmark
        Sharpe ratio of one period.

    Returns
    -------
    float or None
        From 0 to 1: ``Φ((SR - benchmark) / deviation)``, [1], section 3.  None: the estimate
        has no deviation (returns of two values can have none).

    Raises
    ------
    ValueError
        If the benchmark is unknown.
    """
    if not math.isfinite(benchmark):
        raise ValueError(f"benchmark must be finite, not {benchmark}")
    if found.deviation == 0:
        return None
    return NORMAL.cdf((found.sharpe - benchmark) / found.deviation)


def minimum_track_record(
    found: Moments, benchmark: float = 0.0, level: float = 0.95
) -> float | None:
    """Return how many periods must be seen to believe a Sharpe ratio above ``benchmark``.

    Parameters
    ----------
    found
        Moments of the returns; how many there are is not used.
    benchmark
        Sharpe ratio of one period.
    level
        How sure one wants to be, between 0 and 1.

    Returns
    -------
    float or None
        Periods: the minimum track record length of [1].  None: the Sharpe ratio is not above
        the benchmark, and no record is long enough.

    Raises
    ------
    ValueError
        If the level is no probability, or the benchmark is unknown.
    """
    wanted = NORMAL.inv_cdf(as_level(level, "level"))
    if not math.isfinite(benchmark):
        raise ValueError(f"benchmark must be finite, not {benchmark}")
    if found.sharpe <= benchmark:
        return None
    one = found.deviation**2 * (found.periods - 1)
    return 1 + one * (wanted / (found.sharpe - benchmark)) ** 2
