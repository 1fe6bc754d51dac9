"""This module replays decisions over bars: checked objects in, trades and equity out.

The arithmetic is in :mod:`backtest.kernels.replay`; this module checks what goes in and names
what comes out.
"""

from dataclasses import asdict, dataclass

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.kernels import replay as kernels

BOUNDS = ("pessimistic", "optimistic")
REASONS = {
    kernels.STOP: "stop",
    kernels.TARGET: "target",
    kernels.TIME: "time",
    kernels.END: "end",
}

ASSUMPTIONS = (
    "A decision made at the close of a bar fills at the open of the next bar, in full.",
    "Stop and target are watched from the entry bar on; a bar that opens beyond one fills at "
    "its open, otherwise at the level.",
    "A target is a resting limit that fills when the price touches it; a stop is a market "
    "order that fills at its level. Slippage and depth are not modelled.",
    "A decision whose target is no longer ahead of the price at the fill opens no trade and is "
    "counted as unfilled.",
    "A bar that spans stop and target is read twice: the stop first (pessimistic) and the "
    "target first (optimistic).",
    "One position at a time, of the same notional at every entry; it is never liquidated, and "
    "no signal is taken at a close at which it is open.",
    "A bar is known at its close. Holding times count bars, so a hole between bars lengthens "
    "them.",
    "Entries, stops, time exits and the end pay the taker fee, targets the maker fee.",
    "Hourly funding is paid on every stamp after the entry while the position is held, on its "
    "value at the open of the bar, which stands in for the oracle price.",
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What a trade costs.

    Attributes
    ----------
    taker_fee, maker_fee
        Fractions of notional; the defaults are the venue's base tier.
    funding
        ``"charged"``, or ``"none"``: left out because the caller said so.
    """

    taker_fee: float = 0.00045
    maker_fee: float = 0.00015
    funding: str = "charged"

    def __post_init__(self) -> None:
        if self.funding not in ("charged", "none"):
            raise ValueError(f"funding {self.funding!r} must be 'charged' or 'none'")
        for name in ("taker_fee", "maker_fee"):
            # A maker may be paid a rebate; nobody is charged 10 %.
            if not -0.1 < getattr(self, name) < 0.1:
                raise ValueError(f"{name} {getattr(self, name)!r} must be a fraction below 0.1")

    def as_dict(self) -> dict[str, float | str]:
        """Return the costs as they are written beside a run."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Replay:
    """Trades and equity of one replay under one reading.

    Attributes
    ----------
    bound
        Reading of ambiguous bars.
    entry_bar, exit_bar : int64[k]
        Numbers of the bars; the decision is of the bar before the entry.
    reason : int8[k]
        See ``REASONS``.
    ambiguous : bool[k]
        The closing bar spans stop and target.
    size : float64[k]
        Coins, signed.
    entry_px, exit_px, stop_px, target_px : float64[k]
        USD; NaN: no such level.
    fees, funding, pnl : float64[k]
        USD; funding is paid, negative received; ``pnl`` is after both.
    position : float64[n]
        Coins at each close, signed.
    equity : float64[n]
        Cash and position at each close, USD.
    outcome : int8[n]
        What became of the decision of each bar.
    notional, start_equity
        USD.
    """

    bound: str
    entry_bar: np.ndarray
    exit_bar: np.ndarray
    reason: np.ndarray
    ambiguous: np.ndarray
    size: np.ndarray
    entry_px: np.ndarray
    exit_px: np.ndarray
    stop_px: np.ndarray
    target_px: np.ndarray
    fees: np.ndarray
    funding: np.ndarray
    pnl: np.ndarray
    position: np.ndarray
    equity: np.ndarray
    outcome: np.ndarray
    notional: float
    start_equity: float

    @property
    def trades(self) -> int:
        """Return the number of closed trades."""
        return self.entry_bar.size

    @property
    def unfilled(self) -> int:
        """Return the number of decisions whose target was passed before they could fill."""
        return int((self.outcome == kernels.UNFILLED).sum())

    @property
    def trade_returns(self) -> np.ndarray:
        """Return each trade's profit over its entry notional."""
        return self.pnl / self.notional

    @property
    def free(self) -> np.ndarray:
        """Return the bars at whose close a decision could be taken and still be filled."""
        could = self.position == 0.0
        could[-1:] = False
        return could


def replay(
    bars: Bars,
    funding_rate: np.ndarray,
    decisions: Decisions,
    costs: Costs,
    *,
    bound: str,
    notional: float = 10_000.0,
    start_equity: float = 10_000.0,
) -> Replay:
    """Replay ``decisions`` over ``bars``.

    Parameters
    ----------
    bars
        Bars of the period, without a warm-up.
    funding_rate : float64[n]
        Fraction of notional due between the opens of the bar before and of each bar, the
        latter included.
    decisions
        One per bar.
    costs
        Fees; whether funding is charged was decided where ``funding_rate`` was read.
    bound
        ``"pessimistic"`` or ``"optimistic"``.
    notional, start_equity
        USD.

    Raises
    ------
    ValueError
        If an argument is out of its range or lengths differ.
    """
    if bound not in BOUNDS:
        raise ValueError(f"bound {bound!r} must be one of {', '.join(BOUNDS)}")
    for name, value in {"notional": notional, "start_equity": start_equity}.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} {value!r} must be above 0")
    if bars.warmup:
        raise ValueError("replay takes the bars of the period; use bars.period")
    if not len(bars) == len(decisions) == funding_rate.size:
        raise ValueError(
            f"{len(bars)} bars, {len(decisions)} decisions and {funding_rate.size} funding "
            "rates must be of one length"
        )
    if not np.isfinite(funding_rate).all():
        raise ValueError("funding_rate must not be missing")
    bars.check()
    decisions.check()
    span, reason, ambiguous, money, position, profit, outcome = kernels.replay(
        bars.open_px,
        bars.high_px,
        bars.low_px,
        bars.close_px,
        funding_rate,
        decisions.side,
        decisions.stop_fraction,
        decisions.target_px,
        decisions.target_fraction,
        decisions.max_bars,
        float(notional),
        costs.taker_fee,
        costs.maker_fee,
        bound == "optimistic",
    )
    size, entry_px, exit_px, stop_px, target_px, fees, funding, pnl = money.T
    return Replay(
        bound=bound,
        entry_bar=span[:, 0],
        exit_bar=span[:, 1],
        reason=reason,
        ambiguous=ambiguous,
        size=size,
        entry_px=entry_px,
        exit_px=exit_px,
        stop_px=stop_px,
        target_px=target_px,
        fees=fees,
        funding=funding,
        pnl=pnl,
        position=position,
        equity=start_equity + profit,
        outcome=outcome,
        notional=float(notional),
        start_equity=float(start_equity),
    )
