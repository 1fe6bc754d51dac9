"""Decisions replayed again are what their run was; at other sizes only the size changes."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from backtest.again import again, funded, sized
from backtest.decisions import Decisions
from backtest.runs import run
from backtest.slippage import Slippage
from backtest.strategies.strategy import Strategy
from backtest.terms import Terms
from tests.backtest.made import FREE, HOUR, bars_of, tape_of


@dataclass(frozen=True, kw_only=True)
class EveryTen(Strategy):
    """Buy and sell by turns, with levels so near that bars span both."""

    def decide(self, view):
        side = np.zeros(len(view), np.int8)
        side[5::20], side[15::20] = 1, -1
        return Decisions.of(
            side, stop_fraction=0.002, target_fraction=0.002, max_bars=4, notional=1000.0
        )


def walked(terms=FREE):
    """Hours of which each is four quarters."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.004, 800)))
    fine = replace(
        bars_of(close),
        width=HOUR // 4,
        interval="15m",
        start=bars_of(close).start[0] + np.arange(800) * (HOUR // 4),
    )
    whole = bars_of(close[3::4])
    whole = replace(
        whole,
        open_px=fine.open_px[::4],
        high_px=fine.high_px.reshape(-1, 4).max(axis=1),
        low_px=fine.low_px.reshape(-1, 4).min(axis=1),
    )
    n = len(whole)
    curve = np.array([[[1e-5, 1e-3]] * 2])
    rows = np.zeros(n, np.int64)
    law = Slippage(np.array([1e2, 1e4]), curve, rows, rows, "by hand")
    return replace(tape_of(whole.close_px, terms, law), bars=whole, fine=fine)


@pytest.mark.parametrize("latency", [0, 10, 30])
def test_again_is_the_run_itself(latency):
    tape = walked(replace(FREE, latency=np.timedelta64(latency, "m").astype("m8[us]")))
    found = run(tape, EveryTen())
    assert [one.replay.bound for one in found] == ["pessimistic", "optimistic", "drilled"]
    for one in found:
        made = again(tape, one.decisions, bound=one.replay.bound)
        assert made.trades.tobytes() == one.replay.trades.tobytes()
        assert made.equity.tobytes() == one.replay.equity.tobytes()
        assert np.array_equal(made.outcome, one.replay.outcome)
    ends = {one.replay.bound: one.replay.equity[-1] for one in found}
    assert ends["pessimistic"] <= ends["drilled"] <= ends["optimistic"]
    assert ends["pessimistic"] < ends["optimistic"]


def test_ten_times_the_size_in_ten_times_the_account_pays_only_more_slippage():
    tape = walked()
    (one, *_) = run(tape, EveryTen())
    large = again(tape, sized(one.decisions, 10.0), terms=funded(tape.terms, 10.0))
    assert large.start_equity == 10 * one.replay.start_equity
    assert (large.trades["entered"] == one.replay.trades["entered"]).mean() > 0.9
    assert large.trades["slippage"].sum() > 50 * one.replay.trades["slippage"].sum()
    free = replace(tape, slippage=Slippage.none(len(tape.period)))
    small, same = (
        again(free, sized(one.decisions, factor), terms=funded(free.terms, factor))
        for factor in (1.0, 10.0)
    )
    np.testing.assert_allclose(same.equity, 10 * small.equity)
    assert one.decisions.orders["notional"].max() == 1000.0


def test_shares_of_equity_stay_shares():
    made = Decisions.of(np.array([1, 0], np.int8), share=0.5)
    assert sized(made, 10.0).orders["share"][0] == 0.5
    assert np.isnan(sized(made, 10.0).orders["notional"]).all()
    assert funded(Terms(), 10.0).start_equity == 100_000.0
