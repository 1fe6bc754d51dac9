"""vectorbt as a second opinion, on bars that no stop or target touches on the entry bar."""

import numpy as np
import pytest

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.replay import replay
from backtest.slippage import Slippage
from backtest.terms import Costs, Terms
from backtest.vbt import portfolio

FEE = 0.0005


def restless(rng, n):
    """Bars that wander 0.5 % within themselves and jump 2 % between each other."""
    jump = rng.normal(0.0, 0.02, n)
    inside = rng.uniform(-0.005, 0.005, n)
    open_px = 100 * np.exp(np.cumsum(jump + np.roll(inside, 1)))
    close_px = open_px * (1 + inside)
    start = np.datetime64("2026-01-01", "us") + np.arange(n) * np.timedelta64(1, "h")
    return Bars(
        "BTC",
        "hyperliquid",
        "test",
        "1h",
        np.timedelta64(3_600_000_000, "us"),
        start,
        open_px,
        np.maximum(open_px, close_px) * 1.001,
        np.minimum(open_px, close_px) * 0.999,
        close_px,
        np.full(n, np.nan),
    )


@pytest.mark.slow
def test_vectorbt_makes_the_same_trades():
    rng = np.random.default_rng(7)
    bars = restless(rng, 2_000)
    side = rng.choice([-1, 0, 0, 1], 2_000)
    decisions = Decisions.of(side, stop_fraction=0.02, target_fraction=0.03, notional=1e4)
    leg = Leg(bars, decisions, np.zeros(2_000), Slippage.none(2_000))
    # vectorbt is given more cash than it can need: let nothing here be refused either.
    terms = Terms(Costs(FEE, FEE, "none"), leverage=1e9, start_equity=1e8)
    ours = replay([leg], terms, bound="pessimistic")
    theirs = portfolio(bars, decisions, fee=FEE, start_equity=1e8)

    records = theirs.trades.records.sort_values("entry_idx")
    closed = records[records["status"] == 1]
    # What is open at the end they leave open and we close.
    complete = slice(0, len(closed))
    assert len(closed) > 200
    assert len(ours) - len(closed) in (0, 1)
    np.testing.assert_array_equal(closed["entry_idx"], ours.trades["entered"][complete])
    np.testing.assert_array_equal(closed["exit_idx"], ours.trades["left"][complete])
    np.testing.assert_allclose(closed["entry_price"], ours.trades["entry_px"][complete])
    np.testing.assert_allclose(closed["exit_price"], ours.trades["exit_px"][complete])
    np.testing.assert_allclose(closed["pnl"], ours.trades["pnl"][complete], atol=1e-6)
    spare = theirs.init_cash - ours.start_equity
    np.testing.assert_allclose(
        theirs.value().to_numpy()[:-1] - spare, ours.equity[:-1], atol=1e-3
    )


def test_what_vectorbt_cannot_follow_is_refused():
    bars = restless(np.random.default_rng(1), 5)
    decisions = Decisions.of(np.ones(5), notional=1e4, max_bars=2)
    with pytest.raises(ValueError, match="max_bars"):
        portfolio(bars, decisions, fee=FEE)
