"""Who is liquidated, at which price, by how much, and how: against independent books."""

from copy import deepcopy
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulator import records as r
from pipelines.simulator.world import PARTIAL_SINCE
from tests.reference.venue import open_positions, standings
from tests.simulator import watch
from tests.simulator.worlds import small

FEW = max(4, settings().max_examples // 12)


def lived_in(seed, coins=3, accounts=60, start=None, times=1):
    """Return a world after three quarters of an hour; ``times`` as much is held and owned."""
    sim = small(seed, coins, accounts, pct=0, start=start)
    sim.run(45)
    w = sim.world
    for grown in (w.slots["size"], w.slots["margin"], w.accounts["cash"], w.level_size):
        grown *= times
    w.coins["open_interest"] *= times
    w.coins["depth"] *= times
    return sim


def step(sim, ms, returns, spoil=lambda sim: None):
    """Move marks, liquidate, and return complaints, what was told, and how many crossed."""
    w = sim.world
    out, expected = watch.misstated(sim), watch.prices(sim)
    was = standings(sim, w.coins["mark"])
    watch.set_marks(sim, returns)
    marks, partials = w.coins["mark"].copy(), w.accounts["last_partial"].copy()
    before = standings(sim, marks)
    over, not_over = watch.crossed(sim, expected, marks)
    spoil(sim)
    told = watch.liquidated_at(sim, ms)
    out += watch.judge(sim, before, partials, marks, ms, told)
    done = {watch.key_of(row) for row in told.liquidations}
    sound = {key for key, stand in was.items() if not stand.under and key[0] != sim.vault}
    out += [f"{key}: crossed its price and was not liquidated" for key in over & sound - done]
    out += [f"{key}: liquidated before its price" for key in not_over & sound & done]
    return out, told, len(over & sound)


@given(
    seed=st.integers(0, 2**32),
    drift=st.sampled_from([-0.008, -0.003, 0.006]),
    times=st.sampled_from([1, 30]),
)
@settings(max_examples=FEW)
def test_who_is_under_maintenance_at_a_mark_is_liquidated_and_nobody_else(seed, drift, times):
    sim = lived_in(seed, times=times)
    rng = np.random.default_rng(seed)
    for number in range(1, 16):
        returns = drift + rng.normal(0, 0.01) + rng.normal(0, 0.01, 3)
        complaints = step(sim, sim.now_ms + 3_000 * number, returns)[0]
        assert complaints == []


@pytest.mark.parametrize("start", [date(2025, 3, 1), date(2026, 1, 5)])
def test_a_fall_liquidates_by_every_rule(start):
    """And before the venue changed its rule, orders are whole."""
    sim = lived_in(7, coins=2, accounts=400, start=start, times=20)
    rows, crossed = [], 0
    for number in range(1, 21):
        complaints, told, over = step(
            sim, sim.now_ms + 3_000 * number, np.array([-0.012, -0.014])
        )
        assert complaints == []
        rows.append(told.liquidations)
        crossed += over
    rows = np.concatenate(rows)
    assert crossed > 20
    assert set(rows["kind"].tolist()) == {r.BY_MARKET, r.BY_BACKSTOP, r.BY_ADL}
    market = rows[rows["kind"] == r.BY_MARKET]
    partial = market["sent"] < np.abs(market["size"])
    assert partial.sum() > 5 if start.year == 2026 else not partial.any()


def cash_gone(sim):
    """Take money from whoever has most behind its positions: somebody is liquidated unduly."""
    sim.world.accounts["cash"][sim.vault + 1 :] -= 10**9


def cash_given(sim):
    sim.world.accounts["cash"] += 10**12
    sim.world.slots["margin"][sim.world.slots["isolated"] == 1] += 10**12


def later(sim):
    sim.world.accounts["last_partial"] = sim.now_ms


SPOILED = {
    "who is well is liquidated": cash_gone,
    "who is under is spared": cash_given,
    "maintenance is taken higher": lambda sim: sim.world.tier_rate.__imul__(1.02),
    "a deduction is forgotten": lambda sim: sim.world.tier_deduction.__iadd__(1e7),
    "marks are others": lambda sim: sim.world.coins["mark"].__isub__(10),
    "the cooldown holds for all": later,
}


@pytest.fixture(scope="module")
def about_to_fall():
    return lived_in(7, coins=2, accounts=400, times=20)


@pytest.mark.parametrize("name", SPOILED)
def test_each_fault_of_the_engine_would_be_seen(about_to_fall, name):
    sim = deepcopy(about_to_fall)
    returns = np.array([-0.04, -0.05])
    assert step(deepcopy(sim), sim.now_ms + 3_000, returns)[0] == []
    complaints, _, _ = step(sim, sim.now_ms + 3_000, returns, SPOILED[name])
    assert complaints


def test_a_misstated_price_would_be_seen(about_to_fall):
    sim = deepcopy(about_to_fall)
    assert watch.misstated(sim) == []
    sim.tiers.rate[0] *= 1.0 + 1e-6  # the statement's tables, not the reference's
    assert watch.misstated(sim)


def test_a_world_before_the_rule_would_be_seen_to_send_fifths(about_to_fall):
    sim, seen = deepcopy(about_to_fall), []
    w, ms = sim.world, sim.now_ms
    for _ in range(12):
        ms += 3_000
        watch.set_marks(sim, np.array([-0.012, -0.014]))
        marks, partials = w.coins["mark"].copy(), w.accounts["last_partial"].copy()
        before = standings(sim, marks)
        told = watch.liquidated_at(sim, ms, partial_since=ms + 1)
        assert watch.judge(sim, before, partials, marks, ms, told, ms + 1) == []
        seen += watch.judge(sim, before, partials, marks, ms, told, PARTIAL_SINCE)
    assert seen


def after_a_minute(sim):
    """Let a minute pass; complain of untouched accounts that are not as the last mark wants.

    Untouched: nothing traded, paid or moved but by liquidation.
    """
    expected = watch.prices(sim)
    was = standings(sim, sim.world.coins["mark"])
    alone = {}
    for a, coin, slot in open_positions(sim.moment()):
        key = (a, coin) if slot["isolated"] else (a, None)
        alone.setdefault(key, []).append((*expected[a, coin], coin))
    told = sim.run(1)
    marks = told.contexts["mark"]
    by_choice = told.trades[told.trades["liquidated"] < 0]
    busy = set(by_choice["buyer"].tolist()) | set(by_choice["seller"].tolist())
    busy |= set(told.transfers["account"].tolist())
    met = told.trades[told.trades["kind"] == r.BY_ADL]
    busy |= set(met["buyer"].tolist()) | set(met["seller"].tolist())
    out = [text for text in watch.left_under(sim, marks, told) if text_of(text) not in busy]
    done = {}
    for row in told.liquidations:
        done.setdefault(watch.key_of(row), row)
    sound = {key for key, stand in was.items() if not stand.under}
    if told.fundings.size:
        return out, 0
    seen = 0
    for key, held in alone.items():
        if len(held) > 1 or key not in sound or key[0] in busy or key[0] <= sim.vault:
            continue
        px, size, coin = held[0]
        mark = int(done[key]["mark"] if key in done else marks[coin])
        over = px is not None and (mark < px if size > 0 else mark > px)
        seen += key in done
        if over != (key in done):
            out.append(f"{key}: mark {mark}, price {px}, liquidated {key in done}")
    return out, seen


def text_of(text):
    """Return the account a complaint is about."""
    return int(text[1:].split(",")[0])


def test_minute_by_minute_the_mark_decides():
    sim = small(seed=7, coins=4, accounts=200, pct=-14.0, hour=0.25, minutes=15)
    liquidated = 0
    for _ in range(50):
        complaints, seen = after_a_minute(sim)
        assert complaints == []
        liquidated += seen
    assert liquidated > 20


def test_a_minute_of_another_maintenance_would_be_seen():
    sim = small(seed=7, coins=4, accounts=200, pct=-14.0, hour=0.25, minutes=15)
    sim.world.tier_rate[:] *= 1.03  # the engine's tables; the reference keeps to the documents
    assert [text for _ in range(35) for text in after_a_minute(sim)[0]]
