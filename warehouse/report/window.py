"""This module decides which moment and which period a report is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from warehouse.heatmap import answering_snapshots

DAY = timedelta(days=1)
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Window:
    """What a report is about.

    Attributes
    ----------
    at
        Moment whose map is shown, UTC; None: no snapshot answers for any coin.
    since, until
        Period of the charts through time, UTC, half-open; None: the lake has no rows to show.
    """

    at: datetime | None
    since: datetime | None
    until: datetime | None


def choose_window(
    con: duckdb.DuckDBPyConnection,
    coins: Sequence[str],
    at: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Window:
    """Fill in what was not asked for.

    The moment is the newest for which a snapshot answers, before ``until`` where that is
    given.  The period is the whole UTC days of the snapshots, or of the prices where there is
    no snapshot.

    Raises
    ------
    ValueError
        If ``since`` is not before ``until``.
    """
    at, since, until = (_utc(moment) for moment in (at, since, until))
    if since and until and since >= until:
        raise ValueError(
            f"since {since:%Y-%m-%dT%H:%MZ} is not before until {until:%Y-%m-%dT%H:%MZ}"
        )
    ledger = con.sql("from snapshots").pl()
    answering = pl.concat(
        [answering_snapshots(ledger, coin, EVER[0], until or EVER[1]) for coin in coins]
    )
    if at is None and answering.height:
        at = answering["snapshot_ts"].max()
    first, last = answering["snapshot_ts"].min(), answering["snapshot_ts"].max()
    if first is None:
        first, last = _priced(con, coins)
    if first is None:
        return Window(at, since, until)
    since = since or _midnight(first)
    until = until or max(_midnight(last), since) + DAY
    return Window(at, since, until)


def _priced(
    con: duckdb.DuckDBPyConnection, coins: Sequence[str]
) -> tuple[datetime | None, datetime | None]:
    """Return the first and last start of a bar of ``coins``."""
    query = "select min(start_ts), max(start_ts) from candles where list_contains($coins, coin)"
    return con.sql(query, params={"coins": list(coins)}).fetchall()[0]


def _utc(moment: datetime | None) -> datetime | None:
    """Return a moment in UTC; one without a zone is UTC, as in the catalog."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
