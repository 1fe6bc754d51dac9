import numpy as np
import pytest

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.replay import Costs, replay

HOUR = np.timedelta64(3_600_000_000, "us")


def bars(n, warmup=0):
    start = np.datetime64("2026-01-01", "us") + np.arange(n) * HOUR
    flat = np.full(n, 100.0)
    return Bars("BTC", "v", "s", "1h", HOUR, start, flat, flat, flat, flat, warmup)


def run(decisions, *, of=None, rate=None, bound="pessimistic", **more):
    of = of or bars(len(decisions))
    rate = np.zeros(len(of)) if rate is None else rate
    return replay(of, rate, decisions, Costs(), bound=bound, **more)


@pytest.mark.parametrize(
    ("side", "stop", "target", "max_bars", "named"),
    [
        (2, 0.1, 0.1, 0, "side"),
        (1, 0.0, 0.1, 0, "stop_fraction 0 "),
        (1, 1.0, 0.1, 0, "stop_fraction 1 "),
        (-1, 0.1, 1.0, 0, "target_fraction 1 "),
        (1, 0.1, -0.1, 0, "target_fraction -0.1"),
        (1, np.inf, 0.1, 0, "stop_fraction inf"),
        (1, 0.1, 0.1, -1, "max_bars -1"),
    ],
)
def test_what_no_venue_would_take_is_refused(side, stop, target, max_bars, named):
    with pytest.raises(ValueError, match=named):
        run(Decisions.alike(np.full(3, side), stop, target, max_bars))


def test_a_distance_above_1_is_allowed_where_the_level_rises():
    assert run(Decisions.alike(np.ones(3), 0.5, 2.0)).trades == 1
    assert run(Decisions.alike(-np.ones(3), 2.0, 0.5)).trades == 1


def test_a_target_price_of_0_is_refused():
    decisions = Decisions.alike(np.ones(3)).but(target_px=np.zeros(3))
    with pytest.raises(ValueError, match="target_px 0"):
        run(decisions)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"bound": "hopeful"}, "pessimistic, optimistic"),
        ({"notional": 0.0}, "notional 0.0"),
        ({"start_equity": -1.0}, "start_equity -1.0"),
        ({"rate": np.array([0.0, np.nan, 0.0])}, "funding_rate"),
        ({"rate": np.zeros(2)}, "one length"),
        ({"of": bars(3, warmup=1)}, "bars.period"),
    ],
)
def test_what_cannot_be_replayed_is_refused(more, named):
    with pytest.raises(ValueError, match=named):
        run(Decisions.alike(np.ones(3)), **more)


@pytest.mark.parametrize(
    "costs", [{"taker_fee": 4.5}, {"maker_fee": float("nan")}, {"funding": "some"}]
)
def test_costs_out_of_range_are_refused(costs):
    with pytest.raises(ValueError, match=next(iter(costs))):
        Costs(**costs)


def test_a_replay_starts_from_its_equity_and_books_its_costs():
    played = run(Decisions.alike(np.ones(4)), notional=2_000.0, start_equity=500.0)
    assert played.equity.tolist() == pytest.approx([500.0, 499.1, 499.1, 498.2])
    assert played.trade_returns.tolist() == pytest.approx([-0.0009])
    assert played.free.tolist() == [True, False, False, False]
