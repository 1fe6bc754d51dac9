"""The replay kernel against the slow twin, on whatever bars and decisions there may be."""

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.case import by_kernel, by_twin
from tests.reference.replay_bar import Bar
from tests.reference.replay_words import Decision, Market, Venue

levels = st.integers(80, 125).map(float)
fractions = st.none() | st.sampled_from([0.01, 0.03, 0.08, 0.2])
absolute = st.none() | levels
# Rates that put no liquidation price on a price that bars have: of equal numbers found in two
# ways either may be the larger.
ONE_TIER = ((0.1037, 0.0),)
TWO_TIERS = ((0.0513, 0.0), (0.2039, 903.7))


rates = st.sampled_from([0.0, 0.0, 1e-3, -2e-3])
# Of a coin that costs about 100 USD, some so large that they take a margin.
payments = st.sampled_from([0.1, -0.2, 3.0, -4.0])
NONE = st.just([])


@st.composite
def plain_bars(draw):
    low, first, second, high = sorted(draw(st.lists(levels, min_size=4, max_size=4)))
    inner = (first, second) if draw(st.booleans()) else (second, first)
    return {"open": inner[0], "high": high, "low": low, "close": inner[1]}


@st.composite
def bars(draw):
    """A bar, what is known of it besides, and perhaps finer bars that add up to it."""
    if draw(st.integers(0, 9)) == 0:
        return None
    more = {
        "funding_rate": draw(rates),
        "oracle": draw(st.none() | levels),
    }
    volume = st.sampled_from([0.0, 0.5, 3.0, 100.0])
    inside = draw(st.sampled_from([NONE, NONE, st.lists(payments, max_size=3)]))
    if draw(st.booleans()):
        stamps = tuple(draw(inside))
        return Bar(**draw(plain_bars()), volume=draw(volume), stamps=stamps, **more)
    fine = tuple(
        Bar(
            **draw(plain_bars()),
            volume=draw(volume),
            funding_rate=draw(rates) if inside is not NONE else 0.0,
            stamps=tuple(draw(inside)),
        )
        for _ in range(draw(st.integers(2, 3)))
    )
    return Bar(
        fine[0].open,
        max(one.high for one in fine),
        min(one.low for one in fine),
        fine[-1].close,
        sum(one.volume for one in fine),
        fine=fine,
        stamps=tuple(paid for one in fine for paid in (one.due, *one.stamps)),
        **more,
    )


@st.composite
def decisions(draw):
    if draw(st.integers(0, 2)) == 0:
        return Decision(
            leave=draw(st.booleans()),
            only_side=draw(st.sampled_from([0, 0, 1, -1])),
            move_stop_px=draw(absolute),
            move_target_px=draw(absolute),
        )
    return Decision(
        side=draw(st.sampled_from([1, -1])),
        kind=draw(st.sampled_from(["market", "market", "limit", "stop"])),
        px=draw(levels),
        good_for=draw(st.integers(0, 3)),
        max_bars=draw(st.sampled_from([0, 0, 1, 3])),
        stop_fraction=draw(fractions),
        stop_px=draw(absolute),
        target_fraction=draw(fractions),
        target_px=draw(absolute),
        trail_fraction=draw(fractions),
        notional=draw(st.sampled_from([0.0, 500.0, 4_000.0])),
        share=draw(st.sampled_from([0.0, 0.0, 0.5, 3.0])),
        leave=draw(st.booleans()),
        only_side=draw(st.sampled_from([0, 0, 1, -1])),
    )


markets = st.builds(
    Market,
    size_decimals=st.sampled_from([0, 4, 5]),
    sizes=st.just((1_000.0, 20_000.0)),
    bought=st.sampled_from([(0.0, 0.0), (0.001, 0.004), (0.02, 0.09)]),
    sold=st.sampled_from([(0.0, 0.0), (0.002, 0.003)]),
    forced_bought=st.sampled_from([None, (0.003, 0.08)]),
    forced_sold=st.sampled_from([None, (0.004, 0.06), (0.2, 0.8)]),
    tiers=st.sampled_from([None, ONE_TIER, TWO_TIERS]),
    leverage=st.sampled_from([1.0, 5.0, 50.0]),
)
venues = st.builds(
    Venue,
    reading=st.sampled_from(["pessimistic", "optimistic", "drilled"]),
    limit=st.sampled_from(["touch", "through", "share"]),
    ticks=st.sampled_from([1.0, 10.0]),
    volume_share=st.sampled_from([0.1, 1.0]),
    taker=st.sampled_from([0.0, 0.00045]),
    maker=st.sampled_from([0.0, -0.0001]),
    start_equity=st.sampled_from([1_000.0, 20_000.0]),
)
travels = st.sampled_from(
    [lambda t: (t + 1, 0), lambda t: (t + 2, 0), lambda t: (t + 1, 1), lambda t: (t + 2, 1)]
)


@settings(max_examples=400)
@given(data=st.data(), venue=venues, travel=travels, coins=st.integers(1, 2))
def test_the_kernel_tells_the_story_of_the_twin(data, venue, travel, coins):
    n = data.draw(st.integers(1, 7))
    rows = [[data.draw(bars()) for _ in range(coins)] for _ in range(n)]
    wanted = [[data.draw(decisions()) for _ in range(coins)] for _ in range(n)]
    where = [data.draw(markets) for _ in range(coins)]
    same(*(run(rows, wanted, where, venue, travel) for run in (by_kernel, by_twin)))


def same(found, told):
    trades, equity, position, outcomes = found
    assert outcomes == told[3]
    assert len(trades) == len(told[0])
    for one, other in zip(trades, told[0], strict=True):
        for name, should in asdict(other).items():
            close = isinstance(should, float)
            wanted = pytest.approx(should, rel=1e-7, abs=1e-7) if close else should
            assert getattr(one, name) == wanted, name
    assert equity == pytest.approx(told[1], rel=1e-9, abs=1e-6)
    for row, other in zip(position, told[2], strict=True):
        assert row == pytest.approx(other, rel=1e-9, abs=1e-9)
