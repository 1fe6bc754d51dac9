import numpy as np
import pytest

from pipelines.simulator import records as r
from pipelines.simulator.kernels import liquidation, settlement
from pipelines.simulator.kernels.ledger import slot_of
from pipelines.simulator.kernels.liquidation import first_ranked, liquidate, rank_others
from pipelines.simulator.world import PARTIAL_SINCE
from tests.reference import venue_rules as rules
from tests.simulator import invariants
from tests.simulator.worlds import bare, give, set_mark, tape_of

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
ONE, TWO, THREE, FOUR, FIVE = 7, 8, 9, 10, 11
ETH, SOL = 1, 2
MS = PARTIAL_SINCE + 10**9
USD = 10**6


def kernel(module, name, way):
    made = getattr(module, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


@pytest.fixture
def sim():
    """SOL at 100 USD, 20x: maintenance is 2.5 %; a lot is 0.01 SOL, so 1 USD."""
    made = bare()
    set_mark(made, SOL, 1_000_000)
    made.world.accounts["cash"][: made.vault + 1] = 10**15
    return made


def long(sim, account, lots, equity, coin=SOL, **how):
    """Let an account hold ``lots``, with ``equity`` micro-USDC at the mark behind it."""
    mark = int(sim.world.coins["mark"][coin])
    if how.get("margin"):
        how["margin"] = equity - lots * mark
    else:
        sim.world.accounts["cash"][account] += equity - lots * mark
    return give(sim, account, coin, lots, mark, **how)


def at(sim, ms, since=PARTIAL_SINCE):
    """Liquidate; return the rows and the tape."""
    tape = tape_of(sim)
    acted = liquidate(sim.world, tape, ms, sim.vault, since, False)
    assert acted == tape.used[r.LIQUIDATIONS]
    return tape.liquidations[:acted], tape


def total(sim):
    w = sim.world
    equities = w.accounts["cash"].sum() + w.slots["margin"].sum()
    return equities + w.house[r.FEES] + w.house[r.INSURANCE]


@pytest.mark.parametrize("lots", [200_000, -200_000])
def test_a_large_position_goes_by_a_fifth_and_then_whole(sim, lots):
    before = total(sim)
    s = long(sim, ONE, lots, 4_000 * USD)
    before = total(sim)
    rows, _ = at(sim, MS)
    assert rows[["account", "coin", "kind", "size", "sent", "filled"]].tolist() == [
        (ONE, SOL, r.BY_MARKET, lots, 40_000, 40_000)
    ]
    assert rows["equity"][0] == 4_000 * USD
    assert rows["maintenance"][0] == pytest.approx(5_000 * USD)
    best = 999_990 if lots > 0 else 1_000_010
    assert rows["value"][0] == 40_000 * best
    assert sim.world.accounts[ONE]["last_partial"] == MS
    assert abs(sim.world.slots[s]["size"]) == 160_000
    # 160,000 USD want 4,000, fees took some of that: within 30 s all of it goes.
    rows, _ = at(sim, MS + 3_000)
    assert rows[["sent", "cause"]].tolist() == [(160_000, r.BY_REMAINDER)]
    assert sim.world.accounts[ONE]["last_partial"] == MS
    assert at(sim, MS + 6_000)[0].size == 0
    assert total(sim) == before


@pytest.mark.parametrize(
    ("lots", "ms", "since", "sent"),
    [
        (100_000, MS, PARTIAL_SINCE, 100_000),  # exactly 100,000 USD is not above
        (100_001, MS, PARTIAL_SINCE, 20_000),
        (100_003, MS, PARTIAL_SINCE, 20_001),
        (200_000, MS, MS, 40_000),
        (200_000, MS, MS + 1, 200_000),  # before the venue changed its rule
        (200_000, PARTIAL_SINCE - 1, PARTIAL_SINCE, 200_000),
    ],
)
def test_how_much_is_sent(sim, lots, ms, since, sent):
    long(sim, ONE, lots, int(lots * USD * 0.02))
    assert at(sim, ms, since)[0]["sent"].tolist() == [sent]
    assert rules.sent(lots, 10**6, ms, -(10**15), since) == sent


def test_the_cooldown_is_thirty_seconds(sim):
    for later, sent in ((30_000, 200_000), (30_001, 40_000)):
        long(sim, ONE, 200_000, 4_000 * USD)
        sim.world.accounts[ONE]["last_partial"] = MS
        assert at(sim, MS + later)[0]["sent"].tolist() == [sent]
        for name in ("size", "margin"):
            sim.world.slots[name] = 0
        sim.world.accounts["cash"][ONE] = sim.world.accounts["held"][ONE] = 0


def test_orders_of_one_block_are_all_partial(sim):
    """The largest first, each once; and an isolated one makes no cooldown for the others."""
    w = sim.world
    set_mark(sim, ETH, 300_000)  # 3,000 USD, 25x: a lot is 0.0001
    long(sim, ONE, 200_000, 4_000 * USD, margin=True)
    long(sim, ONE, 1_000_000, 9_000 * USD, coin=ETH)
    rows, _ = at(sim, MS)
    assert rows["coin"].tolist() == [SOL]
    w.accounts["cash"][ONE] -= 4_000 * USD
    w.accounts["last_partial"][ONE] = 0
    rows, _ = at(sim, MS)
    shares = rows["sent"] / np.abs(rows["size"])
    assert rows["coin"].tolist() == [SOL, ETH]
    assert shares.tolist() == [0.2, 0.2]


def test_only_as_much_is_sold_as_makes_the_account_healthy(sim):
    set_mark(sim, ETH, 300_000)
    long(sim, ONE, 50_000, 0)
    s = long(sim, ONE, 90_000, 0, coin=ETH)
    sim.world.accounts["cash"][ONE] += 1_500 * USD  # 1,250 + 540 are wanted
    rows, _ = at(sim, MS)
    assert rows["coin"].tolist() == [SOL]
    assert sim.world.slots[s]["size"] == 90_000


def test_what_the_book_lacks_is_sent_again(sim):
    w = sim.world
    s = long(sim, ONE, 50_000, 1_000 * USD)
    w.level_size[SOL, 0] = 0
    w.level_size[SOL, 0, 3] = 10
    rows, _ = at(sim, MS)
    assert rows[["sent", "filled"]].tolist() == [(50_000, 10)]
    assert at(sim, MS + 3_000)[0][["sent", "filled"]].tolist() == [(49_990, 0)]
    assert w.slots[s]["size"] == 49_990


@pytest.mark.parametrize("lots", [10_000, -10_000])
@pytest.mark.parametrize("isolated", [False, True])
def test_below_two_thirds_of_maintenance_the_vault_takes_over(sim, lots, isolated):
    """10,000 USD want 250: two thirds are 166.67."""
    w = sim.world
    how = {"margin": 1} if isolated else {}
    long(sim, ONE, lots, 166_666_667, **how)
    long(sim, TWO, lots, 166_666_666, **how)
    w.accounts["cash"][TWO] += 500 * USD if isolated else 0
    before, vault = total(sim), int(w.accounts["cash"][sim.vault])
    rows, tape = at(sim, MS)
    assert rows[["account", "kind", "filled"]].tolist() == [
        (ONE, r.BY_MARKET, 10_000),
        (TWO, r.BY_BACKSTOP, 10_000),
    ]
    # The price leaves nothing: 1.67 % under the mark, above it for a short.
    px = 983_333 if lots > 0 else 1_016_667
    row = tape.trades[tape.trades["kind"] == r.BY_BACKSTOP][0]
    assert row["px"] == px
    assert row["liquidated"] == TWO
    assert w.accounts[TWO]["cash"] == (500 * USD if isolated else 0)
    assert w.accounts[TWO]["held"] == 0
    s = slot_of(w, sim.vault, SOL)
    assert w.slots[s]["size"] == lots
    gained = int(w.accounts["cash"][sim.vault]) + lots * 1_000_000 - vault
    assert gained == 166_666_666  # what was behind it, to the last digit
    assert total(sim) == before


def test_a_takeover_hands_over_all_that_is_cross_and_nothing_else(sim):
    w = sim.world
    set_mark(sim, ETH, 300_000)
    alone = long(sim, ONE, 100_000, 5_000 * USD, coin=0, margin=True)
    long(sim, ONE, 10_000, 0)
    long(sim, ONE, -20_000, 100 * USD, coin=ETH)
    rows, _ = at(sim, MS)
    assert rows[["coin", "kind"]].tolist() == [(SOL, r.BY_BACKSTOP), (ETH, r.BY_BACKSTOP)] or (
        rows[["coin", "kind"]].tolist() == [(ETH, r.BY_BACKSTOP), (SOL, r.BY_BACKSTOP)]
    )
    assert w.slots[alone]["size"] == 100_000
    assert w.accounts[ONE][["cash", "held"]].tolist() == (0, 1)


def underwater(sim, cash):
    """A long of 1,000 SOL-cents at 90 USD, before at 95, and shorts of several ranks."""
    w = sim.world
    set_mark(sim, SOL, 900_000, before=950_000)
    give(sim, ONE, SOL, 1_000, 1_000_000)
    w.accounts["cash"][ONE] = cash
    for account, lots, entry, value in (
        (TWO, 300, 1_200_000, 100 * USD),
        (THREE, 500, 1_000_000, 95 * USD),
        (FOUR, 100, 1_300_000, -1),
    ):
        give(sim, account, SOL, -lots, entry)
        w.accounts["cash"][account] = value + lots * 950_000
    give(sim, FIVE, SOL, 100, 900_000)  # so that the maker has 200 to give
    w.accounts["cash"][FIVE] = w.accounts["cash"][0] = 10**12
    return w


@each
def test_ranks_are_profit_times_leverage_at_the_previous_mark(sim, way):
    w = underwater(sim, 0)
    kernel(liquidation, "rank_others", way)(w, ONE, SOL, 1)
    ranks = {a: w.slots[slot_of(w, a, SOL)]["rank"] for a in (0, ONE, TWO, THREE, FOUR)}
    assert ranks[TWO] == pytest.approx(1_200 / 950 * 2.85)
    assert ranks[THREE] == pytest.approx(1_000 / 950 * 5.0)
    assert ranks[FOUR] == ranks[ONE] == 0.0  # who has nothing; and oneself
    maker = w.slots[slot_of(w, 0, SOL)]
    value = 10**12 + int(maker["size"]) * 950_000
    want = rules.adl_rank(maker["size"], maker["entry"], 950_000, value)
    assert ranks[0] == pytest.approx(float(want))
    assert 0 < ranks[0] < ranks[TWO]
    account, s = kernel(liquidation, "first_ranked", way)(w)
    assert (account, w.slots[s]["coin"]) == (THREE, SOL)
    # The other way round longs are ranked, by mark over entry.
    w.accounts["cash"][ONE] = -1_000 * 950_000
    kernel(liquidation, "rank_others", way)(w, TWO, SOL, -1)
    s = slot_of(w, ONE, SOL)
    assert w.slots[s]["rank"] == 0.0  # has nothing
    w.accounts["cash"][ONE] = 50 * USD - 1_000 * 950_000
    w.slots[s]["entry"] = 500_000
    kernel(liquidation, "rank_others", way)(w, TWO, SOL, -1)
    assert w.slots[s]["rank"] == pytest.approx(950 / 500 * 950 / 50)
    w.slots["rank"] = 0.0
    assert kernel(liquidation, "first_ranked", way)(w) == (-1, -1)


def test_ranks_of_isolated_positions_use_their_own_margin(sim):
    w = underwater(sim, 0)
    s = slot_of(w, TWO, SOL)
    w.slots[s]["isolated"], w.slots[s]["margin"] = 1, 300 * 950_000 + 20 * USD
    rank_others(w, ONE, SOL, 1)
    assert w.slots[s]["rank"] == pytest.approx(1_200 / 950 * 285 / 20)
    assert first_ranked(w)[0] == TWO


def test_deleveraging_closes_in_order_of_rank_at_the_previous_mark(sim):
    """It owes 1 USD at the mark; at the one before it does not, and keeps the rest."""
    w = underwater(sim, -901 * USD)
    before = total(sim)
    rows, tape = at(sim, MS)
    mine = rows[rows["account"] == ONE]
    assert mine[["kind", "equity", "sent", "filled", "value"]].tolist() == [
        (r.BY_ADL, -USD, 1_000, 1_000, 950 * USD)
    ]
    trades = tape.trades[: tape.used[r.TRADES]]
    trades = trades[trades["liquidated"] == ONE]
    assert trades[["buyer", "size", "px"]].tolist()[:2] == [
        (THREE, 500, 950_000),
        (TWO, 300, 950_000),
    ]
    assert trades["size"].sum() == 1_000
    assert not trades["buyer_fee"].any()
    assert not trades["seller_fee"].any()
    assert trades["buyer_pnl"][0] == 500 * 50_000
    assert w.accounts[ONE]["cash"] == 49 * USD
    assert total(sim) == before


def test_the_insurance_covers_what_is_still_owed(sim):
    w = underwater(sim, -960 * USD)
    before = total(sim)
    _, tape = at(sim, MS)
    covers = tape.transfers[: tape.used[r.TRANSFERS]]
    covers = covers[(covers["kind"] == r.COVER) & (covers["account"] == ONE)]
    assert covers["amount"].tolist() == [10 * USD]
    assert w.accounts[ONE]["cash"] == 0
    assert w.house[r.INSURANCE] <= -10 * USD
    assert total(sim) == before


def test_who_is_at_maintenance_is_not_liquidated(sim):
    long(sim, ONE, 10_000, 250 * USD)
    long(sim, TWO, 10_000, 250 * USD - 1)
    assert at(sim, MS)[0]["account"].tolist() == [TWO]


@pytest.mark.parametrize(
    ("unpushed", "before", "hour", "cause"),
    [
        (1_000_000, 1_000_000, False, r.BY_PRICE),
        (1_100_000, 1_000_000, False, r.BY_CASCADE),  # no order here: it would be healthy
        (1_000_000, 1_000_000, True, r.BY_FUNDING),  # under at the mark before already
        (1_000_000, 1_100_000, True, r.BY_PRICE),
    ],
)
def test_causes(sim, unpushed, before, hour, cause):
    w = sim.world
    long(sim, ONE, 10_000, 200 * USD)
    w.coins[SOL]["unpushed"], w.coins[SOL]["mark_before"] = unpushed, before
    tape = tape_of(sim)
    liquidate(w, tape, MS, sim.vault, PARTIAL_SINCE, hour)
    assert tape.liquidations["cause"][0] == cause


def test_a_delisted_coin_is_settled_at_its_mark(sim):
    w = sim.world
    long(sim, ONE, 300, 50 * USD)
    give(sim, TWO, SOL, -200, 1_100_000, margin=300 * USD)
    w.accounts["cash"][TWO] = 5 * USD
    w.coins[SOL]["mark"] = 1_050_000
    assert invariants.what_is_counted_is_held(sim, None, 0) == []
    before, tape = total(sim), tape_of(sim)
    settlement.delist(w, tape, 60_000, SOL)
    trades = tape.trades[: tape.used[r.TRADES]]
    assert set(trades["kind"].tolist()) == {r.BY_SETTLEMENT}
    assert set(trades["px"].tolist()) == {1_050_000}
    assert not (w.slots["size"] != 0).any()
    assert not w.accounts["held"].any()
    assert w.coins[SOL][["listed", "open_interest"]].tolist() == (0, 0)
    assert not w.level_size[SOL].any()
    assert w.accounts["cash"][ONE] == 50 * USD + 300 * 50_000
    assert w.accounts["cash"][TWO] == 5 * USD + 300 * USD - 200 * 1_050_000
    assert total(sim) == before


@each
def test_holders_are_found_in_turn(sim, way):
    w, find = sim.world, kernel(settlement, "holder_of", way)
    long(sim, TWO, 5, 0)
    long(sim, THREE, 7, 0)
    assert find(w, SOL, 1, 0) == (TWO, slot_of(w, TWO, SOL))
    assert find(w, SOL, 1, TWO + 1) == (THREE, slot_of(w, THREE, SOL))
    assert find(w, SOL, 1, THREE + 1) == (-1, -1)
    assert find(w, SOL, -1, 0)[0] == 0
