"""One launch of the sweep's kernel over unlike tapes gives each setting what a replay does."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.flat import lay_flat
from backtest.replay import replay
from backtest.search import levels as families
from backtest.search.legs import Legs
from backtest.search.tried import try_all
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.sweep import sweep
from backtest.terms import Terms
from tests.backtest.data_search import ENTRY, tape_of
from tests.backtest.small_lake import (
    HOURS,
    at,
    book,
    land_bars,
    land_book,
    land_funding,
    land_instrument,
    land_snapshot,
    walk,
)
from warehouse import open_lake
from warehouse.store import landing

# Coins, when their periods begin, and tiers of their margin.  SOL has no bars for two days and
# a half, which the others' days fill, and a second tier that nobody reaches: half of notional
# at its maintenance, which a sweep takes for all of them.
TAPES = (
    ("BTC", 12, [(0.0, 40.0)]),
    ("ETH", 12, [(0.0, 3.0)]),
    ("BTC", 100, [(0.0, 40.0)]),
    ("SOL", 30, [(0.0, 20.0), (1e9, 1.0)]),
)
HOLE = range(80, 140)


def moment(hours):
    return np.datetime64(at(hours).replace(tzinfo=None), "us")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("unlike")
    coins = {coin: (seed, tiers) for seed, (coin, _, tiers) in enumerate(TAPES)}
    bars = {coin: walk(seed=seed) for coin, (seed, _) in coins.items()}
    for coin, (seed, tiers) in coins.items():
        there = [
            None if coin == "SOL" and hour in HOLE else bar
            for hour, bar in enumerate(bars[coin])
        ]
        land_bars(root, there, coin=coin, volume=10.0 ** (4 + seed))
        rates = np.random.default_rng(seed).normal(0, 1e-4, HOURS + 1)
        land_funding(root, [float(rate) for rate in rates], coin=coin)
        land_instrument(root, 5, coin=coin, tiers=tiers)
    with landing(root) as batches:
        for hour in sorted({*range(HOURS)} - {*HOLE}):
            px = bars["SOL"][hour][0]
            sides = [(px * 0.999, 1e4)], [(px * 1.001, 1e4)]
            land_book(batches, hour, *sides, coin="SOL")
        for hour in range(10, HOURS, 8):
            held = [
                (coin, size, px)
                for number, coin in enumerate(coins)
                for _, size, px in book(
                    np.random.default_rng(1000 * number + hour), bars[coin][hour][3]
                )
            ]
            land_snapshot(batches, hour, held, known=hour + 1)
    return root


TERMS = Terms(leverage=50.0)
RULES = [
    ClusterTakeProfit(
        entry=replace(
            ENTRY,
            lookback=back,
            stop_pct=stop,
            target_pct=target,
            max_bars=bars,
            notional=notional,
        ),
        reach_pct=12.0,
    )
    for back in (4, 8)
    for stop in (0.7, 30.0)
    for target in (0.6, None)
    for bars in (5, 60)
    for notional in (2_000.0, 90_000.0, 180_000.0)
]


@pytest.fixture(scope="module")
def tapes(lake):
    """What rules decide on each tape; maps are read once."""
    with open_lake(lake) as con:
        yield [
            Legs(tape_of(con, terms=TERMS, coin=coin, since=moment(since)), moment(since))
            for coin, since, _ in TAPES
        ]


def tried(tapes, monkeypatch, most=10**9, rules=RULES):
    """Return, for each tape and rule, what is tried; legs a launch; and tapes of replays."""
    launched, replayed = [], []

    def counted(legs, *rest, **more):
        launched.append(len(legs))
        return sweep(legs, *rest, **more)

    def noted(legs, *rest, **more):
        replayed.append((legs[0].bars.coin, legs[0].bars.start[0]))
        return replay(legs, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr("backtest.search.tried.BARS_AT_ONCE", most)
        patch.setattr("backtest.search.tried.sweep", counted)
        patch.setattr("backtest.search.tried.replay", noted)
        return try_all(tapes, rules, TERMS), launched, replayed


def assert_same(found, expected):
    for here, there in zip(found, expected, strict=True):
        for one, other in zip(here, there, strict=True):
            assert one.trades == other.trades
            np.testing.assert_array_equal(one.daily.day, other.daily.day)
            np.testing.assert_allclose(one.daily.returns, other.daily.returns, atol=1e-12)


def test_unlike_tapes_in_one_launch_are_as_replayed(tapes, monkeypatch):
    found, launched, replayed = tried(tapes, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(families, "ENTRIES", ())
        expected, none, all_of_them = tried(tapes, monkeypatch)
    assert_same(found, expected)
    assert (launched, none) == ([2 * len(TAPES)], [])
    assert len(all_of_them) == len(TAPES) * len(RULES)
    # What the cases are for: some come near liquidation, of which some tapes have none ...
    by_tape = [
        sum((coin, moment(since)) == key for key in replayed) for coin, since, _ in TAPES
    ]
    near = sum(rule.entry.notional > 2 * TERMS.start_equity for rule in RULES)
    assert 0 < by_tape[0] < near == by_tape[3]
    assert by_tape[1] == 0
    # ... leverage refuses the largest on one coin, and the targets are those of each tape.
    large = [
        [one.trades for one, rule in zip(here, RULES, strict=True) if rule.entry.notional > 1e5]
        for here in found
    ]
    assert [sum(trades) > 0 for trades in large] == [True, False, True, True]
    assert all(sum(one.trades for one in here) > 40 for here in found)
    assert found[3][0].daily.day.size > 3


@pytest.mark.parametrize(
    ("most", "legs"), [(3 * 188, [3, 4, 1]), (3 * 188 - 1, [2, 3, 3]), (1, [1] * 8)]
)
def test_more_bars_than_a_launch_is_given_go_by_several(tapes, monkeypatch, most, legs):
    """Two rules decide on 188, 188, 100 and 110 bars."""
    small = [rule for rule in RULES if rule.entry.notional < TERMS.start_equity][::3]
    found, _, _ = tried(tapes, monkeypatch, rules=small)
    parts, launched, _ = tried(tapes, monkeypatch, most, small)
    assert launched == legs
    assert_same(parts, found)


def test_bars_that_rules_share_are_laid_once_whatever_their_warm_up(tapes):
    short, long = (tapes[0].of(replace(ENTRY, lookback=back)) for back in (4, 8))
    one, both = lay_flat([long]), lay_flat([short, long])
    assert both.market[0].size == one.market[0].size
    assert both.curves.shape == one.curves.shape
    assert both.sides.size == 2 * one.sides.size
