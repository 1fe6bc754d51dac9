"""What holds in every world, whatever its seed; and that each check would see its fault."""

from copy import deepcopy
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulator import records as r
from pipelines.simulator.world import Delisting
from tests.reference.venue import Auditor
from tests.simulator import invariants
from tests.simulator.worlds import HOUR, small

FEW = max(8, settings().max_examples // 5)


@given(
    seed=st.integers(0, 2**32),
    coins=st.integers(2, 6),
    accounts=st.integers(20, 150),
    pct=st.floats(-30, 30),
    minutes=st.integers(1, 45),
    start=st.sampled_from([date(2025, 3, 1), date(2026, 1, 5)]),
    stretches=st.lists(st.integers(1, 150), min_size=1, max_size=3),
    delisted=st.sampled_from([None, None, "BTC", "ETH"]),
)
@settings(max_examples=FEW)
def test_nothing_is_made_or_lost(
    seed, coins, accounts, pct, minutes, start, stretches, delisted
):
    sim = small(seed, coins, accounts, pct, 0.5, minutes, start)
    if delisted:
        ends = (Delisting(delisted, sim.spec.start_ms + 2 * HOUR),)
        sim.spec = sim.spec._replace(delistings=ends)
    auditor = Auditor(sim)
    for stretch in stretches:
        opening = sim.now_ms
        told = sim.run(stretch, books=True)
        assert sim.now_ms == opening + stretch * 60_000
        assert [text for check in invariants.ALL for text in check(sim, told, opening)] == []
        auditor.replay(told)
    assert auditor.close() == []


def test_older_leverages_are_kept_to():
    """Twenty coins, so that grandfathered positions are among them."""
    sim = small(7, coins=20, accounts=400)
    auditor = Auditor(sim)
    for _ in range(4):
        auditor.replay(sim.run(60))
    assert auditor.close() == []
    old = sim.world.slots["table"] >= len(sim.coins)
    assert (old & (sim.world.slots["size"] != 0)).any()


@pytest.fixture(scope="module")
def recorded():
    """A world through a fall deep enough for every kind of trade, and what it told."""
    sim = small(seed=1, coins=4, accounts=150, pct=-35.0, hour=0.3, minutes=2)
    ends = (Delisting("HYPE", sim.spec.start_ms + 2 * HOUR),)
    sim.spec = sim.spec._replace(delistings=ends)
    auditor, opening = Auditor(sim), sim.now_ms
    told = sim.run(180, books=True)
    assert set(told.trades["kind"].tolist()) == set(range(5))
    assert {int(r.DEPOSIT), int(r.WITHDRAWAL)} <= set(told.transfers["kind"].tolist())
    assert (told.transfers["kind"] == r.TAKEOVER).any()
    return sim, auditor, told, opening


@pytest.fixture
def world(recorded):
    """A copy that may be spoiled."""
    return deepcopy(recorded)


def complaints(sim, told, opening):
    return {check.__name__ for check in invariants.ALL if check(sim, told, opening)}


def held(sim):
    return np.flatnonzero(sim.world.slots["size"])[-1]


def isolated(sim):
    return np.flatnonzero((sim.world.slots["size"] != 0) & (sim.world.slots["isolated"] == 1))[
        0
    ]


def shift(where, place, by=1):
    where[place] += by


SPOILED = {
    "a lot too many": (
        lambda sim, told: shift(sim.world.slots["size"], held(sim)),
        {"sizes_sum_to_zero", "money_is_conserved"},
    ),
    "a micro-USDC too many": (
        lambda sim, told: shift(sim.world.accounts["cash"], 20),
        {"money_is_conserved"},
    ),
    "a fee nobody paid": (
        lambda sim, told: shift(sim.world.house, r.FEES),
        {"money_is_conserved"},
    ),
    "margin of nothing": (
        lambda sim, told: shift(
            sim.world.slots["margin"], np.flatnonzero(sim.world.slots["size"] == 0)[0]
        ),
        {"margin_lies_behind_isolated_positions_only", "money_is_conserved"},
    ),
    "open interest": (
        lambda sim, told: shift(sim.world.coins["open_interest"], 0),
        {"what_is_counted_is_held"},
    ),
    "a count of positions": (
        lambda sim, told: shift(sim.world.accounts["held"], 20),
        {"what_is_counted_is_held"},
    ),
    "a late trade": (
        lambda sim, told: shift(told.trades["ms"], 5, 600_000),
        {"time_goes_on"},
    ),
    "a trade of the next minute": (
        lambda sim, told: shift(told.transfers["ms"], -1, 60_000 * 180),
        {"time_goes_on"},
    ),
    "a takeover that makes money": (
        lambda sim, told: shift(
            told.transfers["amount"], np.argmax(told.transfers["kind"] == r.TAKEOVER)
        ),
        {"nothing_comes_of_forced_trades"},
    ),
    "a fee of a deleveraging": (
        lambda sim, told: shift(
            told.trades["seller_fee"], np.argmax(told.trades["kind"] == r.BY_ADL)
        ),
        {"nothing_comes_of_forced_trades"},
    ),
    "an order of two": (
        lambda sim, told: told.trades["buyer_order"].__setitem__(
            9, told.trades["buyer_order"][told.trades["buyer"] != told.trades["buyer"][9]][0]
        ),
        {"orders_are_whose_they_are"},
    ),
    "a liquidation that filled more": (
        lambda sim, told: shift(told.liquidations["filled"], 3),
        {"liquidations_are_their_trades"},
    ),
    "a liquidated maker": (
        lambda sim, told: told.liquidations["account"].__setitem__(0, 0),
        {"liquidations_are_their_trades"},
    ),
    "a crossed book": (
        lambda sim, told: told.books.__setitem__((7, 0, 0, 0, 0), told.books[7, 0, 1, 0, 0]),
        {"books_are_in_order"},
    ),
    "two levels at one price": (
        lambda sim, told: told.books.__setitem__((7, 0, 1, 4, 0), told.books[7, 0, 1, 3, 0]),
        {"books_are_in_order"},
    ),
    "less than nothing on a level": (
        lambda sim, told: told.books.__setitem__((7, 0, 1, 4, 1), -1),
        {"books_are_in_order"},
    ),
    "a level between ticks": (
        lambda sim, told: shift(told.books[..., 0], (7, 0, 0, 0), -1),
        {"books_are_in_order"},
    ),
    "a bar without one of its trades": (
        lambda sim, told: shift(
            told.contexts["volume"], np.argmax(told.contexts["trades"] > 0), -1
        ),
        {"contexts_tell_what_was"},
    ),
    "a mark between ticks": (
        lambda sim, told: shift(told.contexts["mark"], 0),
        {"contexts_tell_what_was"},
    ),
    "a premium of other prices": (
        lambda sim, told: shift(told.contexts["premium"], 0, 1e-9),
        {"contexts_tell_what_was"},
    ),
}


def test_a_world_that_was_not_spoiled_has_nothing_to_complain_of(world):
    sim, auditor, told, opening = world
    assert complaints(sim, told, opening) == set()
    auditor.sim = sim
    auditor.replay(told)
    assert auditor.close() == []


@pytest.mark.parametrize("name", SPOILED)
def test_each_check_sees_its_fault(world, name):
    sim, _, told, opening = world
    spoil, seen_by = SPOILED[name]
    spoil(sim, told)
    assert complaints(sim, told, opening) >= seen_by


def shift_row(table, name, by=1, where=lambda rows: 0):
    return lambda sim, told: shift(getattr(told, table)[name], where(getattr(told, table)), by)


def without(table, number=0):
    return lambda sim, told: told._replace(
        **{table: np.delete(getattr(told, table), number, axis=0)}
    )


AUDITED = {
    "a price": shift_row("trades", "px", 10),
    "a size": shift_row("trades", "size"),
    "a fee": shift_row("trades", "buyer_fee"),
    "a profit": shift_row("trades", "seller_pnl"),
    "a start": shift_row("trades", "buyer_start"),
    "a buyer": shift_row("trades", "buyer"),
    "who took": lambda sim, told: told.trades["taker_buys"].__setitem__(
        0, 1 - told.trades["taker_buys"][0]
    ),
    "a margin mode": lambda sim, told: told.trades["buyer_isolated"].__setitem__(
        0, 1 - told.trades["buyer_isolated"][0]
    ),
    "a deposit": shift_row("transfers", "amount"),
    "a funding rate": shift_row("fundings", "rate", 1e-7),
    "a funding rate not of its premium": shift_row("fundings", "premium", 1e-3),
    "an oracle": shift_row("fundings", "oracle", 1000),
    "a lost trade": without("trades"),
    "a lost transfer": without("transfers"),
    "a lost funding": without("fundings"),
    "a trade told twice": lambda sim, told: told._replace(
        trades=np.concatenate([told.trades[:1], told.trades])
    ),
    "cash": lambda sim, told: shift(sim.world.accounts["cash"], 30),
    "an entry": lambda sim, told: shift(sim.world.slots["entry"], held(sim)),
    "an isolated margin": lambda sim, told: shift(sim.world.slots["margin"], isolated(sim)),
    "funding paid": lambda sim, told: shift(sim.world.slots["funding"], held(sim)),
    "funding since a change": lambda sim, told: shift(
        sim.world.slots["funding_changed"], held(sim)
    ),
    "the house's fees": lambda sim, told: shift(sim.world.house, r.FEES),
    "the insurance": lambda sim, told: shift(sim.world.house, r.INSURANCE),
    "open interest": lambda sim, told: shift(sim.world.coins["open_interest"], 1),
}


@pytest.mark.parametrize("name", AUDITED)
def test_the_auditor_sees_each_fault(world, name):
    sim, auditor, told, _ = world
    told = AUDITED[name](sim, told) or told
    auditor.sim = sim
    auditor.replay(told)
    assert auditor.close() != []
