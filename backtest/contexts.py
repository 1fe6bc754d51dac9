"""This module reads what Hyperliquid last said of a coin at each of many moments."""

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc
from backtest.market import HOME, is_simulated


def last_said(
    lake: duckdb.DuckDBPyConnection,
    bars: Bars,
    moments: np.ndarray,
    age: np.timedelta64,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the oracle price and the volume of a day, as last said at or before each moment.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Whose coin is asked for; simulated contexts serve simulated bars, others others.
    moments : datetime64[us][n]
        UTC, rising, one at least.
    age
        How old an answer may be.

    Returns
    -------
    float64[n], float64[n]
        USD; NaN: nothing was said within ``age``.
    """
    rows = lake.sql(
        """
        select context_ts::timestamp as context_ts, oracle_px, day_notional_volume
        from asset_contexts
        where
            coin = $coin and venue = $venue
            and starts_with(source, 'simulated') = $simulated
            and context_ts >= $first and context_ts <= $last
            and day >= ($first at time zone 'UTC')::date
            and day <= ($last at time zone 'UTC')::date
        order by asset_contexts.context_ts, source desc
        """,
        params={
            "coin": bars.coin,
            "venue": HOME,
            "simulated": is_simulated(bars.source),
            "first": as_utc(moments[0] - age),
            "last": as_utc(moments[-1]),
        },
    ).pl()
    said = rows["context_ts"].to_numpy().astype("datetime64[us]")
    oracle, volume = (
        _newest(said, rows[name].cast(float).to_numpy(), moments, age)
        for name in ("oracle_px", "day_notional_volume")
    )
    return oracle, volume


def _newest(
    said: np.ndarray, values: np.ndarray, moments: np.ndarray, age: np.timedelta64
) -> np.ndarray:
    given = ~np.isnan(values)
    said, values = said[given], values[given]
    out = np.full(moments.size, np.nan)
    row = np.searchsorted(said, moments, side="right") - 1
    found = row >= 0
    found[found] = moments[found] - said[row[found]] <= age
    out[found] = values[row[found]]
    return out
