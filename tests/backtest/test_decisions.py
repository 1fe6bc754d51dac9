import numpy as np
import pytest

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.replay import replay
from backtest.slippage import Slippage
from backtest.terms import Costs, Terms

HOUR = np.timedelta64(3_600_000_000, "us")


def bars(n, warmup=0, volume=1.0):
    start = np.datetime64("2026-01-01", "us") + np.arange(n) * HOUR
    flat = np.full(n, 100.0)
    return Bars(
        "BTC", "v", "s", "1h", HOUR, start, flat, flat, flat, flat, flat * volume, warmup
    )


def run(decisions, *, of=None, rate=None, bound="pessimistic", slippage=None, **more):
    n = len(decisions)
    rate = np.zeros(n) if rate is None else rate
    leg = Leg(of or bars(n), decisions, rate, slippage or Slippage.none(n))
    return replay([leg], Terms(**more), bound=bound)


def made(side, **fields):
    return Decisions.of(side, **{"notional": 1e4, **fields})


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
    fields = {"stop_fraction": stop, "target_fraction": target, "max_bars": max_bars}
    with pytest.raises(ValueError, match=named):
        run(made(np.full(3, side), **fields))


def test_a_distance_above_1_is_allowed_where_the_level_rises():
    assert len(run(made(np.ones(3), stop_fraction=0.5, target_fraction=2.0))) == 1
    assert len(run(made(-np.ones(3), stop_fraction=2.0, target_fraction=0.5))) == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"target_px": 0.0}, "target_px 0"),
        ({"trail_fraction": 1.0}, "trail_fraction 1"),
        ({"good_for": -1}, "good_for -1"),
        ({"notional": -1.0}, "notional -1"),
        ({"notional": np.nan}, "a size"),
        ({"share": np.inf}, "share inf"),
        ({"kind": "limit"}, "px must be given"),
        ({"kind": "iceberg"}, "market, limit, stop"),
        ({"stop": 0.1}, "'stop' is no field of a decision; there are side"),
    ],
)
def test_fields_are_checked(fields, named):
    with pytest.raises(ValueError, match=named):
        run(made(np.ones(3), **fields))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"bound": "hopeful"}, "pessimistic, optimistic, drilled"),
        ({"limit": "never"}, "touch, through, share"),
        ({"ticks": -1.0}, "ticks -1.0"),
        ({"volume_share": 0.0}, "volume_share 0.0"),
        ({"leverage": 0.0}, "leverage 0.0"),
        ({"latency": np.timedelta64(-1, "s")}, "latency -1"),
        ({"limit": "share", "of": bars(3, volume=np.nan)}, "BTC lacks some"),
        (
            {
                "slippage": Slippage(
                    np.ones(1),
                    np.full((1, 2, 1), np.inf),
                    np.zeros(3, int),
                    np.zeros(3, int),
                    "",
                )
            },
            "slippage",
        ),
        ({"start_equity": -1.0}, "start_equity -1.0"),
        ({"rate": np.array([0.0, np.nan, 0.0])}, "funding_rate"),
        ({"rate": np.zeros(2)}, "one length"),
        ({"of": bars(3, warmup=1)}, "bars.period"),
    ],
)
def test_what_cannot_be_replayed_is_refused(more, named):
    with pytest.raises(ValueError, match=named):
        run(made(np.ones(3)), **more)


@pytest.mark.parametrize(
    "costs",
    [
        {"taker_fee": 4.5},
        {"maker_fee": float("nan")},
        {"funding": "some"},
        {"slippage": "some"},
    ],
)
def test_costs_out_of_range_are_refused(costs):
    with pytest.raises(ValueError, match=next(iter(costs))):
        Costs(**costs)


def test_a_replay_starts_from_its_equity_and_books_its_costs():
    played = run(made(np.ones(4), notional=2_000.0), start_equity=500.0)
    assert played.equity.tolist() == pytest.approx([500.0, 499.1, 499.1, 498.2])
    assert played.trade_returns.tolist() == pytest.approx([-0.0009])
    assert played.free[:, 0].tolist() == [True, False, False, False]
