"""A proof says how many entries it looked behind; a rare leak is seen behind all of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtest.prove
from backtest.bars import Bars
from backtest.proof.cuts import cut_rows
from backtest.proof.power import Power
from backtest.proof.worlds import TRUNCATED
from backtest.prove import prove
from tests.backtest import leaks
from tests.backtest.proving import LAST, asked, proven
from tests.backtest.small_lake import at, land_bars, land_funding, land_lake, walk


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)
    land_bars(root, walk(LAST, seed=5), coin="ETH", volume=1e5)
    land_funding(root, (LAST + 1) * [1e-4], coin="ETH")
    return root


def test_a_leak_at_one_hour_of_the_week_is_caught_after_every_entry(lake, monkeypatch):
    monkeypatch.setattr(backtest.prove, "KINDS", (TRUNCATED,))
    rule = leaks.Weekly()
    few = prove(lake, asked(rule), 1, 1)
    assert few.proven
    assert few.power.reached == 1 < few.power.entries
    assert f"Of {few.power.entries} entries 1 were followed" in str(few)
    assert "would be missed with a chance of" in str(few)
    said = []
    found = prove(lake, asked(rule), None, 1, plan=lambda *words: said.append(words))
    (planned,) = said
    assert planned[1] == 1
    assert planned[0] >= found.power.entries
    assert not found.proven
    assert (found.difference.what, found.difference.at) == ("decision", found.difference.cut)
    assert found.difference.at == np.datetime64(leaks.WEEKLY)


@pytest.mark.slow
def test_an_honest_rule_passes_after_every_entry_and_the_proof_says_so(lake):
    found = proven(lake, asked(leaks.LastBar(), until=at(29)), None)
    assert found.power.reached == found.power.entries > 2
    assert "a leak in any of them had its cut" in str(found)


@pytest.mark.slow
def test_coins_of_one_account_are_looked_behind_together(lake):
    """A cut for one coin is one for the other, if that enters there too."""
    both = {"coins": ("BTC", "ETH"), "account": "one", "until": at(12)}
    found = proven(lake, asked(Always(), **both), 1)
    assert (found.power.entries, found.power.reached) == (10, 2)


class Always(leaks.Cheat):
    """Honest: enters at every close."""

    def signal(self, view):
        return np.ones(len(view))


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 4), st.floats(0.001, 1))
def test_the_chance_is_that_of_drawing_none_that_shows_it(entries, reached, edges, share):
    reached = min(entries, reached)
    edges = min(reached, edges)
    shown, among = math.ceil(share * entries), entries - edges
    wanted = 1.0 if shown <= among else 0.0
    for number in range(reached - edges):
        wanted *= max(among - shown - number, 0) / (among - number)
    assert Power(entries, reached, edges).missed(share) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(("entries", "cuts"), [(100, 8), (100, 32), (300, 50), (97, 8)])
def test_the_chance_is_what_leaks_that_are_drawn_show(entries, cuts):
    """Each leak shows in 1 % of the entries but the first and the last, drawn by lot."""
    side = np.zeros(4 * entries + 6, int)
    rows = np.arange(4, 4 * entries + 4, 4)
    side[rows] = 1
    missed, leaks_of, among = [], 4, math.ceil(0.01 * entries)
    for seed in range(500):
        rng = np.random.default_rng(seed)
        reached = set(cut_rows(hours(side.size), side, cuts, rng)) & set(rows)
        missed += [
            reached.isdisjoint(rng.choice(rows[1:-1], among, replace=False))
            for _ in range(leaks_of)
        ]
    assert len(reached) == cuts - 2  # and the closes before the first and the last
    said = Power(entries, len(reached), 2).missed()
    assert said == pytest.approx(np.mean(missed), abs=0.03)


def test_the_figures_of_the_documentation_are_these():
    assert round(Power(100, 6, 2).missed(), 2) == 0.96
    assert round(Power(100, 48, 2).missed(), 2) == 0.53
    reach = [1 - Power(97, cuts - 2, 2).missed(2 / 97) for cuts in (8, 32)]
    assert [round(one, 2) for one in reach] == [0.08, 0.5]


def hours(number):
    hour = np.timedelta64(3_600_000_000, "us")
    start = np.datetime64("2026-01-02", "us") + np.arange(number) * hour
    px = np.ones(number)
    return Bars("BTC", "hyperliquid", "market", "1h", hour, start, px, px, px, px, px)


def test_a_rule_that_enters_nowhere_is_compared_behind_every_entry_too(lake, monkeypatch):
    monkeypatch.setattr(backtest.prove, "KINDS", (TRUNCATED,))
    found = prove(lake, asked(Never()), None, 1)
    assert (found.cuts, found.power) == (8, Power(0, 0, 0))
    assert found.decisions > 0


class Never(leaks.Cheat):
    """Honest: enters nowhere."""

    def signal(self, view):
        return np.zeros(len(view))


def test_a_rule_that_enters_nowhere_says_so():
    assert str(Power(0, 0, 0)) == "No entry was decided, so none was looked behind."
