"""This module holds the cluster take-profit: leave one tick before the largest concentration.

Claim: price moves into the largest cluster of liquidations on its way and turns there, so a
target just before it is reached more often, or pays more, than one at a fixed distance.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.maps import Maps
from backtest.strategies.allowed import numbers
from backtest.strategies.moves import last_side, move
from backtest.strategies.strategy import Wrapper
from backtest.ticks import price_above, price_below
from backtest.view import REACH_PCT, View


@dataclass(frozen=True, kw_only=True)
class ClusterTakeProfit(Wrapper):
    """Replace the target of another strategy by one before the largest cluster on the way.

    Attributes
    ----------
    moves
        Whether the target of an open trade moves as the map does.
    reach_pct
        How far from the close the map is looked at, per cent.

    Notes
    -----
    Without a map, or without a cluster on the way, the target stays what it was.
    """

    moves: bool = False
    reach_pct: float = REACH_PCT

    def __post_init__(self) -> None:
        numbers(self, "reach_pct", above=0, below=100)

    def decide(self, view: View) -> Decisions:
        """Return the decisions of the entry with other targets."""
        made = self.entry.decide(view)
        side = made.side
        maps = view.maps(None if self.moves else side != 0, reach_pct=self.reach_pct)
        target, cluster = cluster_targets(side, maps, view.size_decimals)
        set_here = ~np.isnan(target)
        made = made.but(
            target_px=np.where(set_here, target, made.target_px),
            cluster_px=np.where(set_here, cluster, made.cluster_px),
            snapshot_ts=np.where(side != 0, maps.snapshot_ts, made.snapshot_ts),
            unmapped=made.unmapped | ((side != 0) & ~maps.known),
        )
        if not self.moves:
            return made
        held = last_side(side)
        moved, _ = cluster_targets(held, maps, view.size_decimals)
        return move(made, held, "move_target_px", moved)


def cluster_targets(
    side: np.ndarray, maps: Maps, size_decimals: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return target and cluster of each side.

    Parameters
    ----------
    side : int8[n]
        +1 long, -1 short, 0 nothing.
    maps
        What the map said at each decision.
    size_decimals
        Decimals of an order's size, from which ticks follow; null: not known.

    Returns
    -------
    target : float64[n]
        USD: for a long one tick under the lower edge of the largest cluster of shorts above,
        for a short one tick over the upper edge of the largest cluster of longs below, rounded
        away from the cluster.  NaN: no side, no map, or no cluster on the way.
    cluster : float64[n]
        That edge, USD.
    """
    edge = np.where(side > 0, maps.cluster_above, maps.cluster_below)
    edge[side == 0] = np.nan
    target = np.full(side.size, np.nan)
    for rows, before in ((side > 0, price_below), (side < 0, price_above)):
        # A map stands for many closes: each of its edges is stepped from once.
        rows &= ~np.isnan(edge)
        edges, which = np.unique(edge[rows], return_inverse=True)
        px = np.array([before(float(one), size_decimals) for one in edges])
        target[rows] = np.where(px > 0, px, np.nan)[which]
    return target, edge
