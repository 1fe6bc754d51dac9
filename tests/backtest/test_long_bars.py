"""Bars of hours and of a day: what holds of them whatever the prices and payments are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.intervals import WIDTHS
from backtest.leg import Leg
from backtest.parts import joined
from backtest.replay import READINGS, replay
from backtest.slippage import Slippage
from backtest.stamps import Stamps
from backtest.terms import Costs, Terms
from tests.backtest import test_replay_kernel
from tests.backtest.case import by_kernel
from tests.backtest.made import HOUR, START
from tests.backtest.test_replay_kernel import bars, decisions, markets, payments, venues

DAYS = 3
FREE = Terms(Costs(taker_fee=0.0, maker_fee=0.0, slippage="none"), start_equity=1e6)
LONG = ("2h", "3h", "4h", "6h", "8h", "12h", "1d")


@pytest.fixture(autouse=True)
def much_falls_due(monkeypatch):
    monkeypatch.setattr(test_replay_kernel, "NONE", st.lists(payments, max_size=2))


@given(data=st.data(), venue=venues, market=markets, cut=st.booleans())
def test_finer_bars_tell_of_payments_what_lies_between_the_readings(data, venue, market, cut):
    n = data.draw(st.integers(2, 9))
    rows = [[data.draw(bars())] for _ in range(n)]
    wanted = [[replace(data.draw(decisions()), share=0.0)] for _ in range(n)]
    market = replace(market, tiers=None, leverage=1e6)
    found = {}
    for reading in READINGS:
        # What fills in parts may have held other coins at another time.
        own = replace(venue, reading=reading, start_equity=1e9, limit="touch")
        trades, *_ = by_kernel(rows, wanted, [market], own, lambda t: (t + 1, int(cut)))
        found[reading] = {(t.decided, t.entered, t.left, t.size): t.funding for t in trades}
    bounded_by(*(found[reading] for reading in ("pessimistic", "drilled", "optimistic")))


def bounded_by(pessimistic, drilled, optimistic):
    for key, most in pessimistic.items():
        told = drilled.get(key, most)
        least = optimistic.get(key, told)
        assert most >= told - 1e-9
        assert told >= least - 1e-9
        assert most >= least - 1e-9
    for key, told in drilled.items():
        assert told >= optimistic.get(key, told) - 1e-9


def test_payments_beyond_a_bound_are_caught():
    bounded_by({"a": 2.0}, {"a": 1.0}, {"a": 0.0})
    for wrong in (
        ({"a": 2.0}, {"a": 3.0}, {"a": 0.0}),
        ({"a": 2.0}, {"a": -1.0}, {"a": 0.0}),
        ({"a": 2.0}, {}, {"a": 3.0}),
        ({}, {"a": 1.0}, {"a": 3.0}),
    ):
        with pytest.raises(AssertionError):
            bounded_by(*wrong)


def hours_of(seed):
    """Hours of a walk, and at each hour its rate and the oracle price."""
    rng = np.random.default_rng(seed)
    n = 24 * DAYS
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0, 0.001, n))
    columns = opened, np.maximum(opened, close) * 1.01, np.minimum(opened, close) * 0.99, close
    start = START + np.arange(n) * HOUR
    hourly = Bars("BTC", "hyperliquid", "market", "1h", HOUR, start, *columns, np.ones(n))
    return hourly, rng.normal(0, 1e-3, n), opened * np.exp(rng.normal(0, 0.002, n))


def long_of(hourly, interval):
    """The same hours as bars of another length."""
    names = ("open_px", "high_px", "low_px", "close_px", "volume")
    width = WIDTHS[interval]
    start, columns = joined(hourly.start, [getattr(hourly, n) for n in names], HOUR, width)
    return Bars("BTC", "hyperliquid", "market", interval, width, start, *columns)


def leg_of(own, made, rate, oracle_px, hourly, **more):
    at_open = np.isin(hourly.start, own.start)
    stamps = Stamps(hourly.start[~at_open], (rate * oracle_px)[~at_open])
    law = Slippage.none(len(own))
    rates = rate[at_open], law, oracle_px[at_open]
    return Leg(own, made, *rates, stamps=stamps, **more)


def at_opens(n, seed, times=1):
    """Market entries without levels that end by their time; each n is so many bars long."""
    rng = np.random.default_rng(seed)
    side, held = rng.choice([-1, 0, 1], n), rng.integers(1, 4, n)
    rows = (np.arange(n) + 1) * times - 1
    some = np.zeros((2, n * times), np.int64)
    some[0, rows], some[1, rows] = side, held * times
    return Decisions.of(some[0].astype(np.int8), max_bars=some[1], notional=1e4)


@pytest.mark.parametrize("bound", READINGS)
@given(seed=st.integers(0, 10_000), interval=st.sampled_from(LONG), drill=st.booleans())
def test_who_trades_at_opens_alone_pays_what_hours_charge(bound, seed, interval, drill):
    hourly, rate, oracle_px = hours_of(seed)
    own = long_of(hourly, interval)
    times = int(own.width // HOUR)
    fine = {"fine": hourly} if drill else {}
    coarse = leg_of(own, at_opens(len(own), seed), rate, oracle_px, hourly, **fine)
    wanted = at_opens(len(own), seed, times)
    short = leg_of(hourly, wanted, rate, oracle_px, hourly)
    ours, theirs = (replay([leg], FREE, bound=bound) for leg in (coarse, short))
    assert len(ours) == len(theirs)
    # A day's decisions are too few to be sure of a trade.
    assert len(ours) > 0 or interval in ("12h", "1d")
    for name in ("size", "entry_px", "exit_px", "funding", "pnl"):
        np.testing.assert_allclose(ours.trades[name], theirs.trades[name], atol=1e-9)
    # Of a bar's payments some are made at its close, which is the next one's open.
    np.testing.assert_allclose(ours.equity, theirs.equity[times - 1 :: times], atol=1e-6)
    assert not ours.trades["ambiguous"].any()


@given(seed=st.integers(0, 10_000), side=st.sampled_from([-1, 1]))
def test_a_position_held_has_the_same_equity_on_bars_of_every_length(seed, side):
    hourly, rate, oracle_px = hours_of(seed)
    told = {}
    for interval in ("1h", "4h", "1d"):
        own = long_of(hourly, interval)
        first = int(WIDTHS["1d"] // own.width) - 1
        sides = np.zeros(len(own), np.int8)
        sides[first] = side
        made = Decisions.of(sides, notional=1e4)
        played = replay([leg_of(own, made, rate, oracle_px, hourly)], FREE, bound="pessimistic")
        assert (len(played), played.trades["funding"][0] != 0.0) == (1, True)
        told[interval] = played.equity[first :: first + 1]
    np.testing.assert_allclose(told["4h"], told["1h"], atol=1e-6)
    np.testing.assert_allclose(told["1d"], told["1h"], atol=1e-6)


def test_a_replay_that_forgets_what_falls_due_within_bars_is_caught(monkeypatch):
    held = test_a_position_held_has_the_same_equity_on_bars_of_every_length.hypothesis
    held.inner_test(seed=1, side=1)
    nothing = Stamps.none()
    monkeypatch.setitem(globals(), "Stamps", lambda ts, paid: nothing)
    with pytest.raises(AssertionError):
        held.inner_test(seed=1, side=1)


def test_payments_must_lie_within_bars_and_none_may_be_missing():
    hourly, rate, oracle_px = hours_of(1)
    own = long_of(hourly, "4h")
    leg = leg_of(own, at_opens(len(own), 1), rate, oracle_px, hourly)
    for ts, paid in ((own.start[3], 0.1), (own.end[-1] + HOUR, 0.1), (hourly.start[1], np.nan)):
        with pytest.raises(ValueError, match="must lie within them, and none may be missing"):
            replace(leg, stamps=Stamps(np.array([ts]), np.array([paid])))
