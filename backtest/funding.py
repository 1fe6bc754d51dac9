"""This module reads the hourly funding that a replay charges; a missing rate is an error."""

from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc, utc
from backtest.market import HOME


class Funding(NamedTuple):
    """What was due at each bar's open.

    Attributes
    ----------
    rate : float64[n]
        Fraction of notional that longs pay, summed over the payments since the open of the bar
        before.
    source
        Where the rates come from; null: none were read.
    """

    rate: np.ndarray
    source: str | None


def load_funding(lake: duckdb.DuckDBPyConnection, bars: Bars) -> Funding:
    """Read Hyperliquid's hourly funding for ``bars``.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period, without a warm-up.

    Raises
    ------
    LookupError
        If an hour's rate is missing; the message names coin and hour.

    Notes
    -----
    A payment's stamp may lie some milliseconds off the hour it is for; it belongs to the
    nearest.  An hour in a hole between bars is due at the bar after the hole.
    """
    rate = np.zeros(len(bars))
    first, last = bars.start[0], bars.start[-1]
    hours = np.arange(first.astype("datetime64[h]"), last.astype("datetime64[h]") + 1)
    hours = hours[hours > first].astype("datetime64[us]")
    if hours.size == 0:
        return Funding(rate, None)
    source, paid = _payments(lake, bars.coin, hours[0], hours[-1])
    missing = [hour for hour in hours if hour not in paid]
    if missing:
        more = f" and {len(missing) - 1} more hours" if len(missing) > 1 else ""
        raise LookupError(
            f"no funding of {bars.coin} at {HOME} for {utc(missing[0])}{more}; ingest it, or "
            "leave funding out with funding = none"
        )
    due = np.searchsorted(bars.start, hours, side="left")
    np.add.at(rate, due, [paid[hour] for hour in hours])
    return Funding(rate, source)


def _payments(
    lake: duckdb.DuckDBPyConnection, coin: str, first: np.datetime64, last: np.datetime64
) -> tuple[str | None, dict[np.datetime64, float]]:
    """Return the source with the most rates, and its rate of every hour it has."""
    found = lake.sql(
        """
        select
            source,
            time_bucket(interval 1 hour, time_ts + interval 30 minute)::timestamp as hour,
            rate
        from funding
        where
            coin = $coin and venue = $venue
            and time_ts >= $first - interval 30 minute and time_ts < $last + interval 30 minute
            and day >= (($first - interval 30 minute) at time zone 'UTC')::date
            and day <= ($last at time zone 'UTC')::date
        order by all
        """,
        params={"coin": coin, "venue": HOME, "first": as_utc(first), "last": as_utc(last)},
    ).fetchall()
    by_source: dict[str, dict[np.datetime64, float]] = {}
    for source, hour, rate in found:
        paid = by_source.setdefault(source, {})
        stamp = np.datetime64(hour, "us")
        paid[stamp] = paid.get(stamp, 0.0) + rate
    if not by_source:
        return None, {}
    source = min(by_source, key=lambda name: (-len(by_source[name]), name))
    return source, by_source[source]
