import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.reference.account_path import exhausting_move
from tests.reference.margin import maintenance
from warehouse.kernels import account_path, margin
from warehouse.margin import Tier, TierTable

LADDERS = {
    "BTC": [Tier(0, 40), Tier(150e6, 20)],
    "ladder": [Tier(0, 50), Tier(1e5, 25), Tier(1e6, 10), Tier(5e6, 3)],
    "flat": [Tier(0, 3)],
}
TIERS = TierTable.of(LADDERS)
ARRAYS = (TIERS.first, TIERS.rate, TIERS.deduction)

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
# Where nothing is left but a rounding, there is nothing to agree on.
shares = st.floats(-0.1, -1e-6) | st.floats(1e-6, 3.0)
sizes = st.floats(1e-2, 1e5).flatmap(lambda size: st.sampled_from([size, -size]))
positions = st.tuples(
    sizes,
    st.floats(0.1, 1e4),
    st.sampled_from([1.0, 1.0, 0.5, 2.0, 0.0, -1.0]),
    st.sampled_from(list(LADDERS)),
)


def rates(name):
    return [(tier.lower_bound, 1 / (2 * tier.max_leverage)) for tier in LADDERS[name]]


def solve(way, *accounts):
    """Solve accounts, each a list of positions and what its equity is without a move."""
    made = account_path.exhaustion
    run = made if way == "compiled" else getattr(made, "py_func", made)
    rows = [position for book, _ in accounts for position in book]
    first = np.cumsum([0, *(len(book) for book, _ in accounts)])
    size, px, beta = (np.array([row[n] for row in rows], float) for n in range(3))
    instrument = np.array([TIERS.row_of[row[3]] for row in rows])
    raw = np.array([value - sum(s * p for s, p, *_ in book) for book, value in accounts])
    return run(first, size, px, beta, instrument, raw, *ARRAYS)


def held(book):
    return sum(maintenance(abs(s) * p, rates(name)) for s, p, _, name in book)


@each
@given(book=st.lists(positions, min_size=1, max_size=6), share=shares)
def test_it_agrees_with_the_obvious_version(way, book, share):
    gross = sum(abs(s) * p for s, p, *_ in book)
    value = held(book) + share * gross
    got = solve(way, (book, value))[0]
    account = [(s, p, beta, rates(name)) for s, p, beta, name in book]
    for index, sign in enumerate((-1, 1)):
        want = exhausting_move(account, value, sign)
        if want is None or want > 1e9 or (sign < 0 and want > 1 - 1e-9):
            assert np.isnan(got[index]) or got[index] > 1e8 or got[index] > 1 - 1e-8
        else:
            assert got[index] == pytest.approx(want, rel=1e-9, abs=1e-9)


@each
@given(
    size=sizes,
    px=st.floats(0.1, 1e4),
    share=st.floats(1e-3, 3.0),
    name=st.sampled_from(list(LADDERS)),
    beta=st.sampled_from([1.0, 0.5, 2.0, -1.0]),
)
def test_one_position_alone_closes_at_the_venues_price(way, size, px, share, name, beta):
    book = [(size, px, beta, name)]
    value = held(book) + share * abs(size) * px
    moves = solve(way, (book, value))[0]
    venue = margin.liquidation_px(
        np.array([size]), np.array([value - size * px]), np.array([TIERS.row_of[name]]), *ARRAYS
    )[0]
    toward = 0 if (size > 0) == (beta > 0) else 1
    assert np.isnan(moves[1 - toward])
    reached = not np.isnan(venue) and abs(venue / px - 1) / abs(beta) < (
        1 if toward == 0 else 1e9
    )
    assume(np.isnan(venue) or venue > 1e-3 * px)  # nearer to 0, roundings decide
    assert np.isnan(moves[toward]) == (not reached)
    assume(reached)
    ours = px * (1 + beta * moves[toward] * (-1 if toward == 0 else 1))
    assert ours == pytest.approx(venue, rel=1e-9)


