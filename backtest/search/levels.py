"""This module says which settings decide alike and differ only in their levels and sizes."""

from dataclasses import fields, replace

import numpy as np

from backtest.decisions import Decisions
from backtest.search.parameters import chain
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.buy_and_hold import BuyAndHold
from backtest.strategies.cascade_fade import CascadeFade
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.strategy import Strategy, Wrapper

# Entries that set stop_pct, target_pct, max_bars and notional on every order and use them for
# nothing else, and wrappers that do not look at them.  A rule that is not here is decided for
# every setting: slower, and never wrong.
ENTRIES: tuple[type[Strategy], ...] = (Breakout, BuyAndHold, CascadeFade)
WRAPPERS: tuple[type[Wrapper], ...] = (AsymmetryFilter, ClusterTakeProfit)
FIELDS = {
    "stop_pct": "stop_fraction",
    "target_pct": "target_fraction",
    "max_bars": "max_bars",
    "notional": "notional",
}


def family(strategy: Strategy) -> Strategy | None:
    """Return what all strategies with the same decisions but for levels have in common.

    Returns
    -------
    Strategy or None
        Equal for strategies that decide alike; None: nothing is known of this one.
    """
    entry, *wrappers = chain(strategy)
    if type(entry) not in ENTRIES or any(type(one) not in WRAPPERS for one in wrappers):
        return None
    plain = type(entry)()
    common = replace(entry, **{name: getattr(plain, name) for name in _held(entry)})
    for wrapper in wrappers:
        common = replace(wrapper, entry=common)
    return common


def levels(strategy: Strategy) -> dict[str, float]:
    """Return the levels and the size of a strategy of a family, as fields of a decision.

    What the strategy has no parameter for is not set: NaN, or 0 bars.
    """
    entry = chain(strategy)[0]
    found = {
        "stop_fraction": np.nan,
        "target_fraction": np.nan,
        "max_bars": 0,
        "notional": np.nan,
    }
    for name in _held(entry):
        value = getattr(entry, name)
        if name.endswith("_pct"):
            value = np.nan if value is None else value / 100
        found[FIELDS[name]] = 0 if value is None else value
    return found


def sets(decisions: Decisions, wanted: dict[str, float]) -> bool:
    """Return whether every entry of the decisions has these levels, and no others."""
    orders = decisions.orders[decisions.side != 0]
    return all(
        np.array_equal(orders[name], np.full(orders.size, value), equal_nan=True)
        for name, value in wanted.items()
    )


def _held(entry: Strategy) -> list[str]:
    return [field.name for field in fields(entry) if field.name in FIELDS]
