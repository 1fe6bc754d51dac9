"""This module compares a rule with the same one that knows neither map nor flow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.daily import daily_of
from backtest.pooled import attempts_of
from backtest.runs import Run
from backtest.statistics.bootstrap import FEWEST_PERIODS
from backtest.statistics.comparison import Comparison, compare
from backtest.statistics.lasting import first_days
from backtest.statistics.superiority import superior


@dataclass(frozen=True, slots=True)
class Ablation:
    """A rule against itself without the map, under one reading.

    Attributes
    ----------
    bound
        The reading.
    attempts
        Mean attempts with and without, over the same days.
    p
        Of "its daily returns are not higher", by blocks of days (SPA); None: fewer than 20
        days, or they do not differ.
    """

    bound: str
    attempts: Comparison
    p: float | None


def ablate(
    bound: str, own: Sequence[Run], base: Sequence[Run], rng: np.random.Generator
) -> Ablation:
    """Compare runs of one reading, one a coin, with those without the map."""
    both = [[(run.bars, run.replay) for run in runs] for runs in (own, base)]
    ours, theirs = (attempts_of(pairs) for pairs in both)
    length = max(ours.days_alike, theirs.days_alike)
    here, there = (first_days(one.days, length) for one in (ours, theirs))
    found = compare(ours.returns, here, theirs.returns, there, rng)
    returns, others = (daily_of(pairs).returns for pairs in both)
    p = None
    if returns.size >= FEWEST_PERIODS and np.ptp(returns - others) > 0:
        better = superior(returns[:, None], others, rng)
        p = None if better is None else better.p
    return Ablation(bound, found, p)
