"""This module holds a closed day's liquidation prices against ours, and lands the errors."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb
import polars as pl

from pipelines.landed import Landed
from pipelines.sources.documented_tiers import documented_tiers
from pipelines.steps.land_rows import land_rows
from warehouse.catalog import open_lake
from warehouse.contracts.tables import MARGIN_ERRORS
from warehouse.cross.margin_error import compare, summed
from warehouse.cross.tiers_at import tiers_at
from warehouse.margin import TierTable
from warehouse.store import Lake

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HELD = """
select
    p.source, p.scope, p.snapshot_ts, p.account, p.coin, p.size, p.mark_px, p.liquidation_px,
    p.liquidation_px_source, p.leverage_type, p.max_leverage, p.margin_used, p.account_value,
    p.account_mode, p.known_ts
from positions as p
where p.day = $day and p.snapshot_ts >= $since and p.snapshot_ts < $until
order by p.source, p.scope, p.snapshot_ts, p.account, p.coin
"""


def land_margin_errors(
    lake: Lake | Path | str, days: Sequence[date], now: Callable[[], datetime]
) -> list[Landed]:
    """Land the margin errors of closed days; again, if a day got other rows since.

    Parameters
    ----------
    lake
        Folder or URL of the lake.  Margin tiers are those of its ``instruments`` at the day's
        end, else the venue's documentation's.
    days
        UTC days; one without positions lands nothing.
    now
        The clock, for the ledger.
    """
    landed, place = Landed(MARGIN_ERRORS.name), Lake.at(lake)
    if not place.exists():
        return [landed]
    for day in days:
        with open_lake(place) as con:
            rows = errors_of(con, day)
        if rows.height:
            part = f"margin-errors-{day:%Y%m%d}"
            for one in land_rows(place, {MARGIN_ERRORS: rows.to_arrow()}, part, (), now):
                landed.add(one)
    return [landed]


def errors_of(con: duckdb.DuckDBPyConnection, day: date) -> pl.DataFrame:
    """Return the rows of ``margin_errors`` of a day, none where it has no position."""
    start = datetime.combine(day, time(), UTC)
    tiers = TierTable.of({**documented_tiers(), **tiers_at(con, start + DAY).tiers})
    parts, known = [], []
    # An account's positions are of one instant: an hour holds them whole, a day of 24 x 300,000
    # positions would not fit beside everything else.
    for hour in range(24):
        since = start + hour * HOUR
        asked = {"day": day, "since": since, "until": since + HOUR}
        held = con.sql(HELD, params=asked).pl()
        if held.height:
            known.append(held["known_ts"].max())
            parts.append(compare(held, tiers))
    if not parts:
        return pl.DataFrame()
    return summed(parts).with_columns(
        start_ts=pl.lit(start, pl.Datetime("us", "UTC")),
        known_ts=pl.lit(max(start + DAY, *known), pl.Datetime("us", "UTC")),
    )
