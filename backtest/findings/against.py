"""This module holds a rule against its placebos."""

from dataclasses import dataclass

import numpy as np

from backtest.placebos.placebo import Placebo
from backtest.pooled import Attempts
from backtest.statistics.comparison import compare

LEVELS = (5, 25, 50, 75, 95)


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
        Of "not better than it".  Of a drawn one, (1 + draws at least as good) / (1 + draws); of
        another, by days drawn anew, see :class:`backtest.statistics.comparison.Comparison`.
        None: either made no attempt, or the days are too few.
    """

    name: str
    draws: int
    mean: float | None
    quantiles: tuple[float, ...] | None
    p: float | None


def against(own: Attempts, placebo: Placebo, rng: np.random.Generator) -> Against:
    """Hold a rule's attempts against a placebo's, pessimistic reading of both."""
    means = np.array([mean for mean in placebo.means if mean is not None])
    if not means.size:
        return Against(placebo.name, 0, None, None, None)
    p = None
    if own.mean is not None and placebo.drawn:
        p = float((1 + (means >= own.mean).sum()) / (1 + means.size))
    elif own.mean is not None:
        other = placebo.draws[0].attempts
        p = compare(own.returns, own.days, other.returns, other.days, rng).p
    spread = None
    if placebo.drawn:
        spread = tuple(float(edge) for edge in np.percentile(means, LEVELS))
    return Against(placebo.name, means.size, float(means.mean()), spread, p)
