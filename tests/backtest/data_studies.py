"""Rules that read the map, and their studies on a small lake."""

from backtest.question import Question
from backtest.rows import land_runs
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.study import play
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import (
    HOURS,
    at,
)
from warehouse.catalog import open_lake

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
FILTER = AsymmetryFilter(entry=ENTRY, reach_pct=10.0)
TARGET = ClusterTakeProfit(entry=ENTRY, reach_pct=10.0)
BOTH = ClusterTakeProfit(entry=FILTER, reach_pct=10.0)
RULES = [FILTER, TARGET, BOTH]


def asked(strategy, **more):
    return Question(
        strategy=strategy, **{"coins": ("BTC",), "since": at(6), "until": at(HOURS)} | more
    )


def replayed(root, strategy=BOTH, **more):
    with open_lake(root) as con:
        return play(con, asked(strategy, **more))


def only(played, bound="pessimistic", *, base=False):
    (run,) = played.of(bound, base=base)
    return run


def trades_of(played, **more):
    return only(played, **more).replay.trades


def without(name):
    return Terms(Costs(**{name: "none"}))


def landed(lake):
    """Land each rule's study, and return them by variant."""
    found = {rule.variant: replayed(lake, rule) for rule in RULES}
    for played in found.values():
        land_runs(lake, played.runs)
    return found
