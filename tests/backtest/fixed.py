"""A strategy that decides what it is told, for wrappers to wrap."""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Fixed(Strategy):
    sides: tuple[int, ...]
    stop_fraction: float = 0.03
    stop_px: float = float("nan")
    max_bars: int = 10
    leaves: tuple[int, ...] = ()
    told_of: int = 0

    @property
    def blind(self):
        return True

    def decide(self, view):
        side = np.array(self.sides[: len(view)], np.int8)
        leave = np.isin(np.arange(len(view)), self.leaves)
        return Decisions.of(
            side,
            stop_fraction=self.stop_fraction,
            stop_px=self.stop_px,
            target_fraction=0.05,
            max_bars=self.max_bars,
            notional=1e4,
            leave=leave,
            only_side=np.where(leave, self.told_of, 0),
        )
