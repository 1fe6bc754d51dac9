"""This module says how much money a rule bears before its own orders eat what it earns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backtest.again import funded, sized, together
from backtest.bars import Bars
from backtest.one_account import in_accounts
from backtest.pooled import attempts_of
from backtest.records import REFUSED
from backtest.replay import Replay
from backtest.runs import Run
from backtest.tape import Tape

FACTORS = (0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Capacity:
    """The mean attempt by size, pessimistic reading.

    Attributes
    ----------
    factors
        Of every order's notional, and of the account.
    notional
        Median entry at each, USD.
    mean
        Of an attempt, fraction of notional.  What is refused beyond as many as at the study's
        own size is in no mean: an account that its first orders emptied would earn 0 with all
        others.  None: the venue refuses them all, as where they are smaller than its smallest.
    zero
        Notional at which the mean turns from above 0 to 0, USD, between two factors by
        logarithms; None: it is not above 0 at the smallest taken, or still is at the largest.
    filled, attempts
        How many attempts there are at each, those refused too, and of how many a trade came.
    """

    factors: tuple[float, ...]
    notional: tuple[float, ...]
    mean: tuple[float | None, ...]
    zero: float | None
    filled: tuple[int, ...]
    attempts: tuple[int, ...]


def capacity(
    tapes: Sequence[Tape], own: Sequence[Run], account: str = "each"
) -> Capacity | None:
    """Replay a rule's decisions at other sizes.

    Parameters
    ----------
    tapes
        One a coin.
    own
        The rule's runs, pessimistic reading.
    account
        As in :class:`backtest.question.Question`: coins of one account are replayed in one of
        another size, all together.

    Returns
    -------
    Capacity or None
        None: slippage was left out, so size costs nothing, or nothing was traded.
    """
    entered = [run.replay.entry_notional for run in own]
    if not sum(map(len, entered)) or any(t.terms.costs.slippage == "none" for t in tapes):
        return None
    middle = float(np.median(np.concatenate(entered)))
    means, filled, tried = [], [], []
    anyway = _refused([run.replay for run in own])
    accounts = in_accounts(list(zip(tapes, own, strict=True)), account)
    for factor in FACTORS:
        played = [one for coins in accounts for one in _at_size(coins, factor)]
        attempts = attempts_of(played)
        refused = _refused([one for _, one in played])
        taken = len(attempts) - max(refused - anyway, 0)
        earned = float(attempts.returns.sum())
        means.append(earned / taken if refused < len(attempts) else None)
        filled.append(attempts.trades)
        tried.append(len(attempts))
    notional = tuple(middle * factor for factor in FACTORS)
    zero = turning(notional, means)
    return Capacity(FACTORS, notional, tuple(means), zero, tuple(filled), tuple(tried))


def _at_size(coins: Sequence[tuple[Tape, Run]], factor: float) -> list[tuple[Bars, Replay]]:
    """Replay the coins of an account with ``factor`` times the orders and the equity."""
    tapes = [tape for tape, _ in coins]
    decisions = [sized(run.decisions, factor) for _, run in coins]
    shares = together(tapes, decisions, terms=funded(tapes[0].terms, factor))
    return [(tape.period, share) for tape, share in zip(tapes, shares, strict=True)]


def _refused(replays: Sequence[Replay]) -> int:
    return sum(int((one.outcome == REFUSED).sum()) for one in replays)


def turning(notional: Sequence[float], mean: Sequence[float | None]) -> float | None:
    """Return the notional at which a mean first turns from above 0 to 0 or below.

    >>> turning([1e3, 1e5, 1e7], [0.02, 0.01, -0.01])
    1000000.0
    """
    pairs = list(zip(notional, mean, strict=True))
    while pairs and pairs[0][1] is None:
        del pairs[0]
    for (before, high), (after, low) in pairwise(pairs):
        if high is None or low is None or high <= 0:
            return None
        if low <= 0:
            part = high / (high - low)
            return round(math.exp(math.log(before) + part * math.log(after / before)), 6)
    return None
