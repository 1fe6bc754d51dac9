"""This module holds the asymmetry filter: trade only the way the larger magnet pulls.

Claim: price is drawn to where positions are liquidated, for liquidations are forced orders.
A long is worth taking only when the shorts that would be liquidated above are larger than the
longs that would be liquidated below; a short, the other way round.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import numbers
from backtest.strategies.strategy import Wrapper
from backtest.view import REACH_PCT, View


@dataclass(frozen=True, kw_only=True)
class AsymmetryFilter(Wrapper):
    """Refuse the entries of another strategy that the map does not support.

    Attributes
    ----------
    min_ratio
        How many times the notional against the trade the notional in its favour must be; 1:
        the larger side decides.
    reach_pct
        How far from the close the map is looked at, per cent.

    Notes
    -----
    Refused too: where nothing at all lies on the trade's way, and where no map was known.
    """

    min_ratio: float = 1.0
    reach_pct: float = REACH_PCT

    def __post_init__(self) -> None:
        numbers(self, "min_ratio", least=0)
        numbers(self, "reach_pct", above=0, below=100)

    def decide(self, view: View) -> Decisions:
        """Return the decisions of the entry, those refused without a side."""
        made = self.entry.decide(view)
        side = made.side
        maps = view.maps(side != 0, reach_pct=self.reach_pct)
        ahead = np.where(side > 0, maps.short_above, maps.long_below)
        behind = np.where(side > 0, maps.long_below, maps.short_above)
        # Without a map both are NaN, and a NaN supports nothing.
        supported = (ahead > 0) & (ahead >= self.min_ratio * behind)
        return made.but(
            side=np.where(supported, side, 0),
            snapshot_ts=np.where(supported, maps.snapshot_ts, made.snapshot_ts),
            unmapped=made.unmapped | ((side != 0) & ~maps.known),
        )
