"""This module reads the one rule of an instrument that a decision needs: its tick."""

import duckdb
import numpy as np

from backtest.bars import as_utc


def size_decimals(
    lake: duckdb.DuckDBPyConnection, coin: str, at: np.datetime64, *, knowable: bool
) -> int | None:
    """Return the decimals of an order's size at a moment; null: not known then.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    at : datetime64[us]
        UTC.
    knowable
        True: only what was already published at ``at``.
    """
    found = lake.sql(
        """
        select size_decimals
        from instruments
        where
            coin = $coin
            and effective_ts <= $at
            and day <= ($at at time zone 'UTC')::date
            and (not $knowable or known_ts <= $at)
            and size_decimals is not null
        order by effective_ts desc, source
        limit 1
        """,
        params={"coin": coin, "at": as_utc(at), "knowable": knowable},
    ).fetchall()
    return found[0][0] if found else None
