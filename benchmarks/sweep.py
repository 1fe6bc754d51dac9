"""This module measures a sweep of stops and targets beside vectorbt, with the same trades.

vectorbt does not watch stop and target on the entry bar.  So that trades can be the same, bars
wander less within themselves than the nearest level is away, and jump between each other.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg, Slippage
from backtest.settings import grid
from backtest.sweep import Swept, sweep
from backtest.terms import Costs, Terms
from benchmarks.figure import Figure, best

if TYPE_CHECKING:
    import vectorbt as vbt

BARS = 43_200  # a month of minutes
FEE, NOTIONAL, CASH = 0.0005, 10_000.0, 1e9
MINUTE = np.timedelta64(60_000_000, "us")


def month(seed: int = 0) -> tuple[Bars, np.ndarray]:
    """Return a month of minutes, and a signal every fiftieth on average."""
    rng = np.random.default_rng(seed)
    inside = rng.uniform(-0.0004, 0.0004, BARS)
    jump = rng.normal(0, 0.0008, BARS)
    open_px = 100 * np.exp(np.cumsum(jump + np.roll(inside, 1)))
    close_px = open_px * (1 + inside)
    start = np.datetime64("2026-01-01", "us") + np.arange(BARS) * MINUTE
    high_px = np.maximum(open_px, close_px) * 1.0001
    low_px = np.minimum(open_px, close_px) * 0.9999
    volume = np.full(BARS, np.nan)
    columns = (open_px, high_px, low_px, close_px, volume)
    bars = Bars("BTC", "none", "made up", "1m", MINUTE, start, *columns)
    return bars, rng.choice([-1, 0, 1], BARS, p=[0.01, 0.98, 0.01])


def vectorbt(bars: Bars, side: np.ndarray, tried: dict, engine: str) -> "vbt.Portfolio":
    """Return vectorbt's portfolio of every setting, a column each."""
    import vectorbt as vbt

    index = pd.DatetimeIndex(bars.start)
    arrives = np.concatenate([[0], side[:-1]])[:, None]
    prices = {
        name: pd.Series(getattr(bars, f"{name}_px"), index) for name in ("open", "high", "low")
    }
    return vbt.Portfolio.from_signals(
        close=pd.Series(bars.close_px, index),
        entries=arrives > 0,
        exits=False,
        short_entries=arrives < 0,
        short_exits=False,
        price=prices["open"],
        size=NOTIONAL / bars.open_px[:, None],
        sl_stop=tried["stop_fraction"][None, :],
        tp_stop=tried["target_fraction"][None, :],
        stop_entry_price="fillprice",
        stop_exit_price="stoplimit",
        upon_opposite_entry="ignore",
        fees=FEE,
        init_cash=CASH,
        freq="1min",
        engine=engine,
        **prices,
    )


def same(swept: Swept, theirs: "vbt.Portfolio") -> int:
    """Hold the trades of both equal; return how many there are."""
    records = theirs.trades.records
    # What is open at the end they leave open, and we close.
    closed = records[records["status"] == 1].sort_values(["col", "entry_idx"])
    ours = swept.trades[swept.trades["reason"] != 4]
    for name, other in (("coin", "col"), ("entered", "entry_idx"), ("left", "exit_idx")):
        np.testing.assert_array_equal(ours[name], closed[other])
    for name, other in (("entry_px", "entry_price"), ("exit_px", "exit_price"), ("pnl", "pnl")):
        np.testing.assert_allclose(ours[name], closed[other], rtol=1e-9, atol=1e-4)
    return len(closed)


def sweeps(folder: Path) -> Iterator[Figure]:
    """Measure 200 settings over a month of minutes."""
    bars, side = month()
    leg = Leg(bars, Decisions.of(side, notional=NOTIONAL), np.zeros(BARS), Slippage.none(BARS))
    tried = grid(
        stop_fraction=np.linspace(0.002, 0.02, 10), target_fraction=np.linspace(0.002, 0.04, 20)
    )
    terms = Terms(Costs(FEE, FEE, "none"), leverage=1e9, start_equity=CASH)

    def ours() -> Swept:
        return sweep([leg], tried, terms, keep_trades=True)

    mine = best(ours, 20)
    for engine in ("numba", "rust"):

        def theirs(engine: str = engine) -> "vbt.Portfolio":
            return vectorbt(bars, side, tried, engine)

        trades = same(ours(), theirs())
        yardstick = best(theirs, 3)
        yield Figure(
            f"200 stops and targets x {BARS:,} minutes, {trades:,} trades alike",
            f"{mine * 1e3:.0f} ms",
            f"vectorbt `from_signals`, engine {engine}: {yardstick * 1e3:.0f} ms",
            yardstick / mine,
            "≥ 20",
        )
