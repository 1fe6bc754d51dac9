"""This module holds mean reversion in a symmetric regime: fade what leaves the mean.

Claim: where liquidations lie evenly above and below, none pulls the price, and a move away from
its mean comes back; where they do not, it runs.  Sellers of liquidation maps give this use of
the regime; we know of no public test.  The nearest one (min66633's study of 21 coins, 2020 to
2026) found that the map explains nothing of what price does in calm hours.
"""

from dataclasses import dataclass, replace

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts, numbers
from backtest.strategies.entry import Entry
from backtest.view import REACH_PCT, View


@dataclass(frozen=True, kw_only=True)
class MeanReversionSymmetric(Entry):
    """Enter against a close far from the mean, leave where it is back; no default was tuned.

    Attributes
    ----------
    lookback
        Bars of the mean; the one that decides is not among them.
    far
        Standard deviations of those bars that a close must lie away.
    reach_pct
        How far from the close the map is looked at, per cent.
    uses_map
        False: whatever the regime.
    """

    lookback: int = 48
    far: float = 2.0
    reach_pct: float = REACH_PCT
    uses_map: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        counts(self, "lookback", least=2)
        numbers(self, "far", above=0)
        numbers(self, "reach_pct", above=0, below=100)

    @property
    def warmup(self) -> int:
        """Return the bars of the mean."""
        return self.lookback

    def without_map(self) -> "MeanReversionSymmetric | None":
        """Return the rule that fades in every regime."""
        return replace(self, uses_map=False) if self.uses_map else None

    @property
    def blind(self) -> bool:
        """Return whether every regime is faded."""
        return not self.uses_map

    def decide(self, view: View) -> Decisions:
        """Return entries against far closes, and exits where price crosses the mean."""
        away = deviations(view.close_px, self.lookback)
        wanted = np.where(away <= -self.far, 1, np.where(away >= self.far, -1, 0))
        wanted = wanted.astype(np.int8)
        back = crossings(away)
        made = self.enter(wanted, leave=back != 0, only_side=back)
        if not self.uses_map:
            return made
        maps = view.maps(wanted != 0, reach_pct=self.reach_pct)
        enters = (wanted != 0) & (maps.regime == "symmetric")
        return made.but(
            side=np.where(enters, wanted, 0),
            snapshot_ts=np.where(enters, maps.snapshot_ts, made.snapshot_ts),
            unmapped=(wanted != 0) & ~maps.known,
        )


def deviations(close_px: np.ndarray, lookback: int) -> np.ndarray:
    """Return how far each close lies from the mean of the closes before it.

    Returns
    -------
    float64[n]
        In standard deviations of those ``lookback`` closes; NaN: too few so far, or all alike.

    Examples
    --------
    >>> deviations(np.array([1.0, 3.0, 4.0, 4.0]), 2).round(3).tolist()
    [nan, nan, 1.414, 0.707]
    """
    out = np.full(close_px.size, np.nan)
    if close_px.size > lookback:
        before = np.lib.stride_tricks.sliding_window_view(close_px[:-1], lookback)
        spread = before.std(axis=1, ddof=1)
        some = spread > 0
        away = close_px[lookback:] - before.mean(axis=1)
        out[lookback:][some] = away[some] / spread[some]
    return out


def crossings(away: np.ndarray) -> np.ndarray:
    """Return whose trade is over at each close: +1 longs, price is up at the mean; -1 shorts.

    >>> crossings(np.array([np.nan, -2.0, -0.1, 0.0, 1.0, 2.0, -1.0])).tolist()
    [0, 0, 0, 1, 1, 0, -1]
    """
    way = np.sign(np.nan_to_num(away))
    rows = np.maximum.accumulate(np.where(way != 0, np.arange(way.size), 0))
    before = np.concatenate([[0.0], way[rows][:-1]])[: way.size]
    up, down = (before < 0) & (away >= 0), (before > 0) & (away <= 0)
    return up.astype(np.int8) - down.astype(np.int8)
