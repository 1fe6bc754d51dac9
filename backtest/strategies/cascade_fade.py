"""This module holds cascade fading: buy after a fast fall, when the forced sellers are through.

Claim: forced orders push price further than news does, and it comes back when they end.  The
best public evidence is min66633's study of 21 coins, minutes from 2020 to 2026.  "Buy after a
fall of 3 % in 15 minutes" made 41.6 bp a trade in sample and 15.5 bp (t = 2.4) out of it; its
mirror image after rises lost 11.0 bp (t = -0.3); stops and take-profits hurt; the books held
some 1 million USD within 1 %, so that 100,000 USD cost 8.9 bp there and back.
"""

from dataclasses import dataclass, replace

import numpy as np

from backtest.decisions import Decisions
from backtest.flow import Flow
from backtest.strategies.allowed import counts, numbers
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class CascadeFade(Entry):
    """Buy after a fall in which longs were liquidated, once that is spent; none was tuned.

    Attributes
    ----------
    lookback
        Bars that the fall may take.
    move_pct
        Least fall from the close before those bars to the newest, per cent.
    min_notional
        Least notional of longs liquidated in them, USD, and more than of shorts.
    spent_share
        Of the bar of them in which most was liquidated, the share that the newest may have.
    rises
        Whether rises in which shorts were liquidated are sold too.
    uses_flow
        False: the fall alone.
    """

    lookback: int = 4
    move_pct: float = 3.0
    min_notional: float = 100_000.0
    spent_share: float = 0.5
    rises: bool = False
    uses_flow: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        counts(self, "lookback")
        numbers(self, "move_pct", above=0, below=100)
        numbers(self, "min_notional", least=0)
        numbers(self, "spent_share", least=0, most=1)

    @property
    def warmup(self) -> int:
        """Return the bars of the fall."""
        return self.lookback

    def without_map(self) -> "CascadeFade | None":
        """Return the rule that buys falls, whoever sold."""
        return replace(self, uses_flow=False) if self.uses_flow else None

    @property
    def blind(self) -> bool:
        """Return whether falls alone decide."""
        return not self.uses_flow

    def decide(self, view: View) -> Decisions:
        """Return an entry at each close that ends such a fall."""
        wanted = fades(view.close_px, self.lookback, self.move_pct / 100, rises=self.rises)
        made = self.enter(wanted)
        if not self.uses_flow:
            return made
        forced, known = spent(
            view.flow(), wanted, self.lookback, self.min_notional, self.spent_share
        )
        return made.but(side=np.where(forced, wanted, 0), unmapped=(wanted != 0) & ~known)


def fades(close_px: np.ndarray, lookback: int, fraction: float, *, rises: bool) -> np.ndarray:
    """Return, int8[n], the side against each move of ``fraction`` or more in some bars.

    >>> fades(np.array([100.0, 99.0, 97.0, 100.0]), 2, 0.03, rises=True).tolist()
    [0, 0, 1, 0]
    """
    side = np.zeros(close_px.size, np.int8)
    if close_px.size > lookback:
        moved = close_px[lookback:] / close_px[:-lookback] - 1
        side[lookback:][moved <= -fraction] = 1
        if rises:
            side[lookback:][moved >= fraction] = -1
    return side


def spent(
    flow: Flow, side: np.ndarray, lookback: int, min_notional: float, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return, bool[n], where a cascade against ``side`` is over, and where that is known.

    Parameters
    ----------
    flow
        Liquidations bar by bar.
    side : int8[n]
        +1: longs were liquidated and the trade would be long; -1 the mirror; 0: not asked.
    lookback
        Bars of the cascade; all must be known.
    min_notional
        Least notional liquidated in them, USD.
    share
        Share of the largest bar that the newest may have.
    """
    forced, known = np.zeros(side.size, bool), np.zeros(side.size, bool)
    for row in np.flatnonzero(side):
        bars = slice(max(row + 1 - lookback, 0), row + 1)
        ways = flow.long_notional[bars], flow.short_notional[bars]
        mine, other = ways if side[row] > 0 else ways[::-1]
        known[row] = not np.isnan(mine.sum() + other.sum())
        enough = mine.sum() >= min_notional and mine.sum() > other.sum()
        forced[row] = known[row] and enough and mine[-1] <= share * mine.max()
    return forced, known
