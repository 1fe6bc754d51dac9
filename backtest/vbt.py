"""This module replays the same decisions in vectorbt: a second opinion and a known toolbox.

It agrees with :mod:`backtest.replay` on the pessimistic reading where both say the same.
vectorbt does not watch stop and target on the entry bar, pays one fee for makers and takers,
knows neither funding nor an expiry at an open, and leaves open what is open at the end.  No
core result comes from here.
"""

from typing import TYPE_CHECKING

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions

if TYPE_CHECKING:
    import vectorbt


# What vectorbt's own rules have no word for.
_FOLLOWED = ("side", "stop_fraction", "target_fraction", "notional")


def portfolio(
    bars: Bars, decisions: Decisions, *, fee: float, start_equity: float = 10_000.0
) -> "vectorbt.Portfolio":
    """Return vectorbt's portfolio of ``decisions``, each filled at the next open.

    Parameters
    ----------
    bars
        Bars of the period.
    decisions
        One per bar: market entries of a notional, with stop and target as distances.
    fee
        Fraction of notional, for every order.
    start_equity
        USD; a loss does not make later trades smaller.

    Raises
    ------
    ValueError
        If a decision says more, which vectorbt cannot follow.
    """
    orders = decisions.orders
    plain = Decisions.of(**{name: orders[name] for name in _FOLLOWED}).orders
    for name in orders.dtype.names or ():
        if not np.array_equal(
            plain[name], orders[name], equal_nan=orders[name].dtype.kind == "f"
        ):
            raise ValueError(f"vectorbt cannot follow {name}; it knows {', '.join(_FOLLOWED)}")
    import pandas as pd
    import vectorbt as vbt

    side, stop, target, notional = (
        _next(orders[name], empty)
        for name, empty in zip(_FOLLOWED, (0, np.nan, np.nan, 0.0), strict=True)
    )
    index = pd.DatetimeIndex(bars.start)
    # vectorbt refuses an order it has no cash for; ours is a fixed notional on margin.
    spare = 1e6 * np.nanmax(notional, initial=1.0)
    return vbt.Portfolio.from_signals(
        close=pd.Series(bars.close_px, index),
        entries=pd.Series(side > 0, index),
        exits=False,
        short_entries=pd.Series(side < 0, index),
        short_exits=False,
        open=pd.Series(bars.open_px, index),
        high=pd.Series(bars.high_px, index),
        low=pd.Series(bars.low_px, index),
        price=pd.Series(bars.open_px, index),
        size=pd.Series(notional / bars.open_px, index),
        sl_stop=pd.Series(stop, index),
        tp_stop=pd.Series(target, index),
        stop_entry_price="fillprice",
        stop_exit_price="stoplimit",
        upon_opposite_entry="ignore",
        fees=fee,
        init_cash=start_equity + spare,
        freq=pd.Timedelta(bars.width),
    )


def _next(values: np.ndarray, empty: float) -> np.ndarray:
    """Return the values moved to the bar that fills what the bar before decided."""
    return np.concatenate([[empty], values[:-1]]).astype(values.dtype)
