"""This module cuts a series of signals where a lake is cut: the rest is not told yet."""

from dataclasses import fields, replace

import numpy as np
import polars as pl

from backtest.bars import Bars
from backtest.strategies.signals import Signals, told
from backtest.strategies.strategy import Strategy


def told_by(strategy: Strategy, bars: Bars, cut: np.datetime64) -> Strategy:
    """Return a rule that follows of its series what it says of closes up to a cut.

    Parameters
    ----------
    strategy
        Of a rule without a series nothing changes.
    bars
        Of the whole period: a series without times has one signal for each.
    cut : datetime64[us]
        UTC.
    """
    if isinstance(strategy, Signals):
        side, moments = told(strategy.series)
        moments = bars.end if moments is None else moments
        kept = moments <= cut
        times = pl.Series(moments[kept]).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return replace(strategy, series=pl.DataFrame({"time": times, "side": side[kept]}))
    inner = {
        field.name: told_by(value, bars, cut)
        for field in fields(strategy)
        if isinstance(value := getattr(strategy, field.name), Strategy)
    }
    return replace(strategy, **inner) if inner else strategy
