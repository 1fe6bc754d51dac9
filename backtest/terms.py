"""This module holds what an account is charged and allowed, with nothing left unsaid."""

from dataclasses import asdict, dataclass

import numpy as np

from backtest.records import RULES, SHARE, THROUGH, TOUCH

LIMITS = {"touch": TOUCH, "through": THROUGH, "share": SHARE}

ASSUMPTIONS = (
    "A decision made at the close of a bar fills at the open of the next bar, in full.",
    "Stop and target are watched from the entry bar on; a bar that opens beyond one fills at "
    "its open, otherwise at the level.",
    "A target is a resting limit that fills when the price touches it; a stop is a market "
    "order at its level.",
    "Market orders give up slippage by their size, from the newest book recorded at or before "
    "the open of the bar, one hour old at most, whose fill is measured from its mid; where "
    "there is none, by the impact law: 1 bp of half a spread, and the volatility of the day "
    "before times the root of the order's share of that day's volume. A book that thins within "
    "the bar is not seen.",
    "A decision whose target is no longer ahead of the price at the fill opens no trade and is "
    "counted as unfilled.",
    "A bar that spans stop and target is read twice: the stop first (pessimistic) and the "
    "target first (optimistic).",
    "One position at a time, of the same notional at every entry; no signal is taken at a "
    "close at which it is open.",
    "The account is liquidated when its equity falls below the maintenance margin of the "
    "coin's tiers as they stood at the start, on prices of trades in place of the mark.",
    "A bar is known at its close. Holding times count bars, so a hole between bars lengthens "
    "them.",
    "Entries, stops, time exits and the end pay the taker fee, targets the maker fee.",
    "Hourly funding is paid on every stamp after the entry while the position is held, on its "
    "value at the oracle price, or at the open of the bar where that is not known.",
    "Books, volumes and funding are what the venue did: they are no signal, and count however "
    "late they were published.",
)

AT_ONCE = np.timedelta64(0, "us")


@dataclass(frozen=True, slots=True)
class Costs:
    """What a trade costs.

    Attributes
    ----------
    taker_fee, maker_fee
        Fractions of notional; the defaults are the venue's base tier (its documentation, fees,
        read 2026-08-22).
    funding, slippage
        ``"charged"``, or ``"none"``: left out because the caller said so.
    """

    taker_fee: float = 0.00045
    maker_fee: float = 0.00015
    funding: str = "charged"
    slippage: str = "charged"

    def __post_init__(self) -> None:
        for name in ("funding", "slippage"):
            if getattr(self, name) not in ("charged", "none"):
                raise ValueError(f"{name} {getattr(self, name)!r} must be 'charged' or 'none'")
        for name in ("taker_fee", "maker_fee"):
            # A maker may be paid a rebate; nobody is charged 10 %.
            if not -0.1 < getattr(self, name) < 0.1:
                raise ValueError(f"{name} {getattr(self, name)!r} must be a fraction below 0.1")

    def as_dict(self) -> dict[str, float | str]:
        """Return the costs as they are written beside a run."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for an account and its orders.

    Attributes
    ----------
    costs
        What is charged.
    limit
        When a resting limit fills: ``"touch"``, the price reaches it; ``"through"``, it trades
        ``ticks`` beyond it; ``"share"``, it is reached, for ``volume_share`` of what traded.
    ticks
        Whole ticks of the venue.
    volume_share
        Fraction of a bar's volume.
    latency
        How long a decision travels; 0: it is at the venue for the open that follows the close.
    leverage
        Most notional over equity that an entry may lead to.
    start_equity
        USD.
    """

    costs: Costs = Costs()
    limit: str = "touch"
    ticks: float = 1.0
    volume_share: float = 0.1
    latency: np.timedelta64 = AT_ONCE
    leverage: float = 50.0
    start_equity: float = 10_000.0

    def __post_init__(self) -> None:
        if self.limit not in LIMITS:
            raise ValueError(f"limit {self.limit!r} must be one of {', '.join(LIMITS)}")
        if not 0 <= self.ticks < np.inf:
            raise ValueError(f"ticks {self.ticks!r} must be 0 or more")
        if not 0 < self.volume_share <= 1:
            raise ValueError(f"volume_share {self.volume_share!r} must be above 0 and up to 1")
        for name in ("leverage", "start_equity"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} {getattr(self, name)!r} must be above 0")
        if not self.latency >= AT_ONCE:
            raise ValueError(f"latency {self.latency} must be 0 or more")

    def rules(self, reading: int) -> np.ndarray:
        """Return the record that the kernel takes."""
        out = np.zeros(1, RULES)
        out["reading"], out["limit"] = reading, LIMITS[self.limit]
        out["ticks"], out["volume_share"] = self.ticks, self.volume_share
        out["taker_fee"], out["maker_fee"] = self.costs.taker_fee, self.costs.maker_fee
        out["leverage"], out["start_equity"] = self.leverage, self.start_equity
        return out
