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


def portfolio(
    bars: Bars,
    decisions: Decisions,
    *,
    fee: float,
    notional: float = 10_000.0,
    start_equity: float = 10_000.0,
) -> "vectorbt.Portfolio":
    """Return vectorbt's portfolio of ``decisions``, each filled at the next open.

    Parameters
    ----------
    bars
        Bars of the period.
    decisions
        One per bar, with targets as distances and without an expiry.
    fee
        Fraction of notional, for every order.
    notional, start_equity
        USD; a loss does not make later trades smaller.

    Raises
    ------
    ValueError
        If a decision sets an absolute target or an expiry, which vectorbt cannot follow.
    """
    if (decisions.max_bars > 0).any() or np.isfinite(decisions.target_px).any():
        raise ValueError("vectorbt follows neither an expiry at an open nor a target price")
    import pandas as pd
    import vectorbt as vbt

    side, stop, target = (
        _next(values, empty)
        for values, empty in (
            (decisions.side, 0),
            (decisions.stop_fraction, np.nan),
            (decisions.target_fraction, np.nan),
        )
    )
    index = pd.DatetimeIndex(bars.start)
    # vectorbt refuses an order it has no cash for; ours is a fixed notional on margin.
    spare = 1e6 * notional
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
