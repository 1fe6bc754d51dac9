"""This module holds a baseline: buy at the start and keep it.

Claim: none of its own; it is what a rule must beat that is long of a market that rose.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class BuyAndHold(Entry):
    """Buy at the first close of the period; without stop, target or end unless told."""

    stop_pct: float | None = None
    target_pct: float | None = None
    max_bars: int = 0

    @property
    def blind(self) -> bool:
        """Return that the rule knows no map."""
        return True

    def decide(self, view: View) -> Decisions:
        """Return one entry."""
        side = np.zeros(len(view), np.int8)
        side[view.bars.warmup : view.bars.warmup + 1] = 1
        return self.enter(side)
