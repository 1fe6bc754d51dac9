"""A proof says how many entries it looked behind; a rare leak is seen behind all of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtest.prove
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


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.001, 1))
def test_the_chance_is_that_of_drawing_none_that_shows_it(entries, reached, share):
    reached = min(entries, reached)
    shown = math.ceil(share * entries)
    wanted = 1.0
    for number in range(reached):
        wanted *= max(entries - shown - number, 0) / (entries - number)
    assert Power(entries, reached).missed(share) == pytest.approx(wanted, abs=1e-12)


def test_the_chance_is_what_drawing_shows():
    rng = np.random.default_rng(0)
    none = [3 not in rng.choice(50, 8, replace=False) for _ in range(4000)]
    assert Power(50, 8).missed() == pytest.approx(np.mean(none), abs=0.02)


def test_a_rule_that_enters_nowhere_says_so():
    assert str(Power(0, 0)) == "No entry was decided, so none was looked behind."
