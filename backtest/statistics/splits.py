"""This module splits trades into those a rule may be fitted on and those it is tested on.

A trade lives from its start to its end, both included: what is known at the end (the exit)
may be known at the start of the next.  A trade whose life touches the span under test is
purged from the trades to fit on, and for a while after that span, the embargo, none are
taken.

References
----------
.. [1] M. López de Prado, "Advances in Financial Machine Learning", Wiley, 2018: purging and
   embargo in sections 7.4.1 and 7.4.2, the walk forward in 12.2, combinatorial purged
   cross-validation in 12.4.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from backtest.statistics.returns import as_labels


@dataclass(frozen=True, slots=True)
class Split:
    """What may be fitted on and what is tested, as places in the arrays that were given.

    Attributes
    ----------
    train : int64[a]
        In ascending order; may be empty.
    test : int64[b]
        In ascending order; never empty.
    path : int64[b]
        On which of the ways through the whole period each tested trade lies; all 0 of a walk
        forward, which is one way.
    """

    train: np.ndarray
    test: np.ndarray
    path: np.ndarray


def walk_forward(
    start: np.ndarray,
    end: np.ndarray,
    train: int,
    test: int,
    embargo: int = 0,
    anchored: bool = False,
) -> Iterator[Split]:
    """Yield splits that fit on the past only, one test span after the other.

    Parameters
    ----------
    start, end : int64[n]
        Life of each trade, microseconds since 1970, in any order; ``end >= start``.
    train
        Span to fit on, microseconds, above 0.
    test
        Span to test on, microseconds, above 0.
    embargo
        How long before the test span nothing may still be alive, microseconds, 0 or more.
    anchored
        Fit on everything since the first start, not on the last ``train`` microseconds alone.

    Yields
    ------
    Split
        The first test span begins ``train`` after the first start; spans ``[low, high)``
        follow one another to the last start, those without a trade left out.  Each trade from
        there on is tested once, in the span it starts in, and fitted on where it starts
        within the train span and its life is over before the test span less the embargo.

    Raises
    ------
    ValueError
        If a span is not above 0, the embargo below, or lives are none.
    """
    start, end = _lives(start, end, embargo)
    if train <= 0 or test <= 0:
        raise ValueError(f"train and test must be above 0, not {train} and {test}")
    if start.size == 0:
        return
    first = int(start.min())
    # Only spans that hold a start are asked for: years without a trade cost nothing.
    span = (start - first - train) // test
    for number in np.unique(span[span >= 0]):
        low = first + train + int(number) * test
        since = first if anchored else low - train
        tested = np.flatnonzero(span == number)
        fitted = np.flatnonzero((start >= since) & (end < low - embargo))
        yield Split(fitted, tested, np.zeros(tested.size, dtype=np.int64))


def combinatorial(
    start: np.ndarray, end: np.ndarray, groups: int, tested: int, embargo: int = 0
) -> Iterator[Split]:
    """Yield every choice of ``tested`` groups out of ``groups``, purged and embargoed.

    Parameters
    ----------
    start, end : int64[n]
        Life of each trade, microseconds since 1970, in any order; ``end >= start``.
    groups
        Runs of trades in order of start, as equal in number as they can be; from 2 to ``n``.
    tested
        How many of them are tested at a time, from 1 to ``groups - 1``.
    embargo
        How long after a tested group no trade to fit on may start, microseconds, 0 or more.

    Yields
    ------
    Split
        ``C(groups, tested)`` of them.  Each trade is tested in ``paths(groups, tested)``
        splits, each time on another path; the trades of one path are all trades, once each.

    Raises
    ------
    ValueError
        If the numbers of groups cannot be, the embargo is below 0, or lives are none.

    Notes
    -----
    A tested group spans the time from its first start to its last end: trades to fit on
    neither touch it nor start within ``embargo`` after it ([1], sections 7.4.1, 7.4.2).  The
    j-th split, in order of the dictionary, in which a group is tested puts it on path j ([1],
    section 12.4).
    """
    start, end = _lives(start, end, embargo)
    paths(groups, tested)
    if groups > start.size:
        raise ValueError(f"groups must be {start.size} or fewer, as many as trades: {groups}")
    group = np.empty(start.size, dtype=np.int64)
    runs = np.array_split(np.argsort(start, kind="stable"), groups)
    for number, run in enumerate(runs):
        group[run] = number
    lows = [start[run].min() for run in runs]
    highs = [end[run].max() for run in runs]
    seen = np.zeros(groups, dtype=np.int64)
    for chosen in combinations(range(groups), tested):
        free = np.ones(start.size, dtype=bool)
        for number in chosen:
            # Nothing of the group itself starts after its high, so this leaves it out too.
            free &= (end < lows[number]) | (start > highs[number] + embargo)
        test = np.flatnonzero(np.isin(group, chosen))
        yield Split(np.flatnonzero(free), test, seen[group[test]])
        seen[list(chosen)] += 1


def paths(groups: int, tested: int) -> int:
    """Return how many ways through the whole period the splits give ([1], section 12.4).

    Raises
    ------
    ValueError
        If ``tested`` is not from 1 to ``groups - 1``.

    >>> paths(6, 2)
    5
    """
    if not 1 <= tested < groups:
        raise ValueError(f"tested must be from 1 to groups - 1, not {tested} of {groups}")
    # tested / groups of all C(groups, tested) splits.
    return comb(groups - 1, tested - 1)


def _lives(start: np.ndarray, end: np.ndarray, embargo: int) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and ends that are whole numbers, none before its start."""
    start = np.asarray(start)
    if start.ndim != 1:
        raise ValueError(f"start must have 1 dimension, not {start.ndim}")
    end = as_labels(end, "end", start.size)
    for name, times in (("start", start), ("end", end)):
        if times.dtype.kind != "i":
            raise ValueError(f"{name} must be whole microseconds, not {times.dtype}")
    start, end = start.astype(np.int64), end.astype(np.int64)
    if (end < start).any():
        raise ValueError(f"the trade at {int((end < start).argmax())} ends before it starts")
    if embargo < 0:
        raise ValueError(f"embargo must be 0 or more, not {embargo}")
    return start, end
