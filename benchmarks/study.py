"""This module measures a whole study: settings, coins, a year of minutes, and statistics."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg, Slippage
from backtest.search.survives import survivor
from backtest.search.table import Table
from backtest.settings import grid
from backtest.statistics.bootstrap import interval
from backtest.sweep import sweep
from backtest.terms import Costs, Terms
from benchmarks.figure import Figure, apart

YEAR, COINS, SETTINGS = 525_600, 5, 2_000
FEE, NOTIONAL, CASH = 0.0005, 10_000.0, 1e9
HOLD = [60, 240, 720, 1440, 2880]
LONGEST_DAYS = 2  # of a trade, as long as the longest of these
MINUTE = np.timedelta64(60_000_000, "us")


def study() -> tuple[float, float, int]:
    """Return seconds, peak GiB and trades of a study, with all tests of a sweep."""
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
        max_bars=HOLD,
    )
    terms = Terms(Costs(FEE, FEE, "none"), leverage=1e9, start_equity=CASH)
    begun = time.perf_counter()
    swept = sweep(legs, tried, terms)
    # One setting trades all coins: its day is theirs together.
    daily = swept.daily_returns.reshape(COINS, SETTINGS, -1).sum(axis=0).T
    trades = swept.results["trades"].reshape(COINS, SETTINGS).sum(axis=0)
    values = [(number,) for number in range(SETTINGS)]
    table = Table("made up", ("number",), values, daily, trades)
    left = survivor(table, table.sharpe, LONGEST_DAYS, seed=0)
    interval(daily[:, left.best], np.random.default_rng(0))
    spent = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return spent, peak, int(trades.sum())


def studies(folder: Path) -> Iterator[Figure]:
    """Measure a study in a process of its own, whose memory is its own."""
    spent, peak, trades = apart("from benchmarks.study import study; print(*study())")
    yield Figure(
        f"a study: {SETTINGS:,} settings x {COINS} coins x a year of minutes, statistics too",
        f"{spent:.0f} s, {peak:.1f} GiB, {trades / 1e6:.0f} m trades",
        "ten minutes, 4 GiB",
        max(spent / 600, peak / 4),
        "≤ 1",
    )
