"""Every strategy of the catalogue on a lake with maps and flow, and on the lake as it was."""

import numpy as np
import pytest

from backtest.replay import replay
from backtest.strategies.catalogue import made
from backtest.strategies.strategy import WITHOUT_MAP
from backtest.tape import load_tape
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import (
    VOLUME,
    at,
    book,
    land_bars,
    land_fills,
    land_funding,
    land_instrument,
    land_snapshot,
    walk,
)
from warehouse.catalog import open_lake
from warehouse.store import landing

HOURS, CUT, SINCE = 90, 80, 50
TERMS = Terms(costs=Costs(slippage="none"), start_equity=1e5)
ASKED = {
    "breakout": {"lookback": "6"},
    "buy_and_hold": {},
    "momentum": {"lookback": "6"},
    "cascade_follow": {"min_score": "1", "min_notional": "500", "min_move_pct": "0.3"},
    "cascade_fade": {"lookback": "3", "move_pct": "0.5", "min_notional": "500", "rises": "yes"},
    "mean_reversion_symmetric": {"lookback": "6", "far": "1"},
    "breakout+asymmetry_filter": {"lookback": "6"},
    "breakout+cluster_take_profit": {"lookback": "6", "cluster_take_profit.moves": "yes"},
    "breakout+regime_stops": {"lookback": "6", "regime_stops.moves": "yes"},
    "breakout+atr_targets+sized": {"lookback": "6", "sized.amount": "0.1"},
}


def land(root, hours):
    """Land what was known ``hours`` after the start; more is liquidated where more moved."""
    bars = walk()[:hours]
    land_bars(root, bars, volume=VOLUME)
    rates = np.random.default_rng(4).normal(0, 1e-4, HOURS + 1)
    land_funding(root, [float(rate) for rate in rates[: hours + 1]])
    rng = np.random.default_rng(6)
    late = rng.random(HOURS) < 0.1
    with landing(root) as batches:
        land_instrument(batches, 4)
        for hour, bar in enumerate(bars):
            move = bar[3] / bar[0] - 1
            forced = [(20.0, "long" if move < 0 else "short", 2e5 * move**2 / 1e-4)]
            known = hour + 5.0 if late[hour] else None
            if known is None or known <= hours:
                land_fills(batches, hour, forced, known=known)
            if hour % 8 == 2 and hour + 4 <= hours:
                held = book(np.random.default_rng(hour), bar[3])
                land_snapshot(batches, hour, held, known=hour + 4, mark=bar[3])
    return root


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    """Return the tape of the whole, and of the lake as it was at the cut."""
    return [
        load_tape(
            open_lake(land(tmp_path_factory.mktemp("lake"), hours)),
            "BTC",
            *(np.datetime64(at(hour).replace(tzinfo=None), "us") for hour in (SINCE, hours)),
            TERMS,
            warmup=12,
        )
        for hours in (HOURS, CUT)
    ]


@pytest.mark.parametrize("chain", ASKED)
def test_what_a_strategy_decides_is_known_at_the_time_and_can_be_replayed(tapes, chain):
    strategy = made(chain, ASKED[chain])
    whole, part = (strategy.decide(tape.view()) for tape in tapes)
    assert whole.side.any()
    told = len(part) - 1
    for name in whole.orders.dtype.names:
        np.testing.assert_array_equal(
            part.orders[name][:told], whole.orders[name][:told], err_msg=name
        )
    np.testing.assert_array_equal(part.snapshot_ts[:told], whole.snapshot_ts[:told])
    np.testing.assert_array_equal(part.unmapped[:told], whole.unmapped[:told])
    assert len(replay([tapes[0].leg(whole)], TERMS, bound="pessimistic")) > 0


@pytest.mark.parametrize("chain", ["cascade_follow", "cascade_fade"])
def test_hours_that_came_late_are_said_and_not_traded_on(tapes, chain):
    strategy = made(chain, ASKED[chain])
    decided = strategy.decide(tapes[0].view())
    flow = tapes[0].view().flow()
    assert decided.unmapped.any()
    assert not flow.known.all()
    assert not decided.side[
        ~flow.known & (decided.wanted != 0) & ~decided.orders["leave"]
    ].any()
    plain = strategy.without_map()
    assert plain.variant == WITHOUT_MAP
    assert (plain.decide(tapes[0].view()).side != 0).sum() > (decided.side != 0).sum()
