import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulator import records as r
from pipelines.simulator.kernels import book, ledger
from tests.reference import venue_market as market
from tests.reference import venue_rules as rules
from tests.simulator.worlds import bare, set_book, set_mark, small, tape_of

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
few = settings(max_examples=max(10, settings().max_examples // 5))
ONE, SOL = 7, 2


def kernel(name, way):
    made = getattr(book, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


@pytest.fixture
def sim():
    made = bare()
    set_mark(made, SOL, 1_000_000)
    made.world.accounts["cash"][:] = 10**12
    return made


# A compiled kernel hands Python a copy of its row, so one that writes rows through others is
# asked as a whole: compiled here, interpreted where all is (NUMBA_DISABLE_JIT).
def walked(sim, delta, kind=r.BY_CHOICE, liquidated=r.NOBODY):
    w, tape = sim.world, tape_of(sim)
    s = ledger.slot_of(w, ONE, SOL)
    if w.slots[s]["size"] == 0:
        ledger.take_slot(w, s, SOL, 0, 10, 0)
    got = book.walk(w, tape, 70, ONE, s, delta, kind, liquidated)
    return got, tape.trades[: tape.used[r.TRADES]], w.slots[s]


def test_an_order_walks_the_book_level_by_level(sim):
    """By hand: 250 lots take 100 at 99.9, 120 at 99.8, 30 of the 80 at 99.5."""
    bids = [(999_000, 100), (998_000, 120), (996_000, 0), (995_000, 80)]
    set_book(sim, SOL, bids, [(1_001_000, 50)])
    got, trades, slot = walked(sim, -250)
    assert got == (250, 99_900_000 + 119_760_000 + 29_850_000)
    fills = trades[["px", "size"]].tolist()
    assert fills == rules.walk(bids, 250)[0] == [(999_000, 100), (998_000, 120), (995_000, 30)]
    assert slot["size"] == -250
    assert set(trades["seller_order"].tolist()) == {trades["seller_order"][0]}
    assert len(set(trades["buyer_order"].tolist())) == 3
    assert (trades["taker_buys"] == 0).all()
    assert (sim.world.accounts["role"][trades["buyer"]] == r.MAKER).all()
    assert sim.world.level_size[SOL, 0, :4].tolist() == [0, 0, 0, 50]
    # The best price is where something is left.
    assert sim.world.coins[SOL][["bid", "ask", "last"]].tolist() == (
        995_000,
        1_001_000,
        995_000,
    )


def test_what_the_book_does_not_hold_is_not_filled(sim):
    set_book(sim, SOL, [(999_000, 10)], [(1_001_000, 7), (1_002_000, 8)])
    (filled, value), trades, slot = walked(sim, 40)
    assert (filled, value) == (15, 7 * 1_001_000 + 8 * 1_002_000)
    assert slot["size"] == 15
    assert trades["size"].sum() == 15
    assert sim.world.coins[SOL]["ask"] > 1_002_000
    assert walked(sim, 40)[0] == (0, 0)


@given(
    sizes=st.lists(st.integers(0, 500), min_size=1, max_size=20),
    steps=st.lists(st.integers(1, 9), min_size=20, max_size=20),
    delta=st.integers(1, 4000),
    buys=st.booleans(),
)
@few
def test_walks_agree_with_the_obvious_one(bare_sim, sizes, steps, delta, buys):
    sim, sign = bare_sim, 1 if buys else -1
    w = sim.world
    px = 1_000_000 + sign * 100 * np.cumsum(steps[: len(sizes)])
    levels = list(zip(px.tolist(), sizes, strict=True))
    far = [(1_000_000 - sign * 100, 5)]
    set_book(sim, SOL, *((far, levels) if buys else (levels, far)))
    for s in (ledger.slot_of(w, ONE, SOL), ledger.slot_of(w, 0, SOL)):
        w.slots[s]["size"] = 0
    got, trades, _ = walked(sim, sign * delta)
    fills, left = rules.walk(levels, delta)
    assert trades[["px", "size"]].tolist() == fills
    assert got == (delta - left, sum(px * size for px, size in fills))


@pytest.fixture(scope="module")
def bare_sim():
    made = bare()
    set_mark(made, SOL, 1_000_000)
    return made


def test_who_rests_trades_at_its_own_side_as_a_maker(sim):
    w, tape = sim.world, tape_of(sim)
    s = ledger.slot_of(w, ONE, SOL)
    ledger.take_slot(w, s, SOL, 0, 10, 0)
    book.rest(w, tape, 70, ONE, s, 30)
    row = tape.trades[0]
    assert row[["buyer", "px", "size", "taker_buys"]].tolist() == (ONE, 999_990, 30, 0)
    assert row["buyer_fee"] == rules.fee(30 * 999_990, False, False)
    assert row["seller_fee"] == rules.fee(30 * 999_990, True, True)
    book.rest(w, tape, 140, ONE, s, -10)
    row = tape.trades[1]
    assert row[["seller", "px", "size", "taker_buys"]].tolist() == (ONE, 1_000_010, 10, 1)


@each
def test_impact_and_depth_by_hand(sim, way):
    """6,000 USD: 2,000 at 100.1, 4,000 at 100.2; within 1 % of 100: all but the last level."""
    asks = [(1_001_000, 1998), (1_002_000, 10_000), (1_010_500, 100)]
    set_book(sim, SOL, [(999_000, 1)], asks)
    px = kernel("impact_px", way)(sim.world, SOL, 1)
    lots = 1998 + (6e9 - 1998 * 1_001_000) / 1_002_000
    assert px == pytest.approx(6e9 / lots, rel=1e-12)
    assert px == pytest.approx(float(rules.impact_px(asks, 6 * 10**9)), rel=1e-12)
    held = kernel("depth_within", way)(sim.world, SOL, 1)
    assert held == pytest.approx((1998 * 1_001_000 + 10_000 * 1_002_000) / 1e6)
    # Of an empty side it is the last price there is.
    set_book(sim, SOL, [(999_000, 0)], asks)
    empty = kernel("impact_px", way)(sim.world, SOL, 0)
    assert empty == sim.world.level_px[SOL, 0, -1]


@each
@given(
    seed=st.integers(0, 50),
    periods=st.sampled_from([1, 2, 20]),
    stress=st.floats(0, 40),
    pushed=st.floats(-0.05, 0.05),
    spot=st.floats(0.5, 2.0),
)
@few
def test_books_are_quoted_as_told(lived, way, seed, periods, stress, pushed, spot):
    w = lived.world
    for c in range(w.coins.size):
        w.coins["stress"][c], w.coins["pushed"][c] = stress, pushed
        w.coins["spot"][c] = lived.coins[c].px * spot
        w.level_size[c] = np.random.default_rng(seed).integers(0, 5_000, (2, r.LEVELS))
        want, sides = market.quoted(market.coin_of(w, c), periods, w.level_size[c].tolist())
        kernel("quote", way)(w, c, market.elsewhere(market.coin_of(w, c)), periods)
        got = market.coin_of(w, c)
        assert got["fair"] == pytest.approx(want["fair"], rel=1e-12)
        assert got["pushed"] == pytest.approx(want["pushed"], rel=1e-12, abs=1e-15)
        assert (got["bid"], got["ask"]) == (want["bid"], want["ask"])
        for side in range(2):
            assert w.level_px[c, side].tolist() == [px for px, _ in sides[side]]
            # A real number cut to a whole one may fall either way.
            apart = w.level_size[c, side] - np.array([size for _, size in sides[side]])
            assert np.abs(apart).max() <= 1


@pytest.fixture(scope="module")
def lived():
    made = small(5, coins=6, accounts=40, pct=0)
    made.run(10)
    return made
