"""This module reads the margin tiers of a moment from a lake."""

from datetime import datetime

import duckdb

from warehouse.margin import Tier, TierTable


def tiers_at(con: duckdb.DuckDBPyConnection, at: datetime, knowable: bool = False) -> TierTable:
    """Return the tiers of every coin that ``instruments`` knew at a moment.

    Of a coin's rows the newest counts, of two that begin together the one known last.

    Parameters
    ----------
    con
        Connection of :func:`warehouse.open_lake`.
    at
        The moment.
    knowable
        Only what had been published by then.
    """
    rows = con.sql(
        "select i.coin, i.margin_tiers from instruments_versions as i "
        "where i.effective_ts <= $at "
        "and stands(i.known_ts, i.since_ts, i.superseded_ts, $at, $knowable) "
        "qualify row_number() over "
        "(partition by i.coin order by i.effective_ts desc, i.known_ts desc, i.source) = 1 "
        "order by i.coin",
        params={"at": at, "knowable": knowable},
    ).fetchall()
    return TierTable.of(
        {
            coin: [Tier(tier["lower_bound"], tier["max_leverage"]) for tier in tiers]
            for coin, tiers in rows
        }
    )
