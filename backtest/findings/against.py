"""This module holds a rule against its placebos.

A rule may be luckier than its draws only because its mean varies more: what it waits for comes
on restless days, or all at once.  A test by draws is right only where they vary as it does [1].
So it must be better than they, and its own days must say that it is above their mean.

References
----------
.. [1] E. Chung, J. P. Romano, "Exact and Asymptotically Robust Permutation Tests", Annals of
   Statistics 41(2), 2013.
.. [2] B. Phipson, G. K. Smyth, "Permutation P-values Should Never Be Zero", Statistical
   Applications in Genetics and Molecular Biology 9(1), 2010.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.placebos.placebo import Placebo
from backtest.pooled import Attempts
from backtest.statistics.comparison import above, compare

LEVELS = (5, 25, 50, 75, 95)
# With fewer the least p is above 0.05.
FEWEST_DRAWS = 19


@dataclass(frozen=True, slots=True)
class Against:
    """A rule's mean attempt against that of one placebo.

    Attributes
    ----------
    name
        Of the placebo.
    draws
        Draws that made any attempt.
    mean
        Of the draws' means, fraction of notional; None: none made an attempt.
    quantiles
        Of the draws' means, at 5, 25, 50, 75 and 95 %; None: it is not drawn, or none did.
    p
        Of "not better than it".  Of a drawn one (1 + draws at least as good) / (1 + draws) [2],
        or that of "its mean is not above that of all draws" by the signs of its days, see
        :func:`backtest.statistics.comparison.above`, whichever is larger; None: fewer than 19
        draws made an attempt, or the rule has fewer than two days.  Of another, see
        :class:`backtest.statistics.comparison.Comparison`; None: there is none.
    """

    name: str
    draws: int
    mean: float | None
    quantiles: tuple[float, ...] | None
    p: float | None


def against(own: Attempts, placebo: Placebo, rng: np.random.Generator) -> Against:
    """Hold a rule's attempts against a placebo's, pessimistic reading of both."""
    draws = [draw.attempts for draw in placebo.draws if len(draw.attempts)]
    if not draws:
        return Against(placebo.name, 0, None, None, None)
    means = np.array([draw.mean for draw in draws])
    if not placebo.drawn:
        p = compare(own.returns, own.days, draws[0].returns, draws[0].days, rng).p
        return Against(placebo.name, means.size, float(means.mean()), None, p)
    spread = tuple(float(edge) for edge in np.percentile(means, LEVELS))
    p = among(own, draws, rng) if len(draws) >= FEWEST_DRAWS else None
    return Against(placebo.name, means.size, float(means.mean()), spread, p)


def among(own: Attempts, draws: Sequence[Attempts], rng: np.random.Generator) -> float | None:
    """Return p of a rule among draws that made attempts; None: it has fewer than two days."""
    means = np.array([one.mean for one in (own, *draws)], float)
    by_days = above(own.returns, own.days, float(means.mean()), rng)
    if by_days is None:
        return None
    return max(float((means >= means[0]).sum()) / means.size, by_days)
