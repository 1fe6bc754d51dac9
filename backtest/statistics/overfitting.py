"""This module asks how often the best setting of the past is worse than most afterwards.

References
----------
.. [1] D. H. Bailey, J. M. Borwein, M. López de Prado, Q. J. Zhu, "The Probability of Backtest
   Overfitting", Journal of Computational Finance 20(4), 2015: the framework of combinatorially
   symmetric cross-validation (CSCV) and the overfit statistics it gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np

from backtest.statistics.returns import as_returns, scaled

# 24 blocks are split in 2.7 million ways; more would take hours.
MOST_BLOCKS = 24
# Pairs of halves worked on at once: at 2,000 settings their arrays stay within 4 MB each.
PAIRS = 256
# Two settings with the same trades must tie, whatever the order their sums were rounded in.
DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What came of choosing the best setting on half of the blocks, for all halves.

    Attributes
    ----------
    probability
        PBO: share of halves whose best setting is in the lower half, or the middle, of all
        settings on the other blocks.  Near 0.5 where the choice says nothing.
    logits
        float64[c]: of the relative rank of each choice afterwards; above 0 is better than the
        median setting.
    chosen
        float64[c]: Sharpe ratio of the best setting where it was chosen, of one period.
    afterwards
        float64[c]: its Sharpe ratio on the other blocks, of one period.
    slope
        Of ``afterwards`` over ``chosen`` by least squares: 1 keeps what was promised, 0 and
        below does not; None: ``chosen`` does not vary.
    loss
        Probability of loss: share of choices whose Sharpe ratio is below 0 afterwards.
    """

    probability: float
    logits: np.ndarray
    chosen: np.ndarray
    afterwards: np.ndarray
    slope: float | None
    loss: float


def overfitting(returns: np.ndarray, blocks: int = 16) -> Overfitting:
    """Choose the best setting on every half of the blocks, and see how it does on the other.

    Parameters
    ----------
    returns : float64[t, n]
        Returns of ``n`` settings, 2 or more, over the same ``t`` periods in order of time,
        fractions.  A period without a trade returned 0; unknown ones are refused.
    blocks
        Even, from 2 to 24.  The periods are cut into as many runs; where their number does not
        divide, the first runs are one period longer.

    Returns
    -------
    Overfitting
        With one entry per half: ``C(blocks, blocks / 2)``, 12,870 for 16 blocks.

    Raises
    ------
    ValueError
        If there are fewer than 2 settings, fewer than 2 periods a block, blocks that are odd or
        too many, an unknown return, or a setting that returns the same, and not 0, throughout a
        half: it has no Sharpe ratio.

    Notes
    -----
    The relative rank is ``rank / (n + 1)``, 1 being the worst ([1], CSCV).  Settings that tie
    share their mean rank; where several are the best of a half, each is as likely to be
    chosen, and their ranks and ratios are averaged.  A setting that stood still has a Sharpe
    ratio of 0.

    Sums of returns and of squares per block are all that is needed, so a half costs
    ``O(blocks n)``, however long the period is.
    """
    known = as_returns(returns, "returns", 2)
    periods, settings = known.shape
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise ValueError(f"blocks must be even and from 2 to {MOST_BLOCKS}, not {blocks}")
    if settings < 2:
        raise ValueError(f"returns must hold 2 settings or more, not {settings}")
    if periods < 2 * blocks:
        raise ValueError(f"returns must hold {2 * blocks} periods or more, not {periods}")
    runs = np.array_split(scaled(known), blocks)
    counts = np.array([run.shape[0] for run in runs])
    sums = np.array([run.sum(axis=0) for run in runs])
    squares = np.array([(run**2).sum(axis=0) for run in runs])

    halves = comb(blocks, blocks // 2)
    ranks, chosen, afterwards = (np.empty(halves) for _ in range(3))
    for first, held in _pairs(blocks):
        here = _sharpe(held, counts, sums, squares)
        there = _sharpe(~held, counts, sums, squares)
        # In order of the dictionary the other half of the i-th combination is the i-th from
        # behind, so one pair of halves is two choices.
        ahead = slice(first, first + held.shape[0])
        behind = halves - 1 - np.arange(first, first + held.shape[0])
        ranks[ahead], chosen[ahead], afterwards[ahead] = _choose(here, there)
        ranks[behind], chosen[behind], afterwards[behind] = _choose(there, here)
    relative = ranks / (settings + 1)
    return Overfitting(
        probability=float((ranks <= (settings + 1) / 2).mean()),
        logits=np.log(relative / (1 - relative)),
        chosen=chosen,
        afterwards=afterwards,
        slope=_slope(chosen, afterwards),
        loss=float((afterwards < 0).mean()),
    )


def _pairs(blocks: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of a first half and bool[p, blocks], up to the middle of all halves."""
    left = combinations(range(blocks), blocks // 2)
    todo = comb(blocks, blocks // 2) // 2
    for first in range(0, todo, PAIRS):
        some = np.array(list(islice(left, min(PAIRS, todo - first))))
        held = np.zeros((some.shape[0], blocks), dtype=bool)
        np.put_along_axis(held, some, True, axis=1)
        yield first, held


def _sharpe(
    held: np.ndarray, counts: np.ndarray, sums: np.ndarray, squares: np.ndarray
) -> np.ndarray:
    """Return float64[p, n]: Sharpe ratio of each setting over the blocks that are held."""
    many = (held @ counts)[:, None]
    total = np.zeros((held.shape[0], sums.shape[1]))
    square = np.zeros_like(total)
    # Block by block, not as a matrix product: every column is summed in the same order, so that
    # settings with the same returns have the same ratio.
    for block in range(held.shape[1]):
        rows = np.flatnonzero(held[:, block])
        total[rows] += sums[block]
        square[rows] += squares[block]
    mean = total / many
    # What is left of a variance of nothing is rounding, some 1e-16 of the square.
    spread = square - total * mean
    still = spread <= 1e-12 * square
    if (still & (square > 0)).any():
        setting = int(np.flatnonzero((still & (square > 0)).any(axis=0))[0])
        raise ValueError(f"returns of setting {setting} do not vary within half of the blocks")
    with np.errstate(invalid="ignore"):
        ratio = mean / np.sqrt(spread / (many - 1))
    return np.round(np.where(still, 0.0, ratio), DECIMALS)


def _choose(here: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rank afterwards, ratio where chosen and ratio afterwards, float64[p] each."""
    best = here.argmax(axis=1)
    rows = np.arange(best.size)
    chosen = here[rows, best]
    afterwards = there[rows, best]
    ranks = _rank(there, afterwards)
    for row in np.flatnonzero((here == chosen[:, None]).sum(axis=1) > 1):
        tied = there[row, here[row] == chosen[row]]
        afterwards[row] = tied.mean()
        ranks[row] = _rank(
            np.broadcast_to(there[row], (tied.size, there.shape[1])), tied
        ).mean()
    return ranks, chosen, afterwards


def _rank(ratios: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the mean rank of ``own`` among each row of ratios that holds it, 1 the lowest."""
    below = (ratios < own[:, None]).sum(axis=1)
    level = (ratios == own[:, None]).sum(axis=1)
    return below + (level + 1) / 2


def _slope(chosen: np.ndarray, afterwards: np.ndarray) -> float | None:
    """Return the least-squares slope; None: ``chosen`` does not vary."""
    apart = chosen - chosen.mean()
    if np.ptp(chosen) == 0:
        return None
    return float((apart * (afterwards - afterwards.mean())).sum() / (apart**2).sum())
