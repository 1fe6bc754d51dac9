"""This module holds what a strategy may look at: what was known at the close of each bar.

A strategy is asked once for all closes of a coin, for whole arrays are a thousand times faster
than a call a bar.  So the arrays of a view reach past any one close, and a rule that looks
ahead of its row would see the future: ``undertow backtest prove`` takes it away, and tells.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.maps import Maps

REACH_PCT = 15.0

# Which closes ask, when each asks, at what price, and how far it looks, per cent.
MapReader = Callable[[np.ndarray, np.ndarray, np.ndarray, float], Maps]


@dataclass(frozen=True, slots=True)
class View:
    """One coin, as it was known at the close of each bar.

    Attributes
    ----------
    bars
        Bars in order of time, those of the warm-up first; a decision may use its own row and
        rows before it.
    size_decimals
        Decimals of an order's size, from which ticks follow; null: not known.
    read_maps
        What answers :meth:`maps`.
    read_flow
        What answers :meth:`flow`.
    """

    bars: Bars
    size_decimals: int | None
    read_maps: MapReader
    read_flow: Callable[[Bars], Flow]

    @property
    def open_px(self) -> np.ndarray:
        """Return each bar's open, USD."""
        return self.bars.open_px

    @property
    def high_px(self) -> np.ndarray:
        """Return each bar's high, USD."""
        return self.bars.high_px

    @property
    def low_px(self) -> np.ndarray:
        """Return each bar's low, USD."""
        return self.bars.low_px

    @property
    def close_px(self) -> np.ndarray:
        """Return each bar's close, USD."""
        return self.bars.close_px

    def __len__(self) -> int:
        """Return the number of bars, those of the warm-up included."""
        return len(self.bars)

    def maps(self, asked: np.ndarray | None = None, *, reach_pct: float = REACH_PCT) -> Maps:
        """Return what the liquidation map said at each close.

        Parameters
        ----------
        asked : bool[n]
            Closes to answer for; null: all.  Fewer are answered sooner.
        reach_pct
            How far from the close the map is looked at, per cent.  Without a limit the largest
            cluster is that of a hardly leveraged position: of BTC's map on 5 February 2026 it
            lay at 70 times the price.

        Returns
        -------
        Maps
            Unknown in the warm-up and at the last close, after which nothing can fill.
        """
        n = len(self)
        looked = np.ones(n, bool) if asked is None else np.asarray(asked, bool).copy()
        looked[: self.bars.warmup] = False
        looked[n - 1 :] = False
        return self.read_maps(looked, self.bars.end, self.bars.close_px, reach_pct)

    def flow(self) -> Flow:
        """Return how liquidations went in each bar, as far as it was known at its close."""
        return self.read_flow(self.bars)
