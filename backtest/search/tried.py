"""This module tries strategies on tapes: as many as can by one launch of the sweep's kernel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.daily import Daily, daily_of
from backtest.flat import days_of
from backtest.leg import Leg
from backtest.replay import replay
from backtest.search.chunk import BARS_AT_ONCE
from backtest.search.legs import Legs
from backtest.search.levels import family, levels, sets
from backtest.strategies.strategy import Strategy
from backtest.sweep import Swept, sweep, why_not
from backtest.terms import Terms

# Whoever came so near to the maintenance margin is replayed with it, for funding that was paid
# within a trade and got back before its end is not seen by a sweep; a fraction of notional.
SPARE = 0.01


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one setting on one tape."""

    daily: Daily
    trades: int


@dataclass(frozen=True, slots=True)
class _Family:
    """Strategies that decide alike on one tape, by number, and what they decide."""

    tape: int
    members: list[int]
    leg: Leg


def try_all(
    tapes: Sequence[Legs], strategies: Sequence[Strategy], terms: Terms
) -> list[list[Tried]]:
    """Try strategies on tapes, each in an account of its own, under the pessimistic reading.

    Parameters
    ----------
    tapes
        What strategies decide on each.
    strategies
        Settings of a rule.
    terms
        What accounts are charged and allowed, alike on all tapes.

    Returns
    -------
    list
        One list a tape, of one a strategy.

    Notes
    -----
    Strategies that decide alike are decided once a tape, and all of them on all tapes go
    through one launch of the sweep's kernel, or through a few where their bars, once for each
    rule, are more than ``BARS_AT_ONCE``.  What it does not follow, and what comes near to the
    account's liquidation, is replayed one by one.  The figures are the same either way.
    """
    found: list[dict[int, Tried]] = [{} for _ in tapes]
    for batch in _batches(_followed(tapes, strategies, terms)):
        for one, tried in zip(batch, _launch(batch, tapes, strategies, terms), strict=True):
            found[one.tape].update(tried)
    for legs, tried in zip(tapes, found, strict=True):
        for number, strategy in enumerate(strategies):
            if number not in tried:
                played = replay([legs.of(strategy)], terms, bound="pessimistic")
                daily = daily_of([(legs.tape.period, played)])
                tried[number] = Tried(daily, len(played))
    return [[tried[number] for number in range(len(strategies))] for tried in found]


def _followed(
    tapes: Sequence[Legs], strategies: Sequence[Strategy], terms: Terms
) -> Iterator[_Family]:
    """Yield what the kernel can follow, one family of strategies on one tape after another."""
    families: dict[Strategy, list[int]] = {}
    for number, strategy in enumerate(strategies):
        if (shared := family(strategy)) is not None:
            families.setdefault(shared, []).append(number)
    for tape, legs in enumerate(tapes):
        for members in families.values():
            first = strategies[members[0]]
            leg = legs.of(first)
            if sets(leg.decisions, levels(first)) and why_not(leg, terms) is None:
                yield _Family(tape, members, leg)


def _batches(followed: Iterator[_Family]) -> Iterator[list[_Family]]:
    """Yield them in lists of as many bars as one launch is given, one at least."""
    batch: list[_Family] = []
    bars = 0
    for one in followed:
        if batch and bars + len(one.leg.bars) > BARS_AT_ONCE:
            yield batch
            batch, bars = [], 0
        batch.append(one)
        bars += len(one.leg.bars)
    if batch:
        yield batch


def _launch(
    batch: Sequence[_Family],
    tapes: Sequence[Legs],
    strategies: Sequence[Strategy],
    terms: Terms,
) -> Iterator[dict[int, Tried]]:
    """Yield what one launch of the kernel says of each family, by strategy, if it can tell."""
    wanted = [levels(strategies[number]) for one in batch for number in one.members]
    settings = {name: np.array([each[name] for each in wanted]) for name in wanted[0]}
    counts = [len(one.members) for one in batch]
    settings["leg"] = np.repeat(np.arange(len(batch)), counts)
    # Chunks are worked side by side, so each takes one thread.
    swept = sweep([one.leg for one in batch], settings, terms, threads=1)
    firsts = np.cumsum([0, *counts[:-1]])
    for one, first in zip(batch, firsts.tolist(), strict=True):
        rows = range(first, first + len(one.members))
        told = _told(swept, rows, one.leg, _least(tapes[one.tape]))
        yield {
            number: tried
            for number, tried in zip(one.members, told, strict=True)
            if tried is not None
        }


def _least(legs: Legs) -> float:
    """Return the equity over notional below which an account may have been liquidated."""
    margin = legs.tape.margin
    return -np.inf if margin is None else float(np.max(margin.tiers.rate)) + SPARE


def _told(swept: Swept, rows: range, leg: Leg, least: float) -> Iterator[Tried | None]:
    """Yield what came of settings on their leg; null: the kernel cannot tell."""
    start = swept.start_equity
    mine = days_of(leg.bars)
    day = np.arange(mine[0], mine[-1] + 1)
    # A day without bars ends where the one before did.
    column = np.searchsorted(swept.day, day, side="right") - 1
    for row in rows:
        result = swept.results[row]
        if result["closest"] < least:
            yield None
            continue
        profit = np.diff(np.concatenate([[start], swept.equity[row, column]]))
        yield Tried(Daily(day, profit / start), int(result["trades"]))
