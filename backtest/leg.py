"""This module holds one coin of a replay, and lays several on one grid of bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.drill import Drill
from backtest.kernels.prices import DECIMALS
from backtest.records import BAR, DECISION, empty
from backtest.slippage import Slippage
from backtest.stamps import Stamps, on_bars, on_finer


class Tiers(NamedTuple):
    """Margin tiers of a coin; see :func:`warehouse.kernels.margin.maintenance_margin`."""

    rate: np.ndarray
    deduction: np.ndarray


@dataclass(frozen=True, slots=True)
class Leg:
    """One coin of a replay.

    Attributes
    ----------
    bars
        Bars of the period, without a warm-up.
    decisions
        One per bar.
    funding_rate : float64[n]
        Fraction of notional due at the open of each bar, that of a hole before it included.
    slippage
        What market orders give up; known in every bar after the first decision to enter.
    oracle_px : float64[n]
        What that is taken on, USD; NaN: the open.
    stamps
        What falls due within bars; null: nothing does.
    fine
        Finer bars of the same coin and period; null: there are none.
    seconds
        Seconds of some bars that have no finer ones, which only the drilled reading walks.  No
        order arrives at one: which bars they are of follows from what happened in them.
    drill
        What reads ``seconds``; null: the coin's trades are not known.
    size_decimals
        Decimals of an order's size, from which ticks follow; null: only five figures bind.
    tiers
        Null: positions of the coin are never liquidated.
    max_leverage
        Most that the venue allows of the coin; infinite: not known.
    """

    bars: Bars
    decisions: Decisions
    funding_rate: np.ndarray
    slippage: Slippage
    oracle_px: np.ndarray | None = None
    stamps: Stamps | None = None
    fine: Bars | None = None
    seconds: Bars | None = None
    drill: Drill | None = None
    size_decimals: int | None = None
    tiers: Tiers | None = None
    max_leverage: float = np.inf

    def __post_init__(self) -> None:
        n = len(self.bars)
        if self.bars.warmup:
            raise ValueError("replay takes the bars of the period; use bars.period")
        if not n == len(self.decisions) == self.funding_rate.size == self.slippage.row.size:
            raise ValueError(
                f"{n} bars, {len(self.decisions)} decisions, {self.funding_rate.size} funding "
                f"rates and {self.slippage.row.size} rows of slippage must be of one length"
            )
        if not self.max_leverage > 0:
            raise ValueError(f"max_leverage {self.max_leverage} must be above 0")
        if not np.isfinite(self.funding_rate).all():
            raise ValueError("funding_rate must not be missing")
        self.bars.check()
        self.decisions.check()
        if self.stamps is not None:
            on_bars(self.stamps, self.bars)
        # Before the first decision to enter nothing can fill, so nothing need be known there.
        decided = np.logical_or.accumulate(self.decisions.side != 0)
        self.slippage.check(self.bars, np.concatenate([[False], decided[:-1]]))
        for inner in (self.fine, self.seconds):
            if inner is not None:
                inner.check()

    def records(self) -> np.ndarray:
        """Return the bars as the kernel takes them, without their finer bars."""
        out = _of(self.bars)
        out["funding_rate"] = self.funding_rate
        if self.oracle_px is not None:
            out["oracle_px"] = self.oracle_px
        if self.stamps is not None:
            due = on_bars(self.stamps, self.bars)
            out["paid_by_longs"], out["paid_by_shorts"] = due.by_longs, due.by_shorts
        out["curve"], out["forced"] = self.slippage.row, self.slippage.forced
        return out

    def finer(self, inner: Bars, lacks: np.ndarray) -> np.ndarray:
        """Return finer bars as the kernel takes them, with what falls due on them.

        Parameters
        ----------
        inner
            Finer bars.
        lacks : bool[n]
            Bars that these are asked for.
        """
        out = _of(inner)
        if self.stamps is not None:
            first, last = _rows_of(inner, self.bars)
            due = on_finer(self.stamps, self.bars, inner, first, np.where(lacks, last, first))
            # As a rate of 1 on what a coin pays: several stamps may be due, each on its price.
            out["funding_rate"], out["oracle_px"] = due.opening != 0.0, due.opening
            out["paid_by_longs"], out["paid_by_shorts"] = due.by_longs, due.by_shorts
        return out

    @property
    def whole(self) -> np.ndarray:
        """Return, bool[n], the bars without finer bars."""
        if self.fine is None:
            return np.ones(len(self.bars), bool)
        first, last = _rows_of(self.fine, self.bars)
        return first == last

    @property
    def volume_known(self) -> bool:
        """Return whether the volume of every bar is known."""
        return bool(np.isfinite(self.bars.volume).all())

    @property
    def decimals(self) -> int:
        """Return the most decimals of a price; many where the size's are not known."""
        if self.size_decimals is None:
            return 300
        return max(DECIMALS - self.size_decimals, 0)


