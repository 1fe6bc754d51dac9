"""Views of a made-up coin: closes, and what map and flow said at each of them."""

from dataclasses import fields

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.maps import Maps
from backtest.view import View

HOUR = np.timedelta64(3_600_000_000, "us")
START = np.datetime64("2026-01-02", "us")
NAN = float("nan")


def maps_of(*, above=None, below=None, cluster_above=None, cluster_below=None, n=None):
    """Return a map for each decision; unknown where neither side is given."""
    given = (above, below, cluster_above, cluster_below)
    n = n or max(len(values) for values in given if values is not None)
    columns = [
        np.full(n, NAN) if values is None else np.array(values, float) for values in given
    ]
    known = ~(np.isnan(columns[0]) & np.isnan(columns[1]))
    if above is None and below is None:
        known[:] = True
    ts = np.where(known, START, np.datetime64("NaT", "us"))
    return Maps(ts, *columns)


def flow_of(n, **given):
    """Return a flow in which nothing was liquidated, but for what is given."""
    columns = {field.name: np.zeros(n) for field in fields(Flow)}
    columns |= {name: np.array(values, float) for name, values in given.items()}
    return Flow(**columns)


def cut_of(columns, n):
    """Return the first ``n`` rows of maps or of a flow."""
    cut = {}
    for field in fields(columns):
        values = getattr(columns, field.name)
        cut[field.name] = values[:n] if isinstance(values, np.ndarray) else values
    return type(columns)(**cut)


def only(maps, asked):
    """Return maps that are known where asked."""
    numbers = {
        name: np.where(asked, getattr(maps, name), np.nan)
        for name in ("short_above", "long_below", "cluster_above", "cluster_below")
    }
    return Maps(np.where(asked, maps.snapshot_ts, np.datetime64("NaT", "us")), **numbers)


def view_of(
    close, *, open_px=None, high=None, low=None, warmup=0, maps=None, flow=None, width=HOUR
):
    close = np.array(close, float)
    n = close.size
    open_px = close if open_px is None else np.array(open_px, float)
    high = close if high is None else np.array(high, float)
    low = close if low is None else np.array(low, float)
    start = START + np.arange(n) * width
    bars = Bars("BTC", "v", "s", "1h", width, start, open_px, high, low, close, close, warmup)
    maps = Maps.unknown(n) if maps is None else maps
    flow = Flow.unknown(n) if flow is None else flow
    return View(bars, 4, lambda asked, *_: only(maps, asked), lambda _: flow)
