"""This module reads how restless and how busy a coin was in the day before each bar."""

from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc
from backtest.contexts import last_said
from backtest.impact import DAY, day_volatility, day_volume
from backtest.intervals import WIDTHS, finer
from backtest.market import HOME, is_simulated

HOUR = np.timedelta64(3_600_000_000, "us")
# The volume of a day changes little in two hours.
CONTEXT_AGE = np.timedelta64(2 * 3_600_000_000, "us")


class Liquidity(NamedTuple):
    """What the impact law needs at the open of each bar; NaN: not known.

    Attributes
    ----------
    volatility : float64[n]
        Of the day before, a fraction.
    volume : float64[n]
        Traded at Hyperliquid in the day before, USD.
    basis
        Where the volume comes from, in words.
    """

    volatility: np.ndarray
    volume: np.ndarray
    basis: str


def read_liquidity(lake: duckdb.DuckDBPyConnection, bars: Bars) -> Liquidity:
    """Read volatility from the candles replayed, and volume from Hyperliquid's own rows.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period, without a warm-up.

    Notes
    -----
    The volume is the venue's own of the 24 hours before, if it was said within two hours;
    otherwise that of Hyperliquid's candles of the same width.  Another venue's volume says
    nothing of an order here, and is not used.  Bars longer than an hour say little of a day:
    the coarsest candles of an hour at most are read in their place, where there are such.
    """
    own = _candles(lake, bars, bars.venue, bars.source)
    at_home = own if bars.venue == HOME else _candles(lake, bars, HOME, None)
    _, said = last_said(lake, bars, bars.start, CONTEXT_AGE)
    counted = day_volume(at_home, bars.start)
    sources = {
        "the volume that the venue says": ~np.isnan(said),
        "the volume of its candles": np.isnan(said) & ~np.isnan(counted),
    }
    basis = " or ".join(name for name, known in sources.items() if known.any())
    volume = np.where(np.isnan(said), counted, said)
    return Liquidity(day_volatility(own, bars.start), volume, basis)


def interval_read(
    lake: duckdb.DuckDBPyConnection, bars: Bars, venue: str, source: str | None
) -> str:
    """Return which candles of a venue the law is worked out from; no source: of any."""
    shorter = finer(bars.interval)
    wanted = [bars.interval, *shorter]
    if bars.width > HOUR:
        hours = [name for name in shorter if WIDTHS[name] <= HOUR]
        wanted = [*hours, *(name for name in wanted if name not in hours)]
    elif bars.made_of is None:
        return bars.interval
    rows = lake.sql(
        """
        select distinct interval
        from candles
        where
            coin = $coin and venue = $venue and source = coalesce($source, source)
            and starts_with(source, 'simulated') = $simulated
            and start_ts >= $first and start_ts < $last
            and day >= ($first at time zone 'UTC')::date
            and day <= ($last at time zone 'UTC')::date
        """,
        params={
            "coin": bars.coin,
            "venue": venue,
            "source": source,
            "simulated": is_simulated(bars.source),
            "first": as_utc(bars.start[0] - DAY),
            "last": as_utc(bars.start[-1]),
        },
    ).fetchall()
    return next((name for name in wanted if (name,) in rows), bars.interval)


def _candles(
    lake: duckdb.DuckDBPyConnection, bars: Bars, venue: str, source: str | None
) -> Bars:
    """Return a venue's candles from a day before ``bars`` on; no source: that with the most."""
    interval = interval_read(lake, bars, venue, source)
    rows = lake.sql(
        """
        with held as (
            select start_ts, source, open_px, high_px, low_px, close_px, volume
            from candles
            where
                coin = $coin and venue = $venue and interval = $interval
                and source = coalesce($source, source)
                and starts_with(source, 'simulated') = $simulated
                and start_ts >= $first and start_ts < $last
                and day >= ($first at time zone 'UTC')::date
                and day <= ($last at time zone 'UTC')::date
        ),

        fullest as (select source from held group by all order by count(*) desc, source limit 1)

        select start_ts, open_px, high_px, low_px, close_px, volume
        from held
        where source = (select source from fullest)
        order by start_ts
        """,
        params={
            "coin": bars.coin,
            "venue": venue,
            "interval": interval,
            "source": source,
            "simulated": is_simulated(bars.source),
            "first": as_utc(bars.start[0] - DAY),
            "last": as_utc(bars.start[-1]),
        },
    ).pl()
    start = rows["start_ts"].to_numpy().astype("datetime64[us]")
    names = ("open_px", "high_px", "low_px", "close_px", "volume")
    columns = [rows[name].cast(float).to_numpy() for name in names]
    return Bars(bars.coin, venue, source or "", interval, WIDTHS[interval], start, *columns)
