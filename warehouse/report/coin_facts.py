"""This module asks the lake everything a report says about one coin."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from math import ceil

import duckdb
import polars as pl

from warehouse.heatmap import SNAPSHOT, answering_snapshots, liquidation_heatmap
from warehouse.report.window import Window

QUERIES = files("warehouse.report") / "queries"
SCENARIOS = (5, 10, 15)
WIDTH_PCT = 0.5
# More columns than this are narrower than a pixel of the chart.
MOST_COLUMNS = 240
# More marks of liquidations than this, on each side, hide the price.
MOST_MARKS = 96


@dataclass(frozen=True, slots=True)
class CoinFacts:
    """What the lake says about one coin.

    Attributes
    ----------
    coin
        Venue symbol.
    coverage
        The answering snapshot and what it has seen; None: no snapshot answers.
    chart, clusters, scenarios
        Rows of ``liquidation_map``, ``liquidation_clusters`` and ``cascade_scenarios``.
    regime
        The row of ``leverage_regime``; None: no snapshot, or no price known.
    columns
        Snapshots shown in the heatmap, oldest first.
    left_out
        Snapshots of the period that are not shown, because others lie within a pixel of them.
    cells
        Rows of ``liquidation_heatmap``.
    marks
        ``snapshot_ts`` and ``px``: median mark of the coin's positions, USD.
    bars
        Price bars of the period, of one venue.
    liquidations
        Realised liquidations of the period, by stretch of ``liquidation_hours`` and side.
    liquidation_hours
        Hours that one row of ``liquidations`` is for.
    """

    coin: str
    coverage: dict | None
    chart: pl.DataFrame
    clusters: pl.DataFrame
    scenarios: pl.DataFrame
    regime: dict | None
    columns: pl.DataFrame
    left_out: int
    cells: pl.DataFrame
    marks: pl.DataFrame
    bars: pl.DataFrame
    liquidations: pl.DataFrame
    liquidation_hours: int

    @property
    def mark(self) -> float | None:
        """Return the venue's mark at the answering snapshot, USD; None where unknown."""
        return None if self.regime is None else self.regime["current_px"]

    def scenario(self, direction: str, pct: int) -> dict | None:
        """Return the scenario row of a move; None where no snapshot answers."""
        return next(
            (
                row
                for row in self.scenarios.iter_rows(named=True)
                if row["direction"] == direction and row["pct"] == pct
            ),
            None,
        )

    def largest_cluster(self, side: str, low: float, high: float) -> dict | None:
        """Return the largest cluster of a side in ``[low, high)`` USD; None: there is none."""
        inside = pl.col("px").is_between(low, high, closed="left")
        rows = self.clusters.filter(pl.col("side") == side, inside)
        return rows.row(0, named=True) if rows.height else None


def ask(con: duckdb.DuckDBPyConnection, name: str, **params: object) -> pl.DataFrame:
    """Return the answer to one of the report's questions."""
    return con.sql(QUERIES.joinpath(f"{name}.sql").read_text(), params=params).pl()


def read_coin(con: duckdb.DuckDBPyConnection, coin: str, window: Window) -> CoinFacts:
    """Return what the lake says about ``coin`` in ``window``."""
    moment = {"coin": coin, "at": window.at}
    period = {"coin": coin, "since": window.since, "until": window.until}

    def macro(call: str, **params: object) -> pl.DataFrame:
        return con.sql(f"from {call}", params=moment | params).pl()

    coverage = ask(con, "snapshot_coverage", **moment)
    regime = macro("leverage_regime($coin, $at::timestamptz)")
    columns, left_out = _columns(con, coin, window)
    cells, marks = _through_time(con, coin, columns)
    hours = _stretch(window)
    return CoinFacts(
        coin=coin,
        coverage=_only(coverage),
        chart=macro(
            "liquidation_map($coin, $at::timestamptz, width_pct := $width)", width=WIDTH_PCT
        ),
        clusters=macro("liquidation_clusters($coin, $at::timestamptz)"),
        scenarios=macro(
            "cascade_scenarios($coin, $at::timestamptz, pcts := $pcts)", pcts=list(SCENARIOS)
        ),
        regime=_only(regime),
        columns=columns,
        left_out=left_out,
        cells=cells,
        marks=marks,
        bars=ask(con, "price_bars", **period),
        liquidations=ask(con, "realised_liquidations", **period, hours=hours),
        liquidation_hours=hours,
    )


def _only(rows: pl.DataFrame) -> dict | None:
    return rows.row(0, named=True) if rows.height else None


def _stretch(window: Window) -> int:
    """Return the hours that one mark of what was liquidated stands for."""
    if window.since is None or window.until is None:
        return 1
    return max(1, ceil((window.until - window.since) / timedelta(hours=1) / MOST_MARKS))


def _columns(
    con: duckdb.DuckDBPyConnection, coin: str, window: Window
) -> tuple[pl.DataFrame, int]:
    """Return the snapshots to show, and how many others there are.

    Of snapshots that would share a pixel the newest is shown, as a map asked for then would.
    """
    ledger = con.sql("from snapshots").pl()
    if window.since is None or window.until is None:
        return ledger.clear(), 0
    every = answering_snapshots(ledger, coin, window.since, window.until)
    if every.height <= MOST_COLUMNS:
        return every, 0
    pixel = (window.until - window.since) // MOST_COLUMNS // timedelta(microseconds=1)
    age = (pl.col("snapshot_ts") - window.since).dt.total_microseconds()
    shown = every.unique(age // pixel, keep="last", maintain_order=True)
    return shown, every.height - shown.height


def _through_time(
    con: duckdb.DuckDBPyConnection, coin: str, columns: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the heatmap's cells, and the coin's mark at each snapshot."""
    con.register("shown", columns.select("day", *SNAPSHOT).to_arrow())
    positions = ask(con, "shown_positions", coin=coin)
    con.unregister("shown")
    marks = (
        positions.group_by("snapshot_ts")
        .agg(pl.col("mark_px").median().alias("px"))
        .sort("snapshot_ts")
    )
    return liquidation_heatmap(positions, columns, WIDTH_PCT), marks


def column_ends(columns: pl.DataFrame, until: datetime) -> list[datetime]:
    """Return until when each snapshot is shown as the state of things.

    That is the next snapshot, unless it is far off as snapshots go here: then the chart shows
    a hole, not an old map.  Far is three times the usual distance of two snapshots, or half
    a day where that is less, but never under one and a half times the usual distance.
    """
    starts = columns["snapshot_ts"].to_list()
    steps = sorted(after - before for before, after in pairwise(starts))
    usual = steps[len(steps) // 2] if steps else timedelta(hours=12)
    reach = min(3 * usual, max(timedelta(hours=12), 1.5 * usual))
    nexts = [*starts[1:], until]
    return [min(after, start + reach) for start, after in zip(starts, nexts, strict=True)]
