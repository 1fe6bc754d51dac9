"""This module reads the rules of an instrument as they stood: its tick and its margin."""

from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import as_utc
from backtest.leg import Tiers
from warehouse.margin import Tier, TierTable


class Margin(NamedTuple):
    """Margin rules of one coin."""

    tiers: Tiers
    max_leverage: float


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


def margin_rules(
    lake: duckdb.DuckDBPyConnection, coin: str, at: np.datetime64, *, knowable: bool
) -> Margin | None:
    """Return the margin tiers of a coin at a moment; null: not known then.

    Parameters
    ----------
    lake, coin, at, knowable
        As for :func:`size_decimals`.

    Raises
    ------
    ValueError
        If the tiers do not start at 0, their bounds do not rise or their leverages do not fall.
    """
    found = lake.sql(
        """
        select i.margin_tiers
        from instruments_versions as i
        where
            i.coin = $coin
            and i.effective_ts <= $at
            and i.day <= ($at at time zone 'UTC')::date
            and stands(i.known_ts, i.since_ts, i.superseded_ts, $at, $knowable)
        order by i.effective_ts desc, i.known_ts desc, i.source
        limit 1
        """,
        params={"coin": coin, "at": as_utc(at), "knowable": knowable},
    ).fetchall()
    if not found:
        return None
    steps = [Tier(tier["lower_bound"], tier["max_leverage"]) for tier in found[0][0]]
    table = TierTable.of({coin: steps})
    return Margin(Tiers(table.rate, table.deduction), steps[0].max_leverage)
