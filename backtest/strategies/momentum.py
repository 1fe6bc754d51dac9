"""This module holds a baseline: hold the way price has gone.

Claim: a coin that rose over the last N bars goes on rising, one that fell goes on falling.
Moskowitz, Ooi and Pedersen ("Time series momentum", 2012) found it over months in futures of
many markets; over hours, after costs, nothing that we know of shows it.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class Momentum(Entry):
    """Turn to the side that the last bars went to; no default was tuned.

    Attributes
    ----------
    lookback
        Bars between the two closes compared.
    """

    lookback: int = 72
    stop_pct: float | None = None
    target_pct: float | None = None
    max_bars: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        counts(self, "lookback")

    @property
    def warmup(self) -> int:
        """Return the bars compared."""
        return self.lookback

    @property
    def blind(self) -> bool:
        """Return that the rule knows no map."""
        return True

    def decide(self, view: View) -> Decisions:
        """Return an entry where the way turns, and at the first close; it leaves the other."""
        way = ways(view.close_px, self.lookback)
        turned = np.diff(way, prepend=np.int8(0)) != 0
        turned[view.bars.warmup : view.bars.warmup + 1] = True
        side = np.where(turned, way, 0)
        return self.enter(side, leave=side != 0, only_side=-side)


def ways(close_px: np.ndarray, lookback: int) -> np.ndarray:
    """Return which way each close lies of the one ``lookback`` bars before.

    Returns
    -------
    int8[n]
        +1 above, -1 below; where it is the same, as at the close before; 0: not known yet.

    Examples
    --------
    >>> ways(np.array([1.0, 2.0, 3.0, 3.0, 2.0]), 1).tolist()
    [0, 1, 1, 1, -1]
    """
    way = np.zeros(close_px.size, np.int8)
    way[lookback:] = np.sign(close_px[lookback:] - close_px[: max(close_px.size - lookback, 0)])
    newest = np.maximum.accumulate(np.where(way != 0, np.arange(way.size), 0))
    return way[newest]
