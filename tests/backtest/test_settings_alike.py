"""Settings that decide alike: the same figures from the fast kernel as from the replay."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.replay import replay
from backtest.search import levels as families
from backtest.search.legs import Legs
from backtest.search.tried import try_all
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.terms import Costs, Terms
from tests.backtest.data_search import (
    ENTRY,
    tape_of,
    two_coins,
)
from tests.backtest.small_lake import (
    at,
    land_instrument,
    land_lake,
)
from warehouse import open_lake

SINCE = np.datetime64(at(12).replace(tzinfo=None), "us")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return two_coins(tmp_path_factory.mktemp("lake"))


def both_ways(lake, strategies, monkeypatch, terms=None, **more):
    """Return what is tried with and without the sweep's kernel, and how many were replayed."""
    replayed = []

    def counted(*args, **named):
        replayed.append(1)
        return replay(*args, **named)

    terms = terms or Terms()
    with open_lake(lake) as con:
        legs = Legs(tape_of(con, terms=terms, **more), SINCE)
        with monkeypatch.context() as patch:
            patch.setattr("backtest.search.tried.replay", counted)
            (fast,) = try_all([legs], strategies, terms)
            slowly = len(replayed)
            patch.setattr(families, "ENTRIES", ())
            (slow,) = try_all([legs], strategies, terms)
    assert len(replayed) - slowly == len(strategies)
    for one, other in zip(fast, slow, strict=True):
        assert one.trades == other.trades
        np.testing.assert_array_equal(one.daily.day, other.daily.day)
        np.testing.assert_allclose(one.daily.returns, other.daily.returns, atol=1e-12)
    return slowly


SETTINGS = [
    {"stop_pct": stop, "target_pct": target, "max_bars": bars, "notional": notional}
    for stop in (0.3, 1.0, 4.0)
    for target in (0.4, 3.0)
    for bars in (0, 5)
    for notional in (5.0, 9_000.0, 400_000.0)
]


@pytest.mark.parametrize("wrapped", [lambda one: one, lambda one: AsymmetryFilter(entry=one)])
def test_settings_that_decide_alike_are_decided_once_with_the_same_figures(
    lake, monkeypatch, wrapped
):
    entries = [replace(ENTRY, lookback=back, **one) for back in (4, 8) for one in SETTINGS]
    assert both_ways(lake, [wrapped(one) for one in entries], monkeypatch) == 0


def test_what_the_kernel_does_not_follow_is_replayed(lake, monkeypatch):
    entries = [replace(ENTRY, **one) for one in SETTINGS[:4]]
    moving = [ClusterTakeProfit(entry=one, moves=True) for one in entries]
    assert both_ways(lake, moving, monkeypatch) == 4
    travels = Terms(latency=np.timedelta64(1_000_000, "us"))
    assert both_ways(lake, entries, monkeypatch, travels) == 4
    # Payments fall due within bars of four hours; without them the kernel follows those too.
    free = Terms(Costs(funding="none"))
    assert both_ways(lake, entries, monkeypatch, interval="4h") == 4
    assert both_ways(lake, entries, monkeypatch, free, interval="4h") == 0


def test_who_comes_near_liquidation_is_replayed(tmp_path, monkeypatch):
    root = land_lake(tmp_path)
    land_instrument(root, 5, tiers=[(0.0, 20.0)])
    held = replace(ENTRY, stop_pct=50.0, target_pct=50.0, max_bars=100)
    entries = [replace(held, notional=size) for size in (1e3, 5e3, 1.9e5)]
    assert both_ways(root, entries, monkeypatch) == 1


class Stretched(Breakout):
    """Puts its stop elsewhere than its parameter says."""

    def decide(self, view):
        made = super().decide(view)
        return made.but(stop_fraction=made.orders["stop_fraction"] * 2)


def test_a_family_that_promises_too_much_is_found_out(lake, monkeypatch):
    monkeypatch.setattr(families, "ENTRIES", (Stretched,))
    entries = [Stretched(lookback=6, **one) for one in SETTINGS[:3]]
    assert families.family(entries[0]) == families.family(entries[2]) is not None
    assert both_ways(lake, entries, monkeypatch) == 3


@pytest.mark.slow
@pytest.mark.parametrize("entry", families.ENTRIES)
@pytest.mark.parametrize("wrap", [None, *families.WRAPPERS])
def test_families_keep_what_they_promise(lake, monkeypatch, entry, wrap):
    rules = [entry(**one) for one in SETTINGS[::5]]
    rules += [replace(one, stop_pct=None, target_pct=None) for one in rules[:2]]
    rules = rules if wrap is None else [wrap(entry=one, reach_pct=10.0) for one in rules]
    assert both_ways(lake, rules, monkeypatch) == 0
    assert len({families.family(one) for one in rules}) == 1
