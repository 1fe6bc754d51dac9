from collections import Counter

import numpy as np
import pytest

from pipelines.simulator import records as r
from pipelines.simulator.kernels import people
from pipelines.simulator.kernels.book import quote
from pipelines.simulator.kernels.genesis import LIKED, ROOM, settle_in, take_positions
from pipelines.simulator.kernels.margins import cross_state
from pipelines.simulator.kernels.people import think
from pipelines.simulator.kernels.prices import elsewhere
from pipelines.simulator.world import HELD, PACE, WEALTH
from tests.reference.venue import standings
from tests.simulator import invariants
from tests.simulator.worlds import bare, small, tape_of

BOOKS = (
    invariants.sizes_sum_to_zero,
    invariants.money_is_conserved,
    invariants.margin_lies_behind_isolated_positions_only,
    invariants.what_is_counted_is_held,
)


def test_every_thought_keeps_to_the_rules():
    """Two thousand thoughts: what each did, to whom, and what it left."""
    sim = small(3, coins=4, accounts=120, pct=0)
    sim.run(5)
    w, did, ms = sim.world, Counter(), sim.now_ms
    rng, tape = np.random.default_rng(3), tape_of(sim)
    for number in range(2_000):
        a = int(rng.integers(sim.vault + 1, w.accounts.size))
        first, end = w.accounts[a]["first"], w.accounts[a]["end"]
        cash, sizes = w.accounts["cash"].copy(), w.slots["size"].copy()
        for c in range(4 if number % 5 == 0 else 0):
            quote(w, c, elsewhere(w, c), 20)
        tape.used[:] = 0
        before, needed, _, _ = cross_state(w, a, w.coins["mark"])
        think(w, tape, ms, a)
        assert w.accounts[a]["due"] >= ms + people.LEAST_WAIT
        touched = set(np.flatnonzero(w.accounts["cash"] != cash).tolist())
        owners = np.searchsorted(
            w.accounts["end"], np.flatnonzero(w.slots["size"] != sizes), "right"
        )
        touched |= set(owners.tolist())
        assert all(b == a or w.accounts["role"][b] == r.MAKER for b in touched)
        equity, held, _, initial = cross_state(w, a, w.coins["mark"])
        for row in tape.transfers[: tape.used[r.TRANSFERS]]:
            assert row["account"] == a
            assert row["amount"] % 10_000 == 0  # whole cents
            did["deposit" if row["kind"] == r.DEPOSIT else "withdrawal"] += 1
            if row["kind"] == r.WITHDRAWAL:
                assert row["amount"] < 0
                assert equity >= max(initial, 1.2 * held)
        trades = tape.trades[: tape.used[r.TRADES]]
        assert (trades["kind"] == r.BY_CHOICE).all()
        assert ((trades["buyer"] == a) | (trades["seller"] == a)).all()
        for s in range(first, end):
            was, now = int(sizes[s]), int(w.slots[s]["size"])
            if was == now:
                continue
            about = w.coins[w.slots[s]["coin"]]
            traded = abs(now - was) * int(about["mark"])
            kind = (
                "turn" if was * now < 0 else "open" if was == 0 else "close" if now == 0 else ""
            )
            did[kind or ("add" if abs(now) > abs(was) else "reduce")] += 1
            if now != 0:
                assert traded >= people.SMALLEST
            if kind == "open" or (abs(now) > abs(was) and was * now > 0):
                assert traded <= people.LARGEST * about["depth"] * 1e6
                assert before > needed
                assert equity > held
    assert min(did[name] for name in ("deposit", "withdrawal", "turn")) > 1
    assert min(did[name] for name in ("open", "close", "add", "reduce")) > 20
    assert [text for check in BOOKS for text in check(sim, None, 0)] == []


def test_a_thought_in_distress_pays_in_or_steps_back():
    sim = small(3, coins=3, accounts=150, pct=0)
    w, did = sim.world, Counter()
    marks = w.coins["mark"]
    for a in range(sim.vault + 1, w.accounts.size):
        equity, needed, notional, _ = cross_state(w, a, marks)
        if notional == 0:
            continue
        w.accounts["cash"][a] -= int(equity - 1.3 * needed)
        tape = tape_of(sim)
        think(w, tape, sim.now_ms, a)
        after = cross_state(w, a, marks)[2]
        paid = tape.used[r.TRANSFERS] > 0
        did["paid" if paid else "smaller" if after < notional else "too small"] += 1
        if paid:
            want = int(people.PATCH * w.accounts[a]["wealth"]) // 10_000 * 10_000
            assert tape.transfers[0]["amount"] == want
    assert did["paid"] > 10
    assert did["smaller"] > 10
    assert did["too small"] <= 3


@pytest.mark.parametrize("seed", [1, 2])
def test_the_first_day_is_in_order(seed):
    sim = bare(4, 150, seed)
    w, tape = sim.world, tape_of(sim)
    settle_in(w, WEALTH, PACE)
    traders = w.accounts[sim.vault + 1 :]
    assert ((traders["wealth"] >= 500 * 10**6) & (traders["wealth"] <= 3e6 * 1e6)).all()
    assert (traders["wealth"] % 10_000 == 0).all()
    assert set(traders["leverage"].tolist()) <= set(LIKED.tolist())
    assert (traders["leverage"][traders["wealth"] > 1e5 * 1e6] <= 10).all()
    assert set(traders["isolating"].tolist()) == {0.0, 0.5, 1.0}
    assert ((traders["home"] >= 0) & (traders["home"] < 4)).all()
    assert (traders["due"] >= sim.now_ms).all()
    assert (w.accounts[: sim.vault + 1]["wealth"] == 0).all()
    take_positions(w, tape, HELD)
    assert not tape.used.any()  # the past is not told
    assert w.house[r.DEPOSITED] == traders["wealth"].sum()
    assert [text for check in BOOKS for text in check(sim, None, 0)] == []
    held = w.slots[w.slots["size"] != 0]
    assert (held["leverage"] <= held["max_leverage"]).all()
    # Everyone begins with room over maintenance.
    for (a, coin), stand in standings(sim, w.coins["mark"].tolist()).items():
        if a > sim.vault:
            fees = 0.01 * abs(stand.equity)
            assert stand.equity + fees >= ROOM * stand.held, (a, coin)
