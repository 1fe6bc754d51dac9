"""This module holds regime stops: the more one-sided the map, the tighter the stop.

Claim: where one side holds many times what the other does, a fall or a rise feeds itself, so a
stop should be near; where both are even, it may be far.  Sellers of liquidation maps give this
use of their regime.  The only public test of stops on cascades that we know of (min66633's
study of 21 coins, 2020 to 2026) found that every stop hurt, and that a stop which was not
watched in its first minute made all of an earlier profit.
"""

from dataclasses import dataclass, replace

import numpy as np

from backtest.decisions import Decisions
from backtest.records import MARKET
from backtest.strategies.allowed import numbers
from backtest.strategies.moves import last_side, move
from backtest.strategies.strategy import Wrapper
from backtest.view import REACH_PCT, View


@dataclass(frozen=True, kw_only=True)
class RegimeStops(Wrapper):
    """Replace the stop of another strategy by one for the regime at its entry.

    Attributes
    ----------
    symmetric_pct, tilted_pct, fragile_pct
        Distance of the stop from the entry, per cent, each no more than the one before.
    moves
        Whether the stop of an open trade moves to ``fragile_pct`` from the close at which the
        regime turns fragile, if that is nearer.
    reach_pct
        How far from the close the map is looked at, per cent.
    uses_map
        False: ``symmetric_pct`` in every regime.

    Notes
    -----
    Where no regime is known the stop is the symmetric one.  What wraps this strategy must not
    set stops again, for a moved stop is held against those set here.
    """

    symmetric_pct: float = 3.0
    tilted_pct: float = 2.0
    fragile_pct: float = 1.0
    moves: bool = False
    reach_pct: float = REACH_PCT
    uses_map: bool = True

    def __post_init__(self) -> None:
        numbers(self, "symmetric_pct", above=0, below=100)
        numbers(self, "tilted_pct", above=0, most=self.symmetric_pct)
        numbers(self, "fragile_pct", above=0, most=self.tilted_pct)
        numbers(self, "reach_pct", above=0, below=100)

    @property
    def blind(self) -> bool:
        """Return whether the one stop is set on what knows no map."""
        return not self.uses_map and self.entry.blind

    @property
    def variant(self) -> str:
        """Return the names of the wrappers that use a map, the innermost first."""
        return super().variant if self.uses_map else self.entry.variant

    def without_map(self) -> "RegimeStops | None":
        """Return what is wrapped without a map, always with the symmetric stop."""
        inner = self.entry.without_map()
        if inner is None and not self.uses_map:
            return None
        return replace(self, entry=inner or self.entry, uses_map=False)

    def decide(self, view: View) -> Decisions:
        """Return the decisions of the entry with other stops."""
        made = self.entry.decide(view)
        side = made.side
        enters = side != 0
        if not self.uses_map:
            return made.but(
                stop_fraction=np.where(enters, self.symmetric_pct / 100, np.nan), stop_px=np.nan
            )
        maps = view.maps(None if self.moves else enters, reach_pct=self.reach_pct)
        regime = maps.regime
        pct = np.full(len(view), self.symmetric_pct)
        pct[regime == "tilted"] = self.tilted_pct
        pct[regime == "fragile"] = self.fragile_pct
        made = made.but(
            stop_fraction=np.where(enters, pct / 100, np.nan),
            stop_px=np.nan,
            snapshot_ts=np.where(enters, maps.snapshot_ts, made.snapshot_ts),
            unmapped=made.unmapped | (enters & ~maps.known),
        )
        if not self.moves:
            return made
        px = tightened(made, view, turns(regime), self.fragile_pct / 100)
        return move(made, last_side(side), "move_stop_px", px)


def turns(regime: np.ndarray) -> np.ndarray:
    """Return the closes at which the regime is fragile and, when last known, was not.

    >>> turns(np.array(["tilted", "unknown", "fragile", "fragile", "unknown"])).tolist()
    [False, False, True, False, False]
    """
    known = np.maximum.accumulate(np.where(regime != "unknown", np.arange(regime.size), -1))
    before = np.concatenate([[-1], known[:-1]])[: regime.size]
    return (regime == "fragile") & (before >= 0) & (regime[before] != "fragile")


def tightened(made: Decisions, view: View, turned: np.ndarray, fraction: float) -> np.ndarray:
    """Return the nearer stops that open trades get where the regime turns fragile.

    Parameters
    ----------
    made
        Decisions with the stops of their entries as fractions.
    view
        Bars.
    turned : bool[n]
        Closes at which it turns.
    fraction
        Distance of the new stop from the close.

    Returns
    -------
    float64[n]
        USD; NaN: as it is.

    Notes
    -----
    Which entry is open is not known here, nor at what price it filled.  So a stop moves only if
    it is nearer than that of every entry of its side that may still be open would be, filled at
    the best price since, and than every stop it may have been moved to.  It is never further
    away then, as long as the trade was filled before the close that moves it: with a latency
    of a bar or more, a trade that fills on the way may get a stop that is further by as much as
    price moved on the way.
    """
    orders = made.orders
    held = last_side(orders["side"])
    rests = np.where(orders["kind"] == MARKET, 0, orders["good_for"])
    last = np.where(orders["max_bars"] > 0, orders["max_bars"] + rests, len(view))
    moved = np.full(len(view), np.nan)
    for side, best_px in ((1, view.high_px), (-1, -view.low_px)):
        # Prices times the side, so that nearer is higher for shorts too.
        entries = np.flatnonzero(orders["side"] == side)
        ends = entries + last[entries]
        rows = np.flatnonzero(turned & (held == side))
        levels = np.full(len(view), -np.inf)
        oldest, since, best = 0, -1, -np.inf
        for row, upto in zip(rows, np.searchsorted(entries, rows), strict=True):
            while oldest < upto and ends[oldest] < row:
                oldest += 1
            if oldest == upto:
                continue
            if entries[oldest] != since:
                since = seen = entries[oldest]
                best = -np.inf
            best = max(best, best_px[seen + 1 : row + 1].max())
            seen = row
            distance = orders["stop_fraction"][entries[oldest:upto]].min()
            level = side * view.close_px[row] * (1 - side * fraction)
            if level > max(
                best * (1 - side * distance), levels[since + 1 : row].max(initial=-np.inf)
            ):
                levels[row] = level
                moved[row] = side * level
    return moved
