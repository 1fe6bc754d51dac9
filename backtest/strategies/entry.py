"""This module holds what strategies that enter by themselves have in common: size and exits."""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts, numbers
from backtest.strategies.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Entry(Strategy):
    """A rule that enters at the market; no default was tuned.

    Attributes
    ----------
    stop_pct, target_pct
        Distance from the entry, per cent; null: there is none.
    max_bars
        Bars a trade may be held; 0: any number.
    notional
        Size of every trade at its entry, USD.
    """

    stop_pct: float | None = 2.0
    target_pct: float | None = 3.0
    max_bars: int = 24
    notional: float = 10_000.0

    def __post_init__(self) -> None:
        numbers(self, "stop_pct", "target_pct", above=0, below=100)
        counts(self, "max_bars", least=0)
        numbers(self, "notional", above=0)

    def enter(self, side: np.ndarray, **fields: object) -> Decisions:
        """Return decisions to enter on ``side``, with the exits and the size of the rule."""
        return Decisions.of(
            side,
            stop_fraction=_fraction(self.stop_pct),
            target_fraction=_fraction(self.target_pct),
            max_bars=self.max_bars,
            notional=self.notional,
            **fields,
        )


def _fraction(pct: float | None) -> float:
    return np.nan if pct is None else pct / 100
