"""This module decides strategies on one tape: each with its own warm-up, each map read once."""

from dataclasses import replace

import numpy as np

from backtest.bars import Bars
from backtest.leg import Leg
from backtest.maps import Maps
from backtest.runs import decide
from backtest.search.remembered import Remembered
from backtest.strategies.strategy import Strategy
from backtest.tape import Tape
from backtest.terms import AT_ONCE


def warmup_of(strategy: Strategy) -> int:
    """Return the bars that a study of a strategy reads before the period."""
    without = strategy.without_map()
    return max(strategy.warmup, 0 if without is None else without.warmup)


class Legs:
    """What strategies decide on one tape, each with the warm-up that is its own.

    Parameters
    ----------
    tape
        With the longest warm-up of them all.
    since : datetime64[us]
        Start of the period.
    """

    def __init__(self, tape: Tape, since: np.datetime64) -> None:
        self.tape, self.since = tape, since
        self.sources = {tape.bars.source} | ({tape.funding.source} - {None})
        self._maps = Remembered(tape)
        self._tapes: dict[int, Tape] = {}

    def of(self, strategy: Strategy) -> Leg:
        """Return what a strategy decides, as a replay takes it."""
        warmup = warmup_of(strategy)
        if warmup not in self._tapes:
            self._tapes[warmup] = _warmed(self.tape, warmup, self.since)
        own = self._tapes[warmup]
        leg = own.leg(decide(strategy, own.view(self._told)))
        # The bars are the same whatever the warm-up, and a launch lays those once that legs
        # share; finer ones are only asked by the drilled reading, or by orders that travel.
        return replace(leg, bars=self.tape.period, fine=_fine(own))

    def _told(
        self, asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        answer = self._maps(asked, moments, px, reach_pct)
        self.sources.update(answer.sources)
        return answer


def _fine(tape: Tape) -> Bars | None:
    return tape.fine if tape.terms.latency > AT_ONCE else None


def _warmed(tape: Tape, warmup: int, since: np.datetime64) -> Tape:
    """Return a tape as it would have been read with a shorter warm-up."""
    bars = tape.bars
    before = bars.start[: bars.warmup]
    kept = int((before >= since - 2 * warmup * bars.width).sum())
    kept = min(kept, warmup)
    if kept == bars.warmup:
        return tape
    cut = slice(bars.warmup - kept, None)
    columns = ("start", "open_px", "high_px", "low_px", "close_px", "volume")
    other = {name: getattr(bars, name)[cut] for name in columns}
    return replace(tape, bars=replace(bars, warmup=kept, **other))