@each
@given(book=st.lists(positions, min_size=2, max_size=5), share=st.floats(1e-3, 3.0))
def test_if_one_coin_alone_moves_its_price_is_the_venues(way, book, share):
    """The venue's liquidation price of a cross position holds all other prices still."""
    book = [(s, p, float(n == 0), name) for n, (s, p, _, name) in enumerate(book)]
    value = held(book) + share * sum(abs(s) * p for s, p, *_ in book)
    size, px, _, name = book[0]
    raw = value - held(book[1:]) - size * px
    venue = margin.liquidation_px(
        np.array([size]), np.array([raw]), np.array([TIERS.row_of[name]]), *ARRAYS
    )[0]
    moves = solve(way, (book, value))[0]
    toward = 0 if size > 0 else 1
    assert np.isnan(moves[1 - toward])
    assume(np.isnan(venue) or venue > 1e-3 * px)
    assert np.isnan(moves[toward]) == np.isnan(venue)
    assume(not np.isnan(venue))
    gross = sum(abs(s) * p for s, p, *_ in book)
    ours = px * (1 + moves[toward] * (-1 if toward == 0 else 1))
    # What the others hold is a sum, whose rounding the smallest position sees.
    assert ours == pytest.approx(venue, rel=1e-9, abs=1e-13 * gross / abs(size))


@each
@given(
    book=st.lists(positions, min_size=1, max_size=4),
    share=st.floats(1e-3, 2.0),
    factor=st.sampled_from([0.5, 4.0, 1024.0]),
)
def test_dearer_coins_in_smaller_numbers_change_nothing(way, book, share, factor):
    value = held(book) + share * sum(abs(s) * p for s, p, *_ in book)
    other = [(s / factor, p * factor, beta, name) for s, p, beta, name in book]
    one, two = solve(way, (book, value), (other, value))
    assert one == pytest.approx(two, rel=1e-9, abs=1e-12, nan_ok=True)


@each
def test_a_hedge_by_hand(way):
    """10 long and 5 short coins at 100 USD, flat 3x: 1/6 of each side must be there.

    Equity is 300; a fall by x costs 500 x and frees 250 x of 250: 300 - 250 = 50 = 250 x.
    """
    book = [(10.0, 100.0, 1.0, "flat"), (-5.0, 100.0, 1.0, "flat")]
    fall, rise = solve(way, (book, 300.0))[0]
    assert fall == pytest.approx(0.2)
    assert np.isnan(rise)
    # With the short twice as quick, both cancel, and maintenance falls with prices.
    book[1] = (-5.0, 100.0, 2.0, "flat")
    fall, rise = solve(way, (book, 300.0))[0]
    # A rise by x: maintenance 1000/6 (1 + x) + 500/6 (1 + 2x), which is 250 + 1000/3 x.
    assert rise == pytest.approx(50 / (1000 / 3))
    # A fall: at 50 % the short's price is 0 and equity has not moved; then the long goes.
    # 300 + 500 - 1000 x = 1000/6 (1 - x)  =>  x = (800 - 1000/6) / (1000 - 1000/6)
    assert fall == pytest.approx((800 - 1000 / 6) / (1000 - 1000 / 6))


@each
def test_what_is_gone_is_gone_at_once_and_what_is_unknown_is_unknown(way):
    book = [(1.0, 100.0, 1.0, "flat")]
    moves = solve(way, (book, 10.0), (book, np.nan), ([], 5.0), (book, 1e9))
    assert moves[0].tolist() == [0.0, 0.0]
    assert np.isnan(moves[1:]).all()


@each
def test_once_every_price_is_0_no_further_move_matters(way):
    """A long of a coin that falls as the market rises: its value is gone at 100 %."""
    book = [(707.0, 150.0, -1.0, "ladder")]
    fall, rise = solve(way, (book, held(book) + 707 * 150.0))[0]
    assert np.isnan(fall)
    assert np.isnan(rise) or rise == pytest.approx(1.0)


@each
def test_accounts_do_not_touch_one_another(way):
    one = ([(1.0, 100.0, 1.0, "flat"), (-2.0, 30.0, 1.0, "ladder")], 80.0)
    two = ([(-3.0, 50.0, 1.0, "BTC")], 20.0)
    alone = np.vstack([solve(way, one), solve(way, two)])
    assert np.array_equal(solve(way, one, two), alone, equal_nan=True)
