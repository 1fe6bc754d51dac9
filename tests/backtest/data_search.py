"""Searches on a small lake of two coins."""

import numpy as np

from backtest.question import Question
from backtest.search.asked import Search
from backtest.search.space import axis_of
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.tape import load_tape
from backtest.terms import Terms
from tests.backtest.small_lake import (
    HOURS,
    at,
    land_bars,
    land_funding,
    land_lake,
    walk,
)
from warehouse import open_lake

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
FILTERED = AsymmetryFilter(entry=ENTRY, reach_pct=10.0)
AIMED = ClusterTakeProfit(entry=FILTERED, reach_pct=10.0)
WORDS = (
    "breakout.stop_pct=0.5,1,2",
    "breakout.max_bars=6,12",
    "asymmetry_filter.min_ratio=1,2",
)


def two_coins(folder):
    root = land_lake(folder)
    land_bars(root, walk(seed=5), coin="ETH", volume=1e5)
    land_funding(root, [1e-5] * (HOURS + 1), coin="ETH")
    return str(root)


def question(strategy=AIMED, **more):
    asked = {"coins": ("BTC",), "since": at(12), "until": at(HOURS), **more}
    return Question(strategy=strategy, **asked)


def asked(*words, strategy=AIMED, draws=None, by="whole", chunk=5, **more):
    axes = tuple(axis_of(strategy, word) for word in words or WORDS)
    return Search(
        question=question(strategy, **more), axes=axes, draws=draws, by=by, chunk=chunk
    )


def trials(lake):
    with open_lake(lake) as con:
        return con.sql("from backtest_trials order by all").pl()


def tape_of(lake, warmup=8, terms=None, coin="BTC", since=None, **more):
    first, until = (
        np.datetime64(moment.replace(tzinfo=None), "us") for moment in (at(12), at(HOURS))
    )
    period = (first if since is None else since), until
    return load_tape(lake, coin, *period, terms or Terms(), warmup=warmup, **more)


def one_by_one(function, items):
    return map(function, items)
