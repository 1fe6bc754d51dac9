"""This module counts what is known to be wrong with the rows a study rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.bars import as_utc
from backtest.runs import Run

# What a study reads: prices, maps, flow, and what it is charged by.
TABLES = ("candles", "positions", "fills", "funding", "asset_contexts", "order_books")


@dataclass(frozen=True, slots=True)
class Reported:
    """Incidents of one table in a period.

    Attributes
    ----------
    table
        Of the lake.
    windows
        Of any of the coins, or of every one; each counted once.
    trades
        Of the rule, pessimistic reading, that were open in one of their coin's.
    """

    table: str
    windows: int
    trades: int


def reported(lake: duckdb.DuckDBPyConnection, runs: Sequence[Run]) -> tuple[Reported, ...]:
    """Return the incidents of the tables that a study reads.

    Parameters
    ----------
    lake
        Catalog of a lake.
    runs
        One a coin.
    """
    return tuple(_of_table(lake, table, runs) for table in TABLES)


def _of_table(lake: duckdb.DuckDBPyConnection, table: str, runs: Sequence[Run]) -> Reported:
    windows, trades = set(), 0
    for run in runs:
        bars, made = run.bars, run.replay.trades
        found = lake.sql(
            """
            select start_ts::timestamp, end_ts::timestamp, check_name, source, subject
            from incidents_at($table, $coin, $since, $until)
            """,
            params={
                "table": table,
                "coin": run.coin,
                "since": as_utc(bars.start[0]),
                "until": as_utc(bars.end[-1]),
            },
        ).fetchall()
        windows.update(found)
        opened, closed = bars.start[made["entered"]], bars.end[made["left"]]
        hit = np.zeros(made.size, bool)
        for start, end, *_ in found:
            low = np.datetime64(start, "us")
            # An incident of one instant ends with it.
            high = low + 1 if end is None else np.datetime64(end, "us")
            hit |= (opened < high) & (closed > low)
        trades += int(hit.sum())
    return Reported(table, len(windows), trades)


def untrusted(lake: duckdb.DuckDBPyConnection, runs: Sequence[Run]) -> int:
    """Return how many snapshots of the period are not trusted, and so answered nothing."""
    found = lake.sql(
        "select count(*) from snapshots "
        "where not trusted and snapshot_ts >= $since and snapshot_ts < $until "
        "and (scope = 'all' or scope in (select dex_of(unnest($coins::varchar[]))))",
        params={
            "coins": [run.coin for run in runs],
            "since": as_utc(min(run.bars.start[0] for run in runs)),
            "until": as_utc(max(run.bars.end[-1] for run in runs)),
        },
    ).fetchall()
    return int(found[0][0])