def _rows_of(inner: Bars, bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each bar's finer bars, and the one after the last."""
    return np.searchsorted(inner.start, bars.start), np.searchsorted(inner.start, bars.end)


def _of(bars: Bars) -> np.ndarray:
    out = empty(len(bars), BAR)
    for name in ("open_px", "high_px", "low_px", "close_px", "volume"):
        out[name] = getattr(bars, name)
    for name in ("funding_rate", "paid_by_longs", "paid_by_shorts"):
        out[name] = 0.0
    return out


class Grid(NamedTuple):
    """Legs on one grid, as :func:`backtest.kernels.account.replay` takes them."""

    start: np.ndarray
    bars: np.ndarray
    fine: np.ndarray
    decisions: np.ndarray
    live_bar: np.ndarray
    live_fine: np.ndarray


def lay(legs: Sequence[Leg], latency: np.timedelta64) -> Grid:
    """Lay legs on the union of their bars, and say when each decision reaches the venue.

    Parameters
    ----------
    legs
        Coins with bars of one width.
    latency
        How long a decision travels.

    Raises
    ------
    ValueError
        If there is no leg, or the widths of bars differ.
    """
    widths = {leg.bars.width for leg in legs}
    if len(widths) != 1:
        raise ValueError("replay takes one coin or more, with bars of one width")
    (width,) = widths
    start = np.unique(np.concatenate([leg.bars.start for leg in legs]))
    n, coins = start.size, len(legs)
    bars, decisions = empty((n, coins), BAR), empty((n, coins), DECISION)
    live_bar = np.full((n, coins), n)
    live_fine = np.full((n, coins), -1)
    fines, used, curves = [], 0, 0
    for c, leg in enumerate(legs):
        at = np.searchsorted(start, leg.bars.start)
        here = leg.records()
        here["curve"] += curves
        here["forced"] += curves
        curves += leg.slippage.curves.shape[0]
        before = used
        for inner in (leg.fine, leg.seconds):
            if inner is not None:
                lacks = here["first"] == here["last"]
                for name, row in zip(("first", "last"), _rows_of(inner, leg.bars), strict=True):
                    here[name] = np.where(lacks, used + row, here[name])
                fines.append(leg.finer(inner, lacks))
                used += len(inner)
        bars[at, c], decisions[at, c] = here, leg.decisions.orders
        # A coin without a bar is closed at what its last one would have cost.
        known = np.maximum.accumulate(np.where(np.isin(np.arange(n), at), np.arange(n), 0))
        bars["curve"][:, c] = bars["curve"][known, c]
        live_bar[:, c], live_fine[:, c] = _arrivals(start, width, latency, leg.fine, before)
    fine = np.concatenate(fines) if fines else empty(0, BAR)
    return Grid(start, bars, fine, decisions, live_bar, live_fine)


def _arrivals(
    start: np.ndarray,
    width: np.timedelta64,
    latency: np.timedelta64,
    fine: Bars | None,
    offset: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bar, and the finer bar, at whose open each decision is at the venue."""
    moment = start + width + latency
    bar = np.searchsorted(start, moment)
    inner = np.full(start.size, -1)
    if fine is None or latency == np.timedelta64(0, "us"):
        return bar, inner
    found = np.searchsorted(fine.start, moment)
    there = np.minimum(found, len(fine) - 1)
    holds = np.searchsorted(start, fine.start[there], side="right") - 1
    # Only where a finer bar opens before the next bar does, and within a bar of the grid.
    within = (found < len(fine)) & (holds >= 0) & (holds < bar)
    within &= fine.start[there] < start[holds] + width
    return np.where(within, holds, bar), np.where(within, offset + there, inner)
