"""Bars, replays and tapes made by hand, without a lake."""

from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.funding import Funding
from backtest.instrument import Margin
from backtest.leg import Tiers
from backtest.question import Question
from backtest.records import OPENED, TRADE, UNFILLED
from backtest.replay import Replay
from backtest.runs import run
from backtest.slippage import Slippage
from backtest.strategies.strategy import Strategy
from backtest.study import Played
from backtest.tape import Tape
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import at

HOUR = np.timedelta64(3_600_000_000, "us")
START = np.datetime64("2026-01-02", "us")
# Everything is charged, and costs nothing.
FREE = Terms(Costs(taker_fee=0.0, maker_fee=0.0))
MARGIN = Margin(Tiers(np.array([0.0125]), np.array([0.0])), 40.0)


def bars_of(close, warmup=0, coin="BTC"):
    """Hours from 2026-01-02 on, each of which opens where the one before closed."""
    close = np.asarray(close, float)
    opened = np.concatenate([[close[0]], close[:-1]])
    return Bars(
        coin,
        "hyperliquid",
        "market",
        "1h",
        HOUR,
        START + np.arange(close.size) * HOUR,
        opened,
        np.maximum(opened, close),
        np.minimum(opened, close),
        close,
        np.full(close.size, 1e5),
        warmup,
    )


def trade_of(entered, left, gain=0.0, *, side=1, worst=99.0, best=101.0, **more):
    """A trade of 1 coin that entered at 100 USD and won ``gain`` USD."""
    row = np.zeros(1, TRADE)
    some = {"size": side, "entry_px": 100.0, "exit_px": 100.0 + gain, "pnl": gain}
    some |= {"worst_px": worst, "best_px": best, "entered": entered, "left": left}
    for name, value in (some | more).items():
        row[name] = value
    return row


def replay_of(n, trades=(), unfilled=(), equity=None, start=100.0):
    outcome = np.zeros((n, 1), np.int8)
    outcome[list(unfilled)] = UNFILLED
    made = np.concatenate(trades) if trades else np.zeros(0, TRADE)
    outcome[made["entered"] - 1] = OPENED
    return Replay(
        "pessimistic",
        START + np.arange(n) * HOUR,
        made,
        np.full(n, start) if equity is None else np.asarray(equity, float),
        np.zeros((n, 1)),
        outcome,
        start,
    )


@dataclass(frozen=True, kw_only=True)
class At(Strategy):
    """Buy at some closes, and hold for a bar."""

    rows: tuple[int, ...]
    notional: float = 1000.0

    def decide(self, view):
        side = np.zeros(len(view), np.int8)
        side[list(self.rows)] = 1
        return Decisions.of(side, max_bars=1, notional=self.notional)


def tape_of(close, terms=FREE, slippage=None, coin="BTC"):
    bars = bars_of(close, coin=coin)
    n = len(bars)
    law = slippage or Slippage.none(n)
    return Tape(None, bars, None, Funding.none(n), law, None, MARGIN, terms, True)


def played_of(tapes, strategy, base=None, **more):
    """What a study gives of a rule on tapes, and of another as the one without the map."""
    hours = max(len(tape.bars) for tape in tapes)
    coins = tuple(tape.coin for tape in tapes)
    some = {"coins": coins, "since": at(0), "until": at(hours), "terms": tapes[0].terms}
    question = Question(strategy=strategy, **some | more)
    own = [one for tape in tapes for one in run(tape, strategy)]
    without = [one for tape in tapes for one in run(tape, base)] if base else []
    return Played(question, list(tapes), own, without)


def planted(days, gain, seed, every=20):
    """Hourly prices, and closes after which the next bar gains so much more."""
    rng = np.random.default_rng(seed)
    n = days * 24
    rows = np.arange(5, n - 2, every)
    returns = rng.normal(0, 0.005, n)
    returns[rows + 1] += gain
    return 100 * np.exp(np.cumsum(returns)), tuple(map(int, rows))
