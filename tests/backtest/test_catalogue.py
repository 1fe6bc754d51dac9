import json
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.catalogue import (
    STRATEGIES,
    class_of,
    from_parameters,
    made,
)
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.sized import Sized
from backtest.strategies.strategy import Wrapper
from tests.backtest.fixed import Fixed


def test_a_chain_of_names_is_a_strategy_in_wrappers():
    strategy = made(
        "breakout+asymmetry_filter+cluster_take_profit",
        {"lookback": "6", "breakout.stop_pct": "1.5", "asymmetry_filter.min_ratio": "2"},
    )
    assert strategy == ClusterTakeProfit(
        entry=AsymmetryFilter(entry=Breakout(lookback=6, stop_pct=1.5), min_ratio=2.0)
    )
    assert (strategy.rule, strategy.variant) == (
        "breakout",
        "asymmetry_filter + cluster_take_profit",
    )


def test_words_become_what_the_parameter_is():
    words = {"flips": "yes", "stop_pct": "none", "min_score": "4", "max_bars": "0"}
    strategy = made("cascade_follow", words)
    assert strategy == CascadeFollow(flips=True, stop_pct=None, min_score=4.0, max_bars=0)
    assert isinstance(strategy.min_score, float)
    assert made("breakout + sized", {"sized.by": "notional"}) == Sized(
        entry=Breakout(), by="notional"
    )


@pytest.mark.parametrize(
    ("chain", "said", "error"),
    [
        (
            "luck",
            {},
            "strategy 'luck' is not known; there are breakout, buy_",
        ),
        ("", {}, "strategy '' is not known"),
        ("breakout", {"luck": "1"}, "'luck' is no parameter of breakout; there are stop_pct, "),
        ("breakout", {"lookback": "1.5"}, "breakout.lookback '1.5' must be a whole number"),
        ("breakout", {"stop_pct": "x"}, "breakout.stop_pct 'x' must be a number"),
        ("cascade_follow", {"flips": "2"}, "cascade_follow.flips '2' must be true or false"),
        ("breakout", {"notional": "none"}, "breakout.notional 'none' must be a number"),
        ("breakout", {"sized.by": "risk"}, "sized.by: 'sized' is not among breakout"),
        ("breakout+sized", {"sized.entry": "x"}, "'entry' is no parameter of sized"),
        ("asymmetry_filter", {}, "asymmetry_filter wraps a strategy; name one before it"),
        ("breakout+momentum", {}, "momentum enters by itself and cannot wrap breakout"),
        ("breakout+sized+sized", {}, "each name may come once"),
        ("breakout", {"lookback": "0"}, "lookback 0 must be 1 bar or more"),
        (
            "os:path",
            {},
            r"'os:path' is code from outside; it runs only if asked for \(--outside\)",
        ),
    ],
)
def test_what_is_not_known_or_allowed_is_named(chain, said, error):
    with pytest.raises(ValueError, match=error) as raised:
        made(chain, said)
    assert "\n" not in str(raised.value)


def through_json(strategy, **more):
    return from_parameters(json.loads(json.dumps(strategy.parameters())), **more)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_comes_back_from_its_parameters(name):
    kind = STRATEGIES[name]
    strategy = kind(entry=Breakout()) if issubclass(kind, Wrapper) else kind()
    assert through_json(strategy) == strategy
    for plain in filter(None, [strategy.without_map()]):
        assert through_json(plain) == plain


ENTRIES = sorted(name for name, kind in STRATEGIES.items() if not issubclass(kind, Wrapper))
WRAPPERS = sorted(set(STRATEGIES) - set(ENTRIES))


@given(
    entry=st.sampled_from(ENTRIES),
    around=st.lists(st.sampled_from(WRAPPERS), unique=True),
    stop=st.sampled_from(["none", "0.5", "7"]),
)
def test_what_words_made_comes_back_from_its_parameters(entry, around, stop):
    strategy = made("+".join([entry, *around]), {"stop_pct": stop})
    assert through_json(strategy) == strategy
    assert strategy.rule == entry


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "strategy None must be a name"),
        ({"strategy": "luck"}, "'luck' is not known"),
        ({"strategy": "breakout", "luck": 1}, "'luck' is no parameter of breakout"),
        ({"strategy": "sized", "by": "risk"}, "sized: .*entry"),
        ({"strategy": "breakout", "lookback": "6"}, "lookback 6 must be 1 bar or more"),
        ({"strategy": "breakout", "stop_pct": "6"}, "breakout: "),
    ],
)
def test_parameters_that_are_nobodys_are_refused(said, error):
    with pytest.raises(ValueError, match=error):
        from_parameters(said)


def test_a_strategy_from_outside_is_imported_only_if_asked_for():
    name = "tests.backtest.fixed:Fixed"
    mine = Fixed(sides=(1, 0))
    assert mine.name == name
    with pytest.raises(ValueError, match="code from outside"):
        class_of(name)
    with pytest.raises(ValueError, match="code from outside"):
        from_parameters(mine.parameters())
    assert class_of(name, outside=True) is Fixed
    assert from_parameters(mine.parameters(), outside=True) == mine
    wrapped = AsymmetryFilter(entry=mine)
    assert from_parameters(wrapped.parameters(), outside=True) == wrapped


def test_words_reach_a_strategy_from_outside(monkeypatch):
    module = types.ModuleType("somebodys.rules")
    module.Mine = type("Mine", (Breakout,), {"__module__": "somebodys.rules"})
    monkeypatch.setitem(sys.modules, "somebodys", types.ModuleType("somebodys"))
    monkeypatch.setitem(sys.modules, "somebodys.rules", module)
    words = {"lookback": "3", "somebodys.rules:Mine.max_bars": "4", "sized.amount": "2"}
    strategy = made("somebodys.rules:Mine+sized", words, outside=True)
    assert strategy == Sized(entry=module.Mine(lookback=3, max_bars=4), amount=2.0)
    assert strategy.rule == "somebodys.rules:Mine"
    with pytest.raises(ValueError, match="has no strategy called 'Other'"):
        made("somebodys.rules:Other", {}, outside=True)
    with pytest.raises(ValueError, match="No module named 'nobodys'"):
        made("nobodys:Other", {}, outside=True)
    with pytest.raises(ValueError, match="os has no strategy called 'path'"):
        made("os:path", {}, outside=True)
