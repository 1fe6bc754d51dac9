"""This module holds the rule under study, its parameters and its variants."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.maps import Maps
from backtest.strategies.asymmetry_filter import asymmetry_filter
from backtest.strategies.breakout import breakout
from backtest.strategies.cluster_take_profit import cluster_targets

STRATEGY = "breakout"


class Variant(NamedTuple):
    """What the rule may use of the map."""

    name: str
    filters: bool  # refuse signals that the asymmetry does not support
    targets: bool  # take profit before the largest cluster

    @property
    def uses_map(self) -> bool:
        """Return whether the map is looked at."""
        return self.filters or self.targets


WITHOUT_MAP = Variant("without map", filters=False, targets=False)
VARIANTS = (
    WITHOUT_MAP,
    Variant("asymmetry filter", filters=True, targets=False),
    Variant("cluster take-profit", filters=False, targets=True),
    Variant("both", filters=True, targets=True),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Parameters of the rule; none was tuned.

    Attributes
    ----------
    lookback
        Bars of the range that a close must leave.
    stop_pct, target_pct
        Distance from the entry, per cent; the target where no cluster sets it.
    max_bars
        Bars a trade may be held.
    reach_pct
        How far from the price the map is looked at, per cent.  Without a limit the largest
        cluster is that of a hardly leveraged position: of BTC's map on 5 February 2026 it lay
        at 70 times the price.
    min_ratio
        How many times the notional against a trade the notional in its favour must be; 1: the
        larger side decides.
    notional
        Size of every trade at its entry, USD.
    start_equity
        USD.
    """

    lookback: int = 24
    stop_pct: float = 2.0
    target_pct: float = 3.0
    max_bars: int = 24
    reach_pct: float = 15.0
    min_ratio: float = 1.0
    notional: float = 10_000.0
    start_equity: float = 10_000.0

    def signals(self, bars: Bars) -> np.ndarray:
        """Return the side each bar of the period breaks out to; the warm-up is looked at."""
        side = breakout(bars.high_px, bars.low_px, bars.close_px, self.lookback)
        return side[bars.warmup :]

    def decide(
        self, variant: Variant, side: np.ndarray, maps: Maps, size_decimals: int | None
    ) -> Decisions:
        """Return what ``variant`` decides on the base signals ``side``."""
        if variant.filters:
            side = asymmetry_filter(side, maps, self.min_ratio)
        decisions = Decisions.of(
            side,
            stop_fraction=self.stop_pct / 100,
            target_fraction=self.target_pct / 100,
            max_bars=self.max_bars,
            notional=self.notional,
        )
        if variant.uses_map:
            used = np.where(side != 0, maps.snapshot_ts, np.datetime64("NaT", "us"))
            decisions = decisions.but(snapshot_ts=used)
        if variant.targets:
            targets = cluster_targets(side, maps, size_decimals)
            decisions = decisions.but(target_px=targets)
        return decisions

    def parameters(self, variant: Variant, size_decimals: int | None) -> dict[str, object]:
        """Return the parameters that ``variant`` depends on, by name."""
        names = ["lookback", "stop_pct", "target_pct", "max_bars", "notional", "start_equity"]
        if variant.uses_map:
            names.append("reach_pct")
        if variant.filters:
            names.append("min_ratio")
        used: dict[str, object] = {name: getattr(self, name) for name in names}
        if variant.targets:
            used["size_decimals"] = size_decimals
        return used
