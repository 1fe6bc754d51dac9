"""This module holds a rule against its placebos.

A rule may be luckier than its draws only because its mean varies more: what it waits for comes
on restless days, or all at once.  A test by draws is right only where they vary as it does [1].
So it must be better than they, and its days must say so too: what the rule adds to its mean
on a day, over the mean of all draws (:mod:`backtest.statistics.by_days`).

A placebo that is not drawn is one sample, and of few days it is not known what another would
have been.  Where trades that lose 1 % are three times as many as those that gain 3 %, all of
five days lose in one market of four, and signs of those days said in 21 % of them, Student's t
in 16 %, that the rule was better; of 20 days 6 and 4 %.

Draws that enter where the rule might have take away what they add on that day: what its market
did is in both, and cancels.  Where it did not, all of it was noise, and a gain that is seen in
half of made-up markets was seen in one of seven.  Draws that are moved to other days have
nothing to do with the rule's: where all coins fall at once, buyers of falls were better than
they, day by day, in 7 % of markets without an edge.

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
from backtest.statistics.by_days import p_of_days, shares_of
from backtest.statistics.comparison import compare
from backtest.statistics.lasting import first_days

LEVELS = (5, 25, 50, 75, 95)
# With fewer the least p is above 0.05.
FEWEST_DRAWS = 19
FEWEST_DAYS = 20


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
        or what its days say, whichever is larger; None: fewer than 19 draws made an attempt, or
        the rule has fewer than two days.  Of another that of a
        :class:`backtest.statistics.comparison.Comparison`; None: there is none, or it attempts
        something on fewer than 20 days.
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
        p = better_than(own, draws[0], rng)
        return Against(placebo.name, means.size, float(means.mean()), None, p)
    spread = tuple(float(edge) for edge in np.percentile(means, LEVELS))
    if len(draws) < FEWEST_DRAWS:
        return Against(placebo.name, means.size, float(means.mean()), spread, None)
    p = among(own, draws, rng, in_place=placebo.in_place)
    return Against(placebo.name, means.size, float(means.mean()), spread, p)


def better_than(own: Attempts, other: Attempts, rng: np.random.Generator) -> float | None:
    """Return p of a rule against a placebo that is not drawn; None: that is of too few days."""
    here, there = _alike([own, other])
    if np.unique(there).size < FEWEST_DAYS:
        return None
    return compare(own.returns, here, other.returns, there, rng).p


def among(
    own: Attempts, draws: Sequence[Attempts], rng: np.random.Generator, *, in_place: bool
) -> float | None:
    """Return p of a rule among draws that made attempts; None: it has fewer than two days."""
    every = [own, *draws]
    labels = _alike(every)
    if np.unique(labels[0]).size < 2:
        return None
    means = np.array([one.mean for one in every], float)
    days = np.unique(np.concatenate(labels))
    shares, *others = (
        shares_of(np.searchsorted(days, label), one.returns - means.mean(), days.size)
        for one, label in zip(every, labels, strict=True)
    )
    by_days = p_of_days(shares - np.mean(others, axis=0) if in_place else shares, rng)
    return max(float((means >= means[0]).sum()) / means.size, by_days)


def _alike(every: Sequence[Attempts]) -> list[np.ndarray]:
    """Return the day of each attempt, or its stretch of days where any trades outlast one."""
    length = max(one.days_alike for one in every)
    return [first_days(one.days, length) for one in every]
