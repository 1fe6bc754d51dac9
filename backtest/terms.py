"""This module holds what an account is charged and allowed, with nothing left unsaid."""

from dataclasses import asdict, dataclass

import numpy as np

from backtest.records import RULES, SHARE, THROUGH, TOUCH

LIMITS = {"touch": TOUCH, "through": THROUGH, "share": SHARE}

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
        # A maker may be paid a rebate, who takes is not; nobody is charged 10 %.
        if not 0 <= self.taker_fee < 0.1:
            raise ValueError(
                f"taker_fee {self.taker_fee!r} must be a fraction below 0.1, 0 or more"
            )
        if not -0.1 < self.maker_fee < 0.1:
            raise ValueError(f"maker_fee {self.maker_fee!r} must be a fraction below 0.1")

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
        Most notional over margin of any position; a coin's own maximum may be lower.
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
        out["start_equity"] = self.start_equity
        return out


def assumptions(terms: Terms, *, shared: bool) -> tuple[str, ...]:
    """Return what a replay on these terms takes for granted, one sentence each.

    Parameters
    ----------
    terms
        Of every account.
    shared
        Whether several coins are in one.
    """
    in_accounts = "each coin in an account of its own"
    if shared:
        in_accounts = (
            "all coins in one account: sizes follow its equity, margin is shared, and when it "
            "is liquidated all positions go"
        )
    late = "" if terms.latency == AT_ONCE else f" after {_seconds(terms.latency)} on the way"
    said = [
        f"A decision made at the close of a bar fills at the next open{late}, in full; at the "
        "market only the venue's smallest order and the margin refuse one.",
        "Stop and target are watched from the entry bar on; a bar that opens beyond one fills "
        "at its open, otherwise at the level.",
        f"A target and a limit are resting orders that fill {_resting(terms)}; a stop is a "
        "market order at its level.",
        "Who is filled where the price has passed its own stop, as by its own slippage, is "
        "stopped out there at once; a target that the price has passed takes there. Only a "
        "resting order that was not reached in its time is counted as unfilled.",
        "A bar in which what came first cannot be told is read twice, for the worse "
        "(pessimistic) and for the better (optimistic); where finer bars are held, or all of "
        "its trades, these are looked into (drilled).",
        f"One position a coin at a time, {in_accounts}; no signal is taken at a close at which "
        "a position in the coin is open.",
        "An account is liquidated when its equity falls below the maintenance margin of its "
        "coins' tiers as they stood at the first close, on prices of trades in place of the "
        "mark.",
        "A bar is known at its close. Holding times count bars, so a hole between bars "
        "lengthens them.",
        "Orders that take pay the taker fee, orders that rested the maker fee.",
    ]
    if terms.costs.slippage == "charged":
        said.append(
            "Market orders give up slippage by their size, from the newest book recorded at or "
            "before the open of the bar, one hour old at most, whose fill is measured from its "
            "mid; where there is none, by the impact law: 1 bp of half a spread, and the "
            "volatility of the day before times the root of the order's share of that day's "
            "volume."
        )
        said.append(
            "A stop, a trailing stop and a liquidation pay, size by size, the worst of that "
            "curve and of all books recorded within their bar; where none is, the worse of it "
            "and of the law with the bar's own range for its volatility (Parkinson 1980). The "
            "optimistic reading knows only the curve of the open. A book that thinned between "
            "two that were recorded is not seen."
        )
    if terms.costs.funding == "charged":
        said.append(
            "Hourly funding is paid on every stamp after the entry while the position is held, "
            "on its value at the oracle price, or at the bar's open where that is not known."
        )
    said.append(
        "Books, volumes and funding are what the venue did: they are no signal, and count "
        "however late they were published."
    )
    return tuple(said)


def _resting(terms: Terms) -> str:
    if terms.limit == "through":
        return f"when the price trades {terms.ticks:g} ticks beyond them"
    if terms.limit == "share":
        return (
            f"when the price touches them, for {100 * terms.volume_share:g} % of what the bar "
            "traded at most"
        )
    return "when the price touches them"


def _seconds(latency: np.timedelta64) -> str:
    return f"{latency / np.timedelta64(1, 's'):g} s"
