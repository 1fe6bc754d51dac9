import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.kernels import draws, ticks
from tests.reference import venue_rules as obvious

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
# What SplitMix64 gives for the seed 1234567, as published with its reference code.
PUBLISHED = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]


def kernel(module, name, way):
    made = getattr(module, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


def drawn(way, rng, name="draw", *args):
    with np.errstate(over="ignore"):
        return kernel(draws, name, way)(rng, 0, *args)


@each
def test_draws_are_the_published_ones(way):
    rng = np.array([1234567], np.uint64)
    assert [drawn(way, rng) for _ in PUBLISHED] == [number >> 11 for number in PUBLISHED]


@each
@given(seed=st.integers(0, 2**64 - 1))
def test_draws_are_splitmix(way, seed):
    rng, state = np.array([seed, 5], np.uint64), seed
    for _ in range(5):
        state, number = obvious.splitmix(state)
        assert drawn(way, rng) == number >> 11
        assert int(rng[0]) == state
    assert rng[1] == 5  # other streams stay where they are


@each
@given(seed=st.integers(0, 2**64 - 1), count=st.integers(1, 1000))
def test_uniform_below_and_from_table_are_of_one_draw(way, seed, count):
    number = obvious.splitmix(seed)[1] >> 11
    table = np.arange(count) * 0.5

    def fresh():
        return np.array([seed], np.uint64)

    assert drawn(way, fresh(), "uniform") == number / 2**53
    assert drawn(way, fresh(), "below", count) == number % count
    assert drawn(way, fresh(), "from_table", table) == table[number % count]


def test_tables_are_distributions():
    assert abs(draws.NORMAL.mean()) < 1e-9
    assert draws.NORMAL.std() == pytest.approx(1.0, abs=2e-3)
    assert draws.WAITING.mean() == pytest.approx(1.0, abs=1e-3)
    rng = np.array([1], np.uint64)
    numbers = np.array([draws.uniform(rng, 0) for _ in range(20_000)])
    assert numbers.mean() == pytest.approx(0.5, abs=0.01)
    assert np.histogram(numbers, 10, (0, 1))[0].min() > 1_800


@each
@given(
    px=st.floats(0.3, 1e9, allow_subnormal=False) | st.floats(99_990, 100_010),
    decimals=st.integers(0, 6),
)
def test_prices_are_put_on_the_nearest_tick(way, px, decimals):
    got = kernel(ticks, "on_tick", way)(px, decimals)
    assert got == obvious.on_tick(px, decimals)
    assert obvious.is_on_tick(got, decimals)


def test_ticks_by_hand():
    """Five figures, four decimals; whole dollars are always allowed."""
    for px, want in [
        (1_370_049.0, 1_370_000),  # 137.0049 -> 137.00
        (1_370_051.0, 1_370_100),
        (100_004.6, 100_000),  # 10.00046 -> 10.000, not rounded twice to 10.001
        (1_234_565_678.0, 1_234_570_000),  # 123456.5678 -> 123457
        (0.2, 1),
    ]:
        assert ticks.on_tick(px, 4) == want
