import json
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.serve.answers import answer
from pipelines.simulator.serve.growing import growing
from pipelines.simulator.serve.leaderboard import leaderboard
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from tests.simulator.serving import SPEC, busiest, candle_request


def test_step_by_step_is_the_same_as_at_once(venue):
    """Trades are looked up, candles joined and days summed as minutes come in."""
    sim = Simulation(SPEC)
    steps = open_venue(sim, 7)
    for minutes in (1, 1, 1, 50, 130, 110):
        steps = steps.after(sim.run(minutes))
    assert steps.ms == venue.ms
    user = busiest(venue)
    bodies = [
        {"type": "metaAndAssetCtxs"},
        {"type": "clearinghouseState", "user": user},
        {"type": "userFills", "user": user},
        {"type": "recentTrades", "coin": "BTC"},
        {"type": "fundingHistory", "coin": "BTC", "startTime": 0},
        *(
            {"type": "candleSnapshot", "req": candle_request(coin, interval)}
            for interval in ("1m", "15m", "1d", "1M")
            for coin in ("BTC", "ADA")
        ),
    ]
    for body in bodies:
        assert answer(steps, body) == answer(venue, body)
    assert leaderboard(steps) == leaderboard(venue)


def test_an_older_venue_stays_as_it_was():
    sim = Simulation(WorldSpec(coins=3, accounts=40))
    before = open_venue(sim, 29).after(sim.run(1))
    bodies = [
        {"type": "metaAndAssetCtxs"},
        {"type": "batchClearinghouseStates", "users": before.listing.addresses},
        {"type": "candleSnapshot", "req": candle_request("BTC", "1h")},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "userFills", "user": before.listing.addresses[0]},
    ]
    told = [json.dumps(answer(before, body).value) for body in bodies]
    later = before
    for _ in range(60):
        later = later.after(sim.run(1))
    # What was worked out for it is forgotten, to be worked out again.
    assert [json.dumps(answer(replace(before), body).value) for body in bodies] == told
    assert answer(later, bodies[0]) != answer(before, bodies[0])


@given(st.lists(st.lists(st.integers(0, 99), max_size=7), max_size=20), st.integers(0, 9))
def test_growing_keeps_the_newest(parts, keep):
    rows, whole, seen = growing(np.zeros(0, np.int64)), [], []
    for part in parts:
        rows = rows.after(np.array(part, np.int64), keep)
        whole += part
        assert rows.used >= min(keep, len(whole))
        assert rows.rows.tolist() == whole[len(whole) - rows.used :]
        seen.append((rows, whole[len(whole) - rows.used :]))
    assert all(old.rows.tolist() == then for old, then in seen)
