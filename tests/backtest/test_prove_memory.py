"""Each play has a rule that was made anew: what it kept of one before is not there."""

import importlib
from contextlib import contextmanager

import numpy as np
import pytest

from backtest.proof.anew import Anew
from backtest.prove import prove
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from tests.backtest import leaks, leaks_kept
from tests.backtest.proving import LAST, asked, differs
from tests.backtest.small_lake import land_lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)


MEMORIES = [leaks.OnItsClass, leaks.InItsModule, leaks.InAnother, leaks.OnItself]


@pytest.fixture
def forgotten(monkeypatch):
    """What the leaks of this process keep, put back afterwards."""
    monkeypatch.setattr(leaks.OnItsClass, "kept", None)
    yield
    leaks.SEEN.clear()
    leaks_kept.SEEN.clear()


@pytest.mark.parametrize("cheat", MEMORIES)
def test_a_memory_of_an_earlier_play_that_is_partly_stale_is_caught(lake, forgotten, cheat):
    found = differs(lake, asked(cheat()))
    assert found.what == "decision"


@pytest.mark.slow
@pytest.mark.parametrize("cheat", MEMORIES)
def test_such_a_memory_passes_where_the_rule_is_not_made_anew(
    lake, forgotten, monkeypatch, cheat
):
    """The planted fault: one rule for all plays; entries move, so nothing else tells."""

    @contextmanager
    def made(self):
        yield rule

    rule = cheat()
    monkeypatch.setattr(Anew, "made", made)
    found = prove(lake, asked(rule), 2, 1)
    assert (found.difference, found.entries_moved) == (None, True)


def test_a_rule_of_before_is_in_its_place_again(lake):
    rule = leaks.LastBar()
    with Anew(rule).made() as strategy:
        assert strategy == strategy
        assert type(strategy) is not leaks.LastBar
        assert type(strategy).__module__ == leaks.__name__
        assert strategy.parameters() == rule.parameters()
    assert importlib.import_module(leaks.__name__) is leaks


def test_a_rule_of_a_session_cannot_be_made_anew_and_the_proof_says_so(lake):
    class Typed(leaks.LastBar):
        """Honest."""

    found = prove(lake, asked(Typed()), 1, 1)
    assert (found.difference, found.made_anew) == (None, False)
    assert "could not be made anew for each play" in str(found)
    assert not Anew(AsymmetryFilter(entry=Typed())).whole
    assert Anew(AsymmetryFilter(entry=leaks.LastBar())).whole
    assert not Anew(leaks.Counted(3)).whole
    assert not Anew(leaks.Holding(other=leaks.LastBar)).whole
    assert Anew(leaks.Holding(other=(1, "a", np.ones(2)))).whole
    assert Anew(AsymmetryFilter(entry=leaks.BREAKOUT)).whole
