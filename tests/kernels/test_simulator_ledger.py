import numpy as np
import pytest

from pipelines.simulator import records as r
from pipelines.simulator.kernels import ledger, margins
from tests.reference import venue_rules as obvious
from tests.reference.venue import Auditor, standings, tables_of
from tests.simulator.worlds import bare, give, set_mark, small, tape_of
from warehouse.kernels.margin import maintenance_margin

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
ONE, TWO = 7, 8  # the first accounts that are neither makers nor the vault
SOL = 2


def kernel(module, name, way):
    made = getattr(module, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


@pytest.fixture
def sim():
    made = bare()
    set_mark(made, SOL, 1_000_000)  # 100 USD; a lot is 0.01 SOL
    return made


def do_trade(sim, way, buyer, seller, px, size, kind=r.BY_CHOICE, liquidated=r.NOBODY):
    """Let ``buyer`` take from ``seller``; return the row."""
    w, tape = sim.world, tape_of(sim)
    kernel(ledger, "begin_trade", way)(w, tape, 5, SOL, px, size)
    row = tape.trades[0]  # what a compiled kernel returns to Python is a copy
    assert row[["ms", "coin", "px", "size"]].tolist() == (5, SOL, px, size)
    assert row["mark"] == w.coins[SOL]["mark"]
    slots = [kernel(ledger, "slot_of", way)(w, a, SOL) for a in (buyer, seller)]
    for a, s in zip((buyer, seller), slots, strict=True):
        if w.slots[s]["size"] == 0 and w.accounts[a]["role"] == r.TRADER:
            kernel(ledger, "take_slot", way)(w, s, SOL, 0, 10, 0)
    kernel(ledger, "set_sides", way)(w, row, buyer, slots[0], seller, slots[1], 1)
    kernel(ledger, "trade", way)(w, tape, row, w.house[r.ORDERS], kind, liquidated)
    return tape.trades[0]


@each
def test_a_position_opens_grows_shrinks_and_turns(sim, way):
    """100 lots at 100 USD, 50 more at 106: entry 102; 60 go at 110; then 190: 100 short."""
    w = sim.world
    for size, px, held, entry, pnl in [
        (100, 1_000_000, 100, 1_000_000, 0),
        (50, 1_060_000, 150, 1_020_000, 0),
        (-60, 1_100_000, 90, 1_020_000, 60 * 80_000),
        (-190, 900_000, -100, 900_000, -90 * 120_000),
        (100, 880_000, 0, 880_000, 100 * 20_000),
    ]:
        buyer, seller = (ONE, 0) if size > 0 else (0, ONE)
        row = do_trade(sim, way, buyer, seller, px, abs(size))
        s = ledger.slot_of(w, ONE, SOL)
        assert (w.slots[s]["size"], w.slots[s]["entry"]) == (held, entry)
        assert row["buyer_pnl" if size > 0 else "seller_pnl"] == pnl
    assert w.accounts[ONE]["held"] == 0
    assert w.coins["open_interest"][SOL] == 0


@each
def test_fees_are_those_of_the_venue(sim, way):
    """Taker 0.045 %; a maker account gets 0.003 %, others that rest pay 0.015 %."""
    row = do_trade(sim, way, ONE, 0, 1_000_000, 12_345)
    value = 12_345 * 1_000_000
    assert row["buyer_fee"] == obvious.fee(value, False, True) == 5_555_250
    assert row["seller_fee"] == obvious.fee(value, True, False) == -370_350
    row = do_trade(sim, way, ONE, TWO, 1_000_000, 12_345)
    assert row["seller_fee"] == obvious.fee(value, False, False) == 1_851_750
    assert sim.world.house[r.FEES] == 2 * 5_555_250 - 370_350 + 1_851_750
    for kind in (r.BY_BACKSTOP, r.BY_ADL, r.BY_SETTLEMENT):
        row = do_trade(sim, way, ONE, TWO, 1_000_000, 5, kind)
        assert row["buyer_fee"] == row["seller_fee"] == 0


@each
def test_isolated_margin_comes_and_goes_with_size(sim, way):
    w = sim.world
    w.accounts[ONE]["cash"] = 10**9
    s = ledger.slot_of(w, ONE, SOL)
    kernel(ledger, "take_slot", way)(w, s, SOL, 1, 10, 0)
    w.slots[s]["coin"] = SOL

    def go(size, px, kind=r.BY_CHOICE):
        tape = tape_of(sim)
        ledger.begin_trade(w, tape, 5, SOL, px, abs(size))
        row = tape.trades[0]
        ledger.set_sides(w, row, ONE, s, 0, ledger.slot_of(w, 0, SOL), int(size > 0))
        kernel(ledger, "trade", way)(w, tape, row, 1, kind, ONE)
        return w.slots[s]["margin"] + w.slots[s]["size"] * px, w.accounts[ONE]["cash"]

    # 1000 lots of 1 USD: 100 USD of margin, 0.45 of fees out of it.
    assert go(1000, 1_000_000) == (100_000_000 - 450_000, 900_000_000)
    # Half is sold 10 % higher: half of what is behind it comes back.
    equity = 100_000_000 - 450_000 + 1000 * 100_000 - 247_500
    assert go(-500, 1_100_000) == (equity - equity // 2, 900_000_000 + equity // 2)
    # Liquidated in part it gives nothing back, and closed all.
    left, cash = go(-100, 1_100_000, r.BY_MARKET)
    assert (left, cash) == (equity - equity // 2 - 49_500, 900_000_000 + equity // 2)
    assert go(-400, 1_100_000, r.BY_MARKET) == (0, cash + left - 198_000)


@each
def test_slots_are_found_or_given(sim, way):
    w = sim.world
    find = kernel(ledger, "slot_of", way)
    assert find(w, 3, SOL) == w.accounts[3]["first"] + SOL  # makers have one a coin
    first, end = w.accounts[ONE]["first"], w.accounts[ONE]["end"]
    taken = {}
    for coin in (1, 2):
        taken[coin] = s = find(w, ONE, coin)
        assert first <= s < end
        w.slots[s]["coin"], w.slots[s]["size"] = coin, 5
    assert taken[1] != taken[2] == find(w, ONE, 2)
    w.slots[taken[1]]["size"] = 0  # remembers its coin, and is not given while others are new
    assert find(w, ONE, 1) == taken[1]
    assert find(w, ONE, 0) not in taken.values()
    others = [s for s in range(first, end) if s != taken[1]]
    w.slots["coin"][others], w.slots["size"][others] = 2, 5
    assert find(w, ONE, 0) == taken[1]
    w.slots[taken[1]]["size"] = 1
    assert find(w, ONE, 0) == -1


@each
def test_a_taken_slot_is_clean_and_keeps_what_its_account_may_keep(way):
    w = bare(20, 1).world
    wif, btc = 16, 0
    s = ledger.slot_of(w, ONE, wif)
    for coin, old, leverage, most in ((wif, 0, 5, 5), (wif, 1, 8, 10), (btc, 1, 8, 40)):
        w.slots[s]["margin"] = w.slots[s]["funding"] = w.slots[s]["funding_changed"] = 9
        kernel(ledger, "take_slot", way)(w, s, coin, 1, 8, old)
        slot = w.slots[s]
        assert (slot["leverage"], slot["max_leverage"]) == (leverage, most)
        assert slot["margin"] == slot["funding"] == slot["funding_changed"] == 0


@each
def test_transfers_move_what_they_say(sim, way):
    w, tape = sim.world, tape_of(sim)
    for kind, amount in (
        (r.DEPOSIT, 100),
        (r.WITHDRAWAL, -30),
        (r.COVER, 7),
        (r.TAKEOVER, -5),
    ):
        kernel(ledger, "transfer", way)(w, tape, 9, ONE, kind, amount)
    assert w.accounts[ONE]["cash"] == 72
    house = w.house[[r.DEPOSITED, r.WITHDRAWN, r.INSURANCE]].tolist()
    assert house == [100, 30, -7]
    assert tape.transfers["amount"][:4].tolist() == [100, -30, 7, -5]


@each
def test_a_tape_has_room_while_it_is_half_empty(sim, way):
    for place, table in ((r.TRADES, "trades"), (r.TRANSFERS, "transfers"), (2, "liquidations")):
        tape = tape_of(sim)
        size = getattr(tape, table).size
        tape.used[place] = size // 2 - 1
        assert kernel(ledger, "has_room", way)(tape)
        tape.used[place] = size // 2
        assert not kernel(ledger, "has_room", way)(tape)


@pytest.fixture(scope="module")
def lived():
    made = small(11, coins=6, accounts=150, pct=-8.0, hour=0.2)
    made.run(60)
    return made


@each
def test_states_are_those_of_plain_books(lived, way):
    w = lived.world
    marks = w.coins["mark"]
    stand = standings(lived, marks.tolist())
    for (a, coin), each_one in stand.items():
        if coin is None:
            equity, needed, _, _ = kernel(margins, "cross_state", way)(w, a, marks)
        else:
            s = ledger.slot_of(w, a, coin)
            equity, needed, _ = kernel(margins, "isolated_state", way)(w, s, marks)
            behind = kernel(margins, "backing", way)(w, s, a, marks)
            assert behind == equity
        assert equity == each_one.equity
        assert needed == pytest.approx(float(each_one.held), rel=1e-12)
    cross = next(a for a, coin in stand if coin is None)
    s = next(s for s in range(*w.accounts[cross][["first", "end"]]) if w.slots[s]["size"])
    assert kernel(margins, "backing", way)(w, s, cross, marks) == stand[cross, None].equity


@each
def test_maintenance_is_that_of_the_warehouse_and_of_the_documents(lived, way):
    w, tables = lived.world, tables_of(lived)
    for table in range(6):
        for usd in (0, 9, 1e4, 1e5, 3e6, 19e6, 20e6, 21e6, 150e6, 151e6, 1e9):
            micro = int(usd * 1e6)
            got = kernel(margins, "maintenance", way)(w, table, micro)
            assert got == pytest.approx(float(obvious.maintenance(micro, tables[table])))
            theirs = maintenance_margin(
                np.array([usd]),
                np.array([table]),
                lived.tiers.first,
                lived.tiers.rate,
                lived.tiers.deduction,
            )[0]
            assert got / 1e6 == pytest.approx(theirs, rel=1e-12)


def test_a_walk_through_time_is_audited(lived):
    auditor = Auditor(lived)
    auditor.replay(lived.run(5))
    assert auditor.close() == []


def test_a_position_given_by_hand_is_one(sim):
    s = give(sim, ONE, SOL, 100, 1_000_000)
    assert sim.world.slots[s]["size"] == 100
    assert sim.world.coins["open_interest"][SOL] == 100
