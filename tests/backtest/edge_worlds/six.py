"""This module names the six strategies that are tried on made-up markets; none was tuned."""

from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cascade_fade import CascadeFade
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.mean_reversion_symmetric import MeanReversionSymmetric
from backtest.strategies.regime_stops import RegimeStops

FILTERED = AsymmetryFilter(entry=Breakout())
SIX = {
    "asymmetry filter": FILTERED,
    "cluster take-profit": ClusterTakeProfit(entry=Breakout(), moves=True),
    "regime stops": RegimeStops(entry=Breakout(), moves=True),
    "cascade follow": CascadeFollow(min_move_pct=0.5),
    "cascade fade": CascadeFade(move_pct=2.0, rises=True),
    "mean reversion": MeanReversionSymmetric(),
}
