"""This module sizes the entries of another strategy: by notional, by risk, or by volatility.

Claim: bets of one risk give a steadier account than bets of one size.  It changes no side and
no exit, so what a rule is worth without it is what it is worth.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts, numbers
from backtest.strategies.strategy import MaplessWrapper
from backtest.view import View

WAYS = ("notional", "risk", "volatility")
DAY = np.timedelta64(86_400_000_000, "us")


@dataclass(frozen=True, kw_only=True)
class Sized(MaplessWrapper):
    """Replace the size of another strategy's entries.

    Attributes
    ----------
    by
        ``notional``: every entry is worth ``amount`` USD.  ``risk``: its stop, filled at its
        level, costs ``amount`` per cent of equity.  ``volatility``: its notional moves by
        ``amount`` per cent of equity a day, one standard deviation.
    amount
        USD or per cent.
    lookback
        Bars whose returns measure volatility.
    most
        Most notional, in equities, that risk and volatility may ask for.

    Notes
    -----
    An entry is refused where volatility is not known yet, or nothing moved.
    """

    by: str = "risk"
    amount: float = 1.0
    lookback: int = 72
    most: float = 1.0

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise ValueError(f"by {self.by} must be one of {', '.join(WAYS)}")
        numbers(self, "amount", "most", above=0)
        counts(self, "lookback", least=2)

    @property
    def warmup(self) -> int:
        """Return the bars that measure volatility, or more if the entry wants them."""
        own = self.lookback if self.by == "volatility" else 0
        return max(self.entry.warmup, own)

    def decide(self, view: View) -> Decisions:
        """Return the decisions of the entry with another size.

        Raises
        ------
        ValueError
            If risk is asked for and an entry has no stop.
        """
        made = self.entry.decide(view)
        if self.by == "notional":
            return made.but(notional=self.amount, share=np.nan)
        if self.by == "risk":
            distance = stop_distances(made, view.close_px)
            missing = (made.side != 0) & np.isnan(distance)
            if missing.any():
                raise ValueError(
                    f"by risk must size entries with a stop, and {self.entry.name} gives none"
                )
        else:
            distance = volatility(view.close_px, self.lookback) * np.sqrt(DAY / view.bars.width)
        with np.errstate(divide="ignore"):
            share = np.minimum(self.amount / 100 / distance, self.most)
        known = distance > 0
        return made.but(
            side=np.where(known, made.side, 0),
            notional=np.nan,
            share=np.where(known, share, np.nan),
        )


def stop_distances(made: Decisions, close_px: np.ndarray) -> np.ndarray:
    """Return how far each entry's stop lies, as a fraction of its price; NaN: it has none.

    A stop that is a price is measured from the price of the resting entry, or from the close.
    """
    orders = made.orders
    px = np.where(np.isnan(orders["px"]), close_px, orders["px"])
    given = np.abs(px - orders["stop_px"]) / px
    return np.where(np.isnan(given), orders["stop_fraction"], given)


def volatility(close_px: np.ndarray, lookback: int) -> np.ndarray:
    """Return the standard deviation of the last ``lookback`` returns, fractions a bar.

    Returns
    -------
    float64[n]
        Of logarithms of ratios of closes, the newest among them; NaN: too few so far.
    """
    out = np.full(close_px.size, np.nan)
    if close_px.size > lookback:
        windows = np.lib.stride_tricks.sliding_window_view(np.diff(np.log(close_px)), lookback)
        out[lookback:] = windows.std(axis=1, ddof=1)
    return out
