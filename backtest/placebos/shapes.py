"""This module holds the maps of a period as shapes: where leverage lay relative to the price.

A shape can be looked at from any price, and put where another map was.  Notional is told to
bins of 0.1 %, within which it is spread evenly; clusters keep their edges.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from backtest.bars import as_utc
from backtest.maps import MAP_ASKED

# Of logarithms of the price.
STEP = 0.001
SNAPSHOTS_AT_ONCE = 32
SIDES = ("short", "long")


@dataclass(frozen=True, slots=True)
class Clusters:
    """Clusters of one side of each snapshot, largest first.

    Attributes
    ----------
    edge : float64[s, k]
        Logarithm of the edge that price meets first over the price at the snapshot; NaN: the
        snapshot has fewer.
    """

    edge: np.ndarray

    def largest(self, number: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return the edge of the largest in ``(low, high)`` of snapshots; NaN: none is."""
        edge = self.edge[number]
        ahead = (edge > low[:, None]) & (edge < high[:, None])
        if not ahead.size:
            return np.full(number.size, np.nan)
        first = ahead.argmax(axis=1)
        rows = np.arange(number.size)
        return np.where(ahead[rows, first], edge[rows, first], np.nan)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Maps of one coin relative to the price at each snapshot.

    Attributes
    ----------
    low
        Lower edge of the first bin, of logarithms relative to the price at the snapshot.
    held : dict of float64[s, b + 1]
        By side: notional of each snapshot below each edge of bins, USD.
    clusters
        By side.
    """

    low: float
    held: dict[str, np.ndarray]
    clusters: dict[str, Clusters]

    def between(
        self, side: str, number: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray:
        """Return the notional of a side between two logarithms of each snapshot, USD."""
        sums = self.held[side]

        def below(edge: np.ndarray) -> np.ndarray:
            place = np.clip((edge - self.low) / STEP, 0, sums.shape[1] - 1)
            left = np.minimum(place.astype(np.int64), sums.shape[1] - 2)
            part = place - left
            return (1 - part) * sums[number, left] + part * sums[number, left + 1]

        return below(high) - below(low)


def read_shapes(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    moments: np.ndarray,
    px: np.ndarray,
    span: float,
    *,
    knowable: bool,
) -> Shapes:
    """Read the map that answers at each moment as a shape.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    moments : datetime64[us][s]
        One that each snapshot answers, UTC.
    px : float64[s]
        Price at each snapshot, USD.
    span
        How far shapes reach from it, both ways, of logarithms.
    knowable
        True: only snapshots already published at the moment.
    """
    bins = 2 * int(np.ceil(span / STEP))
    low = -STEP * bins / 2
    held = {side: np.zeros((moments.size, bins + 1)) for side in SIDES}
    edges: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    for first in range(0, moments.size, SNAPSHOTS_AT_ONCE):
        some = slice(first, first + SNAPSHOTS_AT_ONCE)
        asked = {
            "coin": coin,
            "moments": [as_utc(moment) for moment in moments[some]],
            "px": px[some].tolist(),
            "knowable": knowable,
            "span": -low,
        }
        # A fixed order, for a sum of floats depends on it.
        rows = _ask(lake, _HELD, asked)
        clusters = _ask(lake, _CLUSTERS, asked)
        for side in SIDES:
            one = rows.filter(pl.col("side") == side)
            at = np.floor((one["away"].to_numpy() - low) / STEP).astype(np.int64)
            at = np.clip(at, 0, bins - 1)
            np.add.at(
                held[side],
                (first + one["number"].to_numpy(), at + 1),
                one["notional"].to_numpy(),
            )
            mine = clusters.filter(pl.col("side") == side)
            for number in range(len(asked["moments"])):
                edges[side].append(mine.filter(pl.col("number") == number)["away"].to_numpy())
    for sums in held.values():
        np.cumsum(sums, axis=1, out=sums)
    return Shapes(low, held, {side: Clusters(_padded(edges[side])) for side in SIDES})


def _padded(lists: list[np.ndarray]) -> np.ndarray:
    out = np.full((len(lists), max((one.size for one in lists), default=0)), np.nan)
    for row, one in zip(out, lists, strict=True):
        row[: one.size] = one
    return out


_ASKED = """
    from (
        select
            unnest($moments::timestamptz[]) as moment,
            unnest($px::double[]) as px,
            unnest(range(len($px::double[]))) as number
    ) as asked,
"""
_HELD = f"""
    select asked.number, held.side, ln(held.liquidation_px / asked.px) as away, held.notional
    {_ASKED}
    lateral (from positions_at({MAP_ASKED})) as held
    where held.liquidation_px > 0 and abs(ln(held.liquidation_px / asked.px)) < $span
    order by all
"""
# Of a cluster only the edge that price meets first matters; of equals the nearest comes first.
_CLUSTERS = f"""
    select
        asked.number,
        held.side,
        ln(if(held.side = 'short', held.px_low, held.px_high) / asked.px) as away
    {_ASKED}
    lateral (from liquidation_clusters({MAP_ASKED})) as held
    where abs(away) < $span
    order by asked.number, held.side, held.notional desc, abs(away)
"""


def _ask(lake: duckdb.DuckDBPyConnection, query: str, asked: dict[str, object]) -> pl.DataFrame:
    used = {name: value for name, value in asked.items() if f"${name}" in query}
    return lake.sql(query, params=used).pl()
