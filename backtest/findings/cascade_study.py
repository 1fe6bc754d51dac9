"""This module says what prices did around liquidation cascades, on average."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc
from backtest.findings.reading import interval_of
from backtest.statistics.clustered import clustered_mean
from backtest.tape import Tape

BEFORE, AFTER = 24, 48
FEWEST_EVENTS = 5
DAY = np.timedelta64(86_400_000_000, "us")
# The macro answers for a million minutes at most.
STRETCH = 300 * DAY


@dataclass(frozen=True, slots=True)
class CascadeStudy:
    """The mean path of prices around cascades, signed so that a cascade's own way is up.

    Attributes
    ----------
    events, days
        Cascades with all bars around them, and UTC days that they began on.
    offset
        Bars from the one in which the cascade began.
    mean
        Close over that of the bar before the cascade, less 1, fraction; None: fewer than 5
        cascades.
    low, high
        95 % interval, clustered by day; None where it cannot be told.
    """

    events: int
    days: int
    offset: tuple[int, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


def cascade_study(lake: duckdb.DuckDBPyConnection, tapes: Sequence[Tape]) -> CascadeStudy:
    """Return what prices did around the cascades of some coins in a period.

    Parameters
    ----------
    lake
        Catalog of a lake.
    tapes
        One a coin; bars of the warm-up serve as those before.
    """
    parts = []
    for tape in tapes:
        period = tape.period.start[0], tape.period.end[-1]
        parts.append(paths(tape.bars, *cascades_of(lake, tape.coin, *period)))
    rows = np.concatenate([path for path, _ in parts])
    return mean_path(rows, np.concatenate([day for _, day in parts]))


def cascades_of(
    lake: duckdb.DuckDBPyConnection, coin: str, since: np.datetime64, until: np.datetime64
) -> tuple[np.ndarray, np.ndarray]:
    """Return when the cascades of a coin in ``[since, until)`` began, and which way they push.

    Returns
    -------
    began : datetime64[us][e]
        UTC, rising.
    way : int64[e]
        -1: longs were liquidated, mostly; +1: shorts.
    """
    began, way = [np.zeros(0, "datetime64[us]")], [np.zeros(0, np.int64)]
    for low in np.arange(since, until, STRETCH):
        high = min(low + STRETCH, until)
        found = lake.sql(
            "select start_ts::timestamp as start_ts, if(side = 'long', -1, 1) as way "
            "from cascades($coin, $since, $until) where start_ts < $high order by start_ts",
            params={
                "coin": coin,
                "since": as_utc(low),
                "high": as_utc(high),
                # What begins slowly is told by what follows.
                "until": as_utc(min(high + DAY, until)),
            },
        ).pl()
        began.append(found["start_ts"].to_numpy().astype("datetime64[us]"))
        way.append(found["way"].to_numpy().astype(np.int64))
    return np.concatenate(began), np.concatenate(way)


def paths(bars: Bars, began: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the path of prices around each event that has all its bars.

    Parameters
    ----------
    bars
        In order of time.
    began : datetime64[us][e]
        UTC.
    way : int[e]
        +1 where the event pushes prices up, -1 down.

    Returns
    -------
    path : float64[k, 73]
        Signed return since the close of the bar before the event, at each offset.
    day : datetime64[D][k]
        On which each began.
    """
    row = np.searchsorted(bars.start, began, side="right") - 1
    there = (row >= BEFORE) & (row + AFTER < len(bars))
    row, way, began = row[there], np.asarray(way)[there], began[there]
    offset = np.arange(-BEFORE, AFTER + 1)
    place = row[:, None] + offset
    whole = (began < bars.end[row]) & (
        bars.start[row + AFTER] - bars.start[row - BEFORE] == (BEFORE + AFTER) * bars.width
    )
    px = bars.close_px[place[whole]]
    path = way[whole, None] * (px / px[:, BEFORE - 1 : BEFORE] - 1)
    return path, began[whole].astype("datetime64[D]")


def mean_path(path: np.ndarray, day: np.ndarray) -> CascadeStudy:
    """Return the mean of paths with its interval at each offset."""
    offset = tuple(range(-BEFORE, AFTER + 1))
    events, days = len(path), np.unique(day).size
    nothing = (None,) * len(offset)
    if events < FEWEST_EVENTS:
        return CascadeStudy(events, days, offset, nothing, nothing, nothing)
    found = [clustered_mean(column, day) for column in path.T]
    edges = [interval_of(one) for one in found]
    return CascadeStudy(
        events,
        days,
        offset,
        tuple(one.mean for one in found),
        tuple(low for low, _ in edges),
        tuple(high for _, high in edges),
    )
