"""This module replays the same decisions in vectorbt: a second opinion and a known toolbox.

No core result comes from here.  Trades agree exactly with the pessimistic reading of
:mod:`backtest.replay` where both say the same: one coin, market entries of a notional, stop and
target as distances, one fee, and no bar in which an entry meets its own levels.  A bar that
opens beyond a level fills at its open in both, and one that spans stop and target stops in
both.  Where they differ, each shown in ``tests/backtest/test_vbt.py``:

* **Entry bar.** vectorbt watches stop and target from the bar after the entry on; we watch from
  the entry on.
* **Ambiguous bars.** It knows the pessimistic reading alone, and does not say which trades were
  ambiguous.
* **Fees.** One for every order; ours pays the maker fee where a target rested.
* **Slippage and funding.** None are charged here; what vectorbt could charge is one fraction
  for every order, whatever its size and the book.
* **Money.** Nothing is refused: it is given a million times the notional in cash, for it knows
  no margin.  We refuse what the leverage does not carry and orders below 10 USD.  So its
  returns and ratios are of that spare cash: take profits, not returns.
* **Liquidation.** There is none; our account may lose its position to its maintenance margin.
* **Several coins.** Each has a portfolio of its own; our account holds them behind one equity.
* **End.** What is open at the last close stays open; we close it there and charge for it.
* **What it has no word for** is refused: limit and stop entries, time exits, trailing stops,
  levels as prices, moves, exits by decision, sizes as a share of equity.
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
