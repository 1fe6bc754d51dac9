"""vectorbt as a second opinion: where it agrees, and each way in which it does not."""

import numpy as np
import pytest

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg, Tiers
from backtest.replay import REASONS, replay
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


FLAT = (100.0, 100.0, 100.0, 100.0)


def hours(*rows):
    """Bars of (open, high, low, close), an hour each."""
    start = np.datetime64("2026-01-01", "us") + np.arange(len(rows)) * np.timedelta64(1, "h")
    width = np.timedelta64(3_600_000_000, "us")
    columns = np.array(rows, float).T
    return Bars(
        "BTC", "hyperliquid", "test", "1h", width, start, *columns, np.full(len(rows), np.nan)
    )


def both(rows, *, side=1, bound="pessimistic", costs=None, tiers=None, rate=None, **fields):
    """Decide at the close of the first bar; return our trades and theirs."""
    bars = hours(*rows)
    n = len(bars)
    terms = {"leverage": fields.pop("leverage", 1e9)}
    sides = np.zeros(n)
    sides[0] = side
    decisions = Decisions.of(sides, **{"notional": 1_000.0, **fields})
    funding = np.zeros(n) if rate is None else np.full(n, rate)
    leg = Leg(bars, decisions, funding, Slippage.none(n), tiers=tiers)
    ours = replay([leg], Terms(costs or Costs(0.0, 0.0), **terms), bound=bound)
    theirs = portfolio(bars, decisions, fee=0.0 if costs is None else costs.taker_fee)
    records = theirs.trades.records
    return ours.trades, records[records["status"] == 1], records[records["status"] == 0]


@pytest.mark.slow
def test_the_entry_bar_is_watched_by_us_alone():
    dips = (100.0, 100.0, 90.0, 100.0)
    ours, closed, still_open = both([FLAT, dips, FLAT, FLAT], stop_fraction=0.05)
    assert (ours["entered"][0], ours["left"][0], ours["exit_px"][0]) == (1, 1, 95.0)
    assert (len(closed), len(still_open)) == (0, 1)


@pytest.mark.slow
def test_a_bar_that_opens_beyond_a_level_fills_at_its_open_in_both():
    for gap, reason in ((80.0, "stop"), (120.0, "target")):
        rows = [FLAT, FLAT, (gap, gap, gap, gap), FLAT]
        ours, closed, _ = both(rows, stop_fraction=0.05, target_fraction=0.05)
        assert REASONS[int(ours["reason"][0])] == reason
        assert ours["exit_px"][0] == closed["exit_price"].iloc[0] == gap


@pytest.mark.slow
def test_a_bar_that_spans_stop_and_target_has_one_reading_there():
    rows = [FLAT, FLAT, (100.0, 120.0, 80.0, 100.0), FLAT]
    levels = {"stop_fraction": 0.05, "target_fraction": 0.05}
    ours, closed, _ = both(rows, **levels)
    assert ours["ambiguous"][0]
    assert ours["exit_px"][0] == closed["exit_price"].iloc[0] == 95.0
    hopeful, _, _ = both(rows, bound="optimistic", **levels)
    assert hopeful["exit_px"][0] == 105.0


@pytest.mark.slow
def test_a_target_that_rested_pays_the_maker_fee_to_us_alone():
    rows = [FLAT, FLAT, (100.0, 106.0, 100.0, 100.0), FLAT]
    ours, closed, _ = both(rows, costs=Costs(0.001, 0.0), target_fraction=0.05)
    assert ours["fees"][0] == pytest.approx(1.0)
    paid = closed["entry_fees"].iloc[0] + closed["exit_fees"].iloc[0]
    assert paid == pytest.approx(1.0 + 1.05)


@pytest.mark.slow
def test_funding_is_paid_by_us_alone():
    rows = [FLAT, FLAT, FLAT, (90.0, 90.0, 90.0, 90.0)]
    ours, closed, _ = both(rows, rate=0.001, stop_fraction=0.05)
    # Two stamps after the entry: 10 coins at 100 and at 90 USD.
    assert ours["funding"][0] == pytest.approx(1.0 + 0.9)
    assert closed["pnl"].iloc[0] - ours["pnl"][0] == pytest.approx(1.9)


