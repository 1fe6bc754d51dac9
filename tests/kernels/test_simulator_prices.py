import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulator import records as r
from pipelines.simulator.kernels import prices
from pipelines.simulator.kernels.draws import NORMAL
from tests.reference import venue_market as market
from tests.reference import venue_rules as rules
from tests.simulator.worlds import bare, give, set_mark, small, tape_of

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
few = settings(max_examples=max(10, settings().max_examples // 5))
ONE, TWO, SOL = 7, 8, 2
FLOATS = {"rel": 1e-11, "abs": 1e-15}


def kernel(name, way):
    made = getattr(prices, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


@pytest.fixture(scope="module")
def lived():
    made = small(5, coins=6, accounts=40, pct=0)
    made.run(10)
    return made


class Numbers:
    """Draws of a stream, by SplitMix64."""

    def __init__(self, state):
        self.state = int(state)

    def bits(self):
        self.state, number = rules.splitmix(self.state)
        return number >> 11

    def normal(self):
        return float(NORMAL[self.bits() % NORMAL.size])

    def uniform(self):
        return self.bits() / 2**53


@each
@given(seed=st.integers(0, 2**64 - 1), extra=st.sampled_from([0.0, -0.03, 0.7]))
@few
def test_returns_are_drawn_as_told(lived, way, seed, extra):
    w = lived.world
    w.rng[r.OF_PRICES] = seed
    before, people = [market.coin_of(w, c) for c in range(6)], int(w.rng[r.OF_PEOPLE])
    w.market[0] = 1.3
    variance, want = market.drawn(before, 1.3, w.market[1], extra, Numbers(seed))
    with np.errstate(over="ignore"):
        kernel("draw_returns", way)(w, extra)
    assert w.market[0] == pytest.approx(variance, **FLOATS)
    for c in range(6):
        got = market.coin_of(w, c)
        for name in ("ret", "jump", "own_variance", "basis", "trend", "carried"):
            assert got[name] == pytest.approx(want[c][name], **FLOATS), name
        w.coins["carried"][c] = w.coins["trend"][c] = 0.01
        w.coins["basis"][c], w.coins["own_variance"][c] = 0.0, 1.0
    assert int(w.rng[r.OF_PEOPLE]) == people


@each
@given(
    ret=st.floats(-0.3, 0.3),
    jump=st.sampled_from([0.0, 0.02]),
    share=st.sampled_from([0.05, 1.0, 0.0]),
    periods=st.sampled_from([1, 20]),
    pushed=st.floats(-0.1, 0.1),
    forced=st.sampled_from([0.0, 3e5]),
)
@few
def test_coins_move_as_told(lived, way, ret, jump, share, periods, pushed, forced):
    w = lived.world
    about = w.coins[1]
    about["ret"], about["jump"], about["pushed"], about["forced"] = ret, jump, pushed, forced
    about["spot"], about["stress"], about["carried"] = 3000.0, 0.7, 0.002
    want = market.moved(market.coin_of(w, 1), share, periods)
    kernel("move", way)(w, 1, share, periods)
    got = market.coin_of(w, 1)
    for name in ("spot", "jump", "stress", "carried", "pushed", "forced"):
        assert got[name] == pytest.approx(want[name], **FLOATS), name


@each
@given(
    spot=st.floats(0.97, 1.03),
    last=st.floats(0.97, 1.03),
    carried=st.floats(-0.01, 0.01),
    basis=st.floats(-0.01, 0.01),
    periods=st.sampled_from([1, 20]),
    ema=st.floats(-500.0, 500.0),
)
@few
def test_marks_are_medians_as_documented(lived, way, spot, last, carried, basis, periods, ema):
    w = lived.world
    for c in range(6):
        about = w.coins[c]
        about["spot"] = lived.coins[c].px * spot
        about["carried"], about["basis"] = carried, basis
        about["last"] = max(1, int(about["bid"] * last))
        about["ema_num"], about["ema_den"] = ema * 40.0, 40.0
        about["premium_sum"] = about["premium_count"] = 0.0
        sides = [
            list(zip(w.level_px[c, s].tolist(), w.level_size[c, s].tolist(), strict=True))
            for s in range(2)
        ]
        want = market.priced(market.coin_of(w, c), sides, periods)
        kernel("set_prices", way)(w, c, periods)
        got = market.coin_of(w, c)
        for name in ("oracle", "mark", "mark_before", "impact_bid", "impact_ask"):
            assert got[name] == want[name], name
        assert got["premium"] == pytest.approx(want["premium"], **FLOATS)
        for name in ("ema_num", "ema_den", "premium_sum", "premium_count"):
            # A difference of prices keeps their rounding.
            assert got[name] == pytest.approx(want[name], rel=1e-9, abs=1e-6), name


@each
def test_a_mark_by_hand(way):
    """Oracle 100, mid 100.5 and so 100.5 on average, last 100.2, elsewhere 100.9: 100.5."""
    sim = bare()
    set_mark(sim, SOL, 1_000_000)
    about = sim.world.coins[SOL]
    about["spot"], about["carried"], about["basis"] = 100.0, 0.0, 0.009
    about["bid"], about["ask"], about["last"] = 1_004_000, 1_006_000, 1_002_000
    about["ema_num"] = about["ema_den"] = 0.0
    kernel("set_prices", way)(sim.world, SOL, 1)
    assert about["mark"] == 1_005_000
    assert about["oracle"] == about["mark_before"] == 1_000_000


@each
@given(premium=st.floats(-0.5, 0.5) | st.floats(-0.001, 0.001))
def test_funding_is_an_eighth_of_premium_and_clamped_interest(way, premium):
    got = kernel("hourly_rate", way)(premium)
    # A rate between two of ten decimals may fall either way.
    assert abs(got - float(rules.hourly_rate(premium))) < 1.01e-10


@each
def test_funding_by_hand(way):
    """The baseline is 0.00125 % an hour, four per cent the most."""
    rate = kernel("hourly_rate", way)
    assert rate(0.0) == rate(0.0004) == rate(-0.0004) == 0.0000125
    assert rate(0.0014) == pytest.approx((0.0014 - 0.0005) / 8)
    assert rate(-0.0014) == pytest.approx((-0.0014 + 0.0005) / 8)
    assert (rate(0.9), rate(-0.9)) == (0.04, -0.04)


@each
def test_longs_pay_shorts_on_the_oracle(way):
    sim = bare()
    set_mark(sim, SOL, 1_010_000)
    w = sim.world
    about = w.coins[SOL]
    about["oracle"], about["premium_sum"], about["premium_count"] = 1_000_000, 2.4, 1_000.0
    cross = give(sim, ONE, SOL, 10_000, 1_000_000)
    alone = give(sim, TWO, SOL, -4_000, 1_000_000, margin=5 * 10**9)
    cash = w.accounts["cash"].copy()
    tape = tape_of(sim)
    kernel("pay_funding", way)(w, tape, 77)
    rate = (0.0024 - 0.0005) / 8
    assert tape.fundings[SOL][["ms", "coin", "oracle"]].tolist() == (77, SOL, 1_000_000)
    assert tape.fundings[SOL]["rate"] == pytest.approx(rate)
    paid = rules.funding(10_000, 1_000_000, rate)
    assert paid == 2_375_000  # of 10,000 USD
    assert cash[ONE] - w.accounts["cash"][ONE] == paid
    assert w.accounts["cash"][TWO] == cash[TWO]
    assert w.slots[alone]["margin"] == 5 * 10**9 + 950_000
    for s, much in ((cross, paid), (alone, -950_000)):
        names = ("funding", "funding_changed", "funding_ever")
        assert [w.slots[s][name] for name in names] == [much] * 3
    assert w.house[r.INSURANCE] == 0
    assert about["premium_count"] == 0
    # What is not listed pays nothing.
    w.coins["listed"][:] = 0
    used = int(tape.used[r.FUNDINGS])
    kernel("pay_funding", way)(w, tape, 78)
    assert tape.used[r.FUNDINGS] == used
