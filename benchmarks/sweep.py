"""This module measures sweeps: one beside vectorbt, with the same trades, and a whole study.

vectorbt does not watch stop and target on the entry bar, so that trades can be the same the bars
wander less within themselves than the nearest level is away, and jump between each other.
"""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg, Slippage
from backtest.statistics.bootstrap import interval
from backtest.statistics.deflated import deflate
from backtest.statistics.overfitting import overfitting
from backtest.sweep import Swept, grid, sweep
from backtest.terms import Costs, Terms
from benchmarks.figure import Figure, apart, best

BARS = 43_200  # a month of minutes
FEE, NOTIONAL, CASH = 0.0005, 10_000.0, 1e9
MINUTE = np.timedelta64(60_000_000, "us")
YEAR, COINS, SETTINGS = 525_600, 5, 2_000


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


def vectorbt(bars: Bars, side: np.ndarray, tried: dict, engine: str) -> vbt.Portfolio:
    """Return vectorbt's portfolio of every setting, a column each."""
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


def same(swept: Swept, theirs: vbt.Portfolio) -> int:
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

    mine = best(ours)
    for engine in ("numba", "rust"):

        def theirs(engine: str = engine) -> vbt.Portfolio:
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
    spent, peak, trades = apart("from benchmarks.sweep import study; print(*study())")
    yield Figure(
        f"a study of {SETTINGS:,} settings x {COINS} coins x a year of minutes, with statistics",
        f"{spent:.0f} s, {peak:.1f} GiB, {trades / 1e6:.0f} m trades",
        "ten minutes, 4 GiB",
        max(spent / 600, peak / 4),
        "≤ 1",
    )


def study() -> tuple[float, float, int]:
    """Return seconds, peak GiB and trades of a whole study of five coins, statistics included."""
    legs = []
    for coin in range(COINS):
        rng = np.random.default_rng(coin)
        move = rng.normal(0, 0.0007, YEAR)
        close_px = 100 * np.exp(np.cumsum(move))
        open_px = np.concatenate([[100.0], close_px[:-1]])
        over, under = np.exp(np.abs(rng.normal(0, 0.0004, (2, YEAR))))
        start = np.datetime64("2025-01-01", "us") + np.arange(YEAR) * MINUTE
        bars = Bars(
            f"C{coin}",
            "none",
            "made up",
            "1m",
            MINUTE,
            start,
            open_px,
            np.maximum(open_px, close_px) * over,
            np.minimum(open_px, close_px) / under,
            close_px,
            np.full(YEAR, np.nan),
        )
        side = rng.choice([-1, 0, 1], YEAR, p=[0.005, 0.99, 0.005])
        decisions = Decisions.of(side, notional=NOTIONAL)
        legs.append(Leg(bars, decisions, np.zeros(YEAR), Slippage.none(YEAR)))
    tried = grid(
        leg=range(COINS),
        stop_fraction=np.linspace(0.002, 0.04, 20),
        target_fraction=np.linspace(0.002, 0.08, 20),
        max_bars=[60, 240, 720, 1440, 2880],
    )
    terms = Terms(Costs(FEE, FEE, "none"), leverage=1e9, start_equity=CASH)
    begun = time.perf_counter()
    swept = sweep(legs, tried, terms)
    # One setting trades all coins: its day is theirs together.
    daily = swept.daily_returns.reshape(COINS, SETTINGS, -1).sum(axis=0).T
    overfitting(daily)
    ratios = daily.mean(axis=0) / daily.std(axis=0, ddof=1)
    best_one = daily[:, np.argmax(ratios)]
    deflate(best_one, ratios)
    interval(best_one, np.random.default_rng(0))
    spent = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return spent, peak, int(swept.results["trades"].sum())