@pytest.mark.slow
def test_slippage_is_given_up_by_us_alone():
    bars = hours(FLAT, FLAT, (90.0, 90.0, 90.0, 90.0), FLAT)
    decisions = Decisions.of(np.array([1, 0, 0, 0]), notional=1_000.0, stop_fraction=0.05)
    rows = np.zeros(4, int)
    costly = Slippage(np.array([1e3]), np.full((1, 2, 1), 0.01), rows, rows, "made up")
    terms = Terms(Costs(0.0, 0.0))
    (trade,) = replay(
        [Leg(bars, decisions, np.zeros(4), costly)], terms, bound="optimistic"
    ).trades
    records = portfolio(bars, decisions, fee=0.0).trades.records
    assert (trade["entry_px"], records["entry_price"].iloc[0]) == (101.0, 100.0)
    assert trade["exit_px"] == pytest.approx(90.0 * 0.99)
    assert records["exit_price"].iloc[0] == 90.0


@pytest.mark.slow
def test_money_is_short_for_us_alone():
    for size in ({"notional": 5.0}, {"notional": 20_001.0, "leverage": 2.0}):
        ours, closed, still_open = both([FLAT] * 4, stop_fraction=0.05, **size)
        assert (len(ours), len(closed) + len(still_open)) == (0, 1)


@pytest.mark.slow
def test_returns_there_are_of_spare_cash():
    bars = hours(FLAT, FLAT, (110.0, 110.0, 110.0, 110.0), FLAT)
    decisions = Decisions.of(np.array([1, 0, 0, 0]), notional=1_000.0, target_fraction=0.05)
    theirs = portfolio(bars, decisions, fee=0.0)
    assert theirs.init_cash == pytest.approx(10_000.0 + 1e9)
    assert theirs.total_profit() == pytest.approx(100.0)
    assert theirs.total_return() == pytest.approx(100.0 / (10_000.0 + 1e9))


@pytest.mark.slow
def test_only_we_are_liquidated():
    low = (100.0, 100.0, 40.0, 100.0)
    tiers = Tiers(np.array([0.05]), np.array([0.0]))
    ours, closed, still_open = both([FLAT, FLAT, low, FLAT], tiers=tiers, notional=18_000.0)
    assert REASONS[int(ours["reason"][0])] == "liquidation"
    assert (len(closed), len(still_open)) == (0, 1)


@pytest.mark.slow
def test_coins_share_an_equity_for_us_alone():
    """Twice the equity is allowed: the second coin is refused, a portfolio trades alone."""
    bars = hours(*[FLAT] * 4)
    decisions = Decisions.of(np.array([1, 0, 0, 0]), notional=15_000.0)
    leg = Leg(bars, decisions, np.zeros(4), Slippage.none(4))
    ours = replay([leg, leg], Terms(Costs(0.0, 0.0), leverage=2.0), bound="pessimistic")
    assert ours.trades["coin"].tolist() == [0]
    assert len(portfolio(bars, decisions, fee=0.0).trades.records) == 1


@pytest.mark.slow
def test_what_is_open_at_the_end_stays_open_there():
    rows = [FLAT, FLAT, FLAT, (100.0, 103.0, 100.0, 102.0)]
    ours, closed, still_open = both(rows, costs=Costs(0.001, 0.0))
    assert REASONS[int(ours["reason"][0])] == "end"
    assert ours["pnl"][0] == pytest.approx(20.0 - 1.0 - 1.02)
    assert (len(closed), len(still_open)) == (0, 1)
    assert still_open["pnl"].iloc[0] == pytest.approx(20.0 - 1.0)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"max_bars": 2}, "max_bars"),
        ({"kind": "limit", "px": 90.0}, "kind"),
        ({"stop_px": 90.0}, "stop_px"),
        ({"target_px": 110.0}, "target_px"),
        ({"trail_fraction": 0.1}, "trail_fraction"),
        ({"share": 0.1}, "share"),
        ({"leave": True}, "leave"),
        ({"move_stop_px": 90.0}, "move_stop_px"),
        ({"move_target_px": 110.0}, "move_target_px"),
    ],
)
def test_what_vectorbt_cannot_follow_is_refused(more, named):
    bars = restless(np.random.default_rng(1), 5)
    decisions = Decisions.of(np.ones(5), notional=1e4, **more)
    with pytest.raises(ValueError, match=f"vectorbt cannot follow {named}; it knows side"):
        portfolio(bars, decisions, fee=FEE)
