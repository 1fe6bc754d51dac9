"""This module says what a made-up crowd was known to hold, and how its liquidations went."""

from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.maps import Maps
from tests.backtest.edge_worlds.crowd import SLOTS, Walked

HOUR = np.timedelta64(3_600_000_000, "us")
WEEK = 168
LEAST = 42  # hours of the week before that a norm needs


@dataclass(frozen=True)
class Told:
    """One coin's maps and flow.

    Attributes
    ----------
    start : datetime64[us]
        First hour.
    walked
        What happened.
    every, lag
        Hours from one snapshot to the next, and from a snapshot to its publication.
    """

    start: np.datetime64
    walked: Walked
    every: int = 4
    lag: int = 2

    def maps(
        self, asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        """Answer as :func:`backtest.maps.read_maps` does of a lake."""
        out = Maps.unknown(moments.size)
        hour = (moments - self.start) // HOUR - self.lag
        rows = np.flatnonzero(asked & (hour >= 0))
        hour = hour[rows] // self.every * self.every
        out.snapshot_ts[rows] = self.start + hour * HOUR
        at, notional = self.walked.cluster_px[hour], self.walked.cluster_notional[hour]
        here = px[rows, None]
        short = np.arange(2 * SLOTS) < SLOTS
        above = short & (at > here) & (at <= here * (1 + reach_pct / 100))
        below = ~short & (at < here) & (at >= here * (1 - reach_pct / 100))
        out.short_above[rows] = np.where(above, notional, 0).sum(axis=1)
        out.long_below[rows] = np.where(below, notional, 0).sum(axis=1)
        out.cluster_above[rows] = _largest(at, notional, above)
        out.cluster_below[rows] = _largest(at, notional, below)
        sources = frozenset({"simulated"} if rows.size else ())
        return Maps(
            out.snapshot_ts,
            out.short_above,
            out.long_below,
            out.cluster_above,
            out.cluster_below,
            sources,
        )

    def flow(self, bars: Bars) -> Flow:
        """Return how liquidations went in each of the hourly bars."""
        hour = (bars.start - self.start) // HOUR
        long, short = self.walked.long_notional, self.walked.short_notional
        both = long + short
        velocity = both / 60
        summed = np.concatenate([[0.0], np.cumsum(velocity)])
        first = np.maximum(np.arange(both.size) - WEEK, 0)
        held = np.arange(both.size) - first
        norm = np.where(
            held >= LEAST, (summed[:-1] - summed[first]) / np.maximum(held, 1), np.nan
        )
        ratio = velocity / np.maximum(norm, 1.0)
        one_sided = np.abs(long - short) / np.where(both > 0, both, 1.0)
        speed = np.clip(np.log10(np.maximum(ratio, 1.0)) / 2, 0, 1)
        unknown = np.full(hour.size, np.nan)
        return Flow(
            long_notional=long[hour],
            short_notional=short[hour],
            velocity=velocity[hour],
            velocity_ratio=ratio[hour],
            score=(10 * speed * (0.4 + 0.2 * one_sided))[hour],
            open_interest=unknown,
            funding_rate=unknown,
        )


def _largest(at: np.ndarray, notional: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return the price of the largest cluster ahead in each row; NaN: there is none."""
    best = np.argmax(np.where(ahead, notional, -1.0), axis=1)
    return np.where(ahead.any(axis=1), at[np.arange(len(at)), best], np.nan)
