"""This module says what the liquidation map showed at each decision, and nothing later.

Decisions between two snapshots share a map, so the catalog is asked which snapshot answers for
each decision, and then once per answering snapshot for what it holds.  Above and below are
counted from the price at the decision, not from the snapshot's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from backtest.bars import as_utc

# Snapshots whose positions are held at once: 32 x 20,000 positions of one coin are some 30 MB.
SNAPSHOTS_AT_ONCE = 32
MOMENTS_AT_ONCE = 512
# Who replays a coin knows that it is one, whenever the lake heard of it first.
MAP_ASKED = "$coin, asked.moment, knowable := $knowable, coin_by := '9999-12-31T00:00Z'"


@dataclass(frozen=True, slots=True)
class Maps:
    """What the answering map said at each decision; NaN and NaT where none was known or asked.

    Attributes
    ----------
    snapshot_ts : datetime64[us][n]
        Snapshot that answered, UTC.
    short_above, long_below : float64[n]
        Liquidation notional of shorts above and of longs below the price, within reach, USD.
    cluster_above : float64[n]
        Lower edge of the largest cluster of shorts that lies wholly above the price and starts
        within reach, USD; NaN also where there is none.
    cluster_below : float64[n]
        Upper edge of the largest cluster of longs that lies wholly below, likewise.
    sources
        Sources of the snapshots that answered.
    """

    snapshot_ts: np.ndarray
    short_above: np.ndarray
    long_below: np.ndarray
    cluster_above: np.ndarray
    cluster_below: np.ndarray
    sources: frozenset[str] = frozenset()

    @classmethod
    def unknown(cls, n: int) -> "Maps":
        """Return ``n`` decisions without a map."""
        numbers = (np.full(n, np.nan) for _ in range(4))
        return cls(np.full(n, "NaT", dtype="datetime64[us]"), *numbers)

    @property
    def known(self) -> np.ndarray:
        """Return the decisions that a map answered for."""
        return ~np.isnat(self.snapshot_ts)

    @property
    def regime(self) -> np.ndarray:
        """Return how evenly the two sides within reach lie, as words.

        Returns
        -------
        str[n]
            As :code:`leverage_regime`: ``symmetric`` (the larger below twice the smaller),
            ``tilted`` (to four times), ``fragile`` (above, or one side holds nothing);
            ``unknown``: no map, or neither side holds anything.

        Notes
        -----
        Counted from the price at the decision.  What that price has passed since the snapshot
        is in neither side; the macro counts it, from the snapshot's own price.
        """
        most = np.fmax(self.short_above, self.long_below)
        least = np.fmin(self.short_above, self.long_below)
        words = np.full(most.size, "unknown", dtype="<U9")
        words[most > 0] = "fragile"
        words[(least > 0) & (most <= 4 * least)] = "tilted"
        words[(least > 0) & (most < 2 * least)] = "symmetric"
        return words


def read_maps(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    asked: np.ndarray,
    moments: np.ndarray,
    px: np.ndarray,
    *,
    reach_pct: float,
    knowable: bool,
) -> Maps:
    """Read what the map said at each decision that asks.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    asked : bool[n]
        Decisions that look at the map.
    moments : datetime64[us][n]
        When each decision is made, UTC, increasing.
    px : float64[n]
        Price at each decision, USD.
    reach_pct
        How far from the price the map is looked at, per cent.
    knowable
        True: only snapshots already published at the decision.

    Raises
    ------
    ValueError
        If ``reach_pct`` is not above 0 and below 100.
    """
    if not 0 < reach_pct < 100:
        raise ValueError(f"reach_pct {reach_pct} must be above 0 and below 100")
    maps = Maps.unknown(moments.size)
    rows = np.flatnonzero(asked)
    answers = _answers(lake, coin, moments[rows], knowable)
    if answers.is_empty():
        return maps
    number = rows[answers["number"].to_numpy()]
    maps.snapshot_ts[number] = answers["snapshot_ts"].to_numpy().astype("datetime64[us]")
    # One moment stands for all decisions that the same snapshot answers.
    first = answers.group_by("snapshot_ts", "source", "scope", maintain_order=True)
    grouped = first.agg(pl.col("number"), pl.col("moment").first())
    low, high = px * (1 - reach_pct / 100), px * (1 + reach_pct / 100)
    for batch in grouped.iter_slices(SNAPSHOTS_AT_ONCE):
        here = rows[np.concatenate(batch["number"].to_list())]
        held = _held(lake, coin, batch["moment"], knowable, low[here].min(), high[here].max())
        for numbers, moment in zip(batch["number"], batch["moment"], strict=True):
            for row in rows[numbers.to_numpy()]:
                _say(maps, row, held[moment], px[row], low[row], high[row])
    return Maps(
        maps.snapshot_ts,
        maps.short_above,
        maps.long_below,
        maps.cluster_above,
        maps.cluster_below,
        frozenset(answers["source"].unique()),
    )


def _answers(
    lake: duckdb.DuckDBPyConnection, coin: str, moments: np.ndarray, knowable: bool
) -> pl.DataFrame:
    """Return number, moment and snapshot of each moment that a snapshot answers for."""
    parts = [
        _ask(
            lake,
            "select asked.moment, answer.snapshot_ts, answer.source, answer.scope "
            "from (select unnest($moments::timestamptz[]) as moment) as asked, "
            "lateral (from snapshot_at($coin, asked.moment, knowable := $knowable)) as answer",
            coin,
            [as_utc(moment) for moment in some],
            knowable,
        )
        for some in _split(moments, MOMENTS_AT_ONCE)
    ]
    if not parts:
        return pl.DataFrame()
    numbered = pl.DataFrame({"moment": moments}).with_row_index("number")
    numbered = numbered.with_columns(pl.col("moment").dt.replace_time_zone("UTC"))
    return numbered.join(pl.concat(parts), on="moment", how="inner").sort("number")


def _split(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for begin in range(0, values.size, size):
        yield values[begin : begin + size]


_SIDES = ("long", "short")


class _Held:
    """Price and notional of what one snapshot holds, sides apart."""

    def __init__(self, positions: pl.DataFrame, clusters: pl.DataFrame) -> None:
        self.positions = {side: _columns(positions, side, "liquidation_px") for side in _SIDES}
        self.clusters = {side: _columns(clusters, side, "edge_px") for side in _SIDES}


def _columns(rows: pl.DataFrame, side: str, px: str) -> tuple[np.ndarray, np.ndarray]:
    one = rows.filter(pl.col("side") == side)
    return one[px].to_numpy(), one["notional"].to_numpy()


def _held(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    moments: pl.Series,
    knowable: bool,
    low: float,
    high: float,
) -> dict[object, _Held]:
    """Return what the answering snapshots hold between two prices, by moment.

    Rows come in a fixed order, for a sum of floats depends on it.
    """
    positions = _ask(
        lake,
        "select asked.moment, held.side, held.liquidation_px, held.notional "
        "from (select unnest($moments::timestamptz[]) as moment) as asked, "
        f"lateral (from positions_at({MAP_ASKED})) as held "
        "where held.liquidation_px between $low and $high order by all",
        coin,
        moments.to_list(),
        knowable,
        low=low,
        high=high,
    )
    # Of a cluster only the edge that price meets first matters.
    clusters = _ask(
        lake,
        "select asked.moment, held.side, held.notional, "
        "if(held.side = 'short', held.px_low, held.px_high) as edge_px "
        "from (select unnest($moments::timestamptz[]) as moment) as asked, "
        f"lateral (from liquidation_clusters({MAP_ASKED})) "
        "as held where edge_px between $low and $high order by all",
        coin,
        moments.to_list(),
        knowable,
        low=low,
        high=high,
    )
    return {
        moment: _Held(
            positions.filter(pl.col("moment") == moment),
            clusters.filter(pl.col("moment") == moment),
        )
        for moment in moments
    }


def _ask(
    lake: duckdb.DuckDBPyConnection,
    query: str,
    coin: str,
    moments: list[object],
    knowable: bool,
    **more: float,
) -> pl.DataFrame:
    params = {"coin": coin, "moments": moments, "knowable": knowable, **more}
    return lake.sql(query, params=params).pl()


def _say(maps: Maps, row: int, held: _Held, px: float, low: float, high: float) -> None:
    """Write down what one decision may know."""
    at, notional = held.positions["short"]
    maps.short_above[row] = notional[(at > px) & (at <= high)].sum()
    at, notional = held.positions["long"]
    maps.long_below[row] = notional[(at < px) & (at >= low)].sum()
    at, notional = held.clusters["short"]
    maps.cluster_above[row] = _largest(at, notional, (at > px) & (at <= high), px)
    at, notional = held.clusters["long"]
    maps.cluster_below[row] = _largest(at, notional, (at < px) & (at >= low), px)


def _largest(edge: np.ndarray, notional: np.ndarray, ahead: np.ndarray, px: float) -> float:
    """Return the edge of the largest cluster ahead, of equals the nearest; NaN: none."""
    edge, notional = edge[ahead], notional[ahead]
    if edge.size == 0:
        return np.nan
    return float(edge[np.lexsort((np.abs(edge - px), -notional))[0]])
