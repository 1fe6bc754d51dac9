"""This module says what prices did around liquidation cascades, on average."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy.special import stdtrit

from backtest.bars import Bars, as_utc
from backtest.findings.reading import LEVEL
from backtest.statistics.jackknife import effective, jackknifed
from backtest.statistics.stretches import stretches
from backtest.tape import Tape

BEFORE, AFTER = 24, 48
WINDOW = BEFORE + 1 + AFTER
FEWEST_EVENTS = 5
# Student's t on three degrees of freedom or fewer tells little, and of so few not that.
FEWEST_STRETCHES = 5
DAY = np.timedelta64(86_400_000_000, "us")
# The macro answers for a million minutes at most.
ASKED_AT_ONCE = 300 * DAY


@dataclass(frozen=True, slots=True)
class CascadeStudy:
    """The mean path of prices around cascades, signed so that a cascade's own way is up.

    Attributes
    ----------
    events, merged
        Cascades with all bars around them; how many are left where those whose bars overlap
        are one, whatever their coin.
    stretches, effective
        Of time, that they lie in (:mod:`backtest.statistics.stretches`), and how many would say
        as much if they held as many cascades as each other.
    offset
        Bars from the one in which the cascade began.
    mean
        Close over that of the bar before the cascade, less 1, fraction; None: fewer than 5
        cascades.
    low, high
        95 % interval with stretches as units; None where it cannot be told: of fewer than 5
        effective ones, and at the bar that all is measured from.
    """

    events: int
    merged: int
    stretches: int
    effective: float
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
        One a coin, of bars of one length; those of the warm-up serve as those before.
    """
    parts = []
    for tape in tapes:
        period = tape.period.start[0], tape.period.end[-1]
        parts.append(paths(tape.bars, *cascades_of(lake, tape.coin, *period)))
    rows = np.concatenate([path for path, _ in parts])
    start = np.concatenate([start for _, start in parts])
    return mean_path(rows, start, tapes[0].bars.width)


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
    for low in np.arange(since, until, ASKED_AT_ONCE):
        high = min(low + ASKED_AT_ONCE, until)
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
    start : datetime64[us][k]
        UTC, of the bar in which each began.
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
    return path, bars.start[row[whole]]


def mean_path(path: np.ndarray, start: np.ndarray, width: np.timedelta64) -> CascadeStudy:
    """Return the mean of paths with its interval at each offset.

    Parameters
    ----------
    path : float64[k, 73]
        One row an event.
    start : datetime64[us][k]
        UTC, of the bar in which each began.
    width
        How long a bar is.
    """
    offset = tuple(range(-BEFORE, AFTER + 1))
    nothing = (None,) * len(offset)
    at = start.astype("datetime64[us]").astype(np.int64)
    lain = stretches(at, WINDOW * int(width / np.timedelta64(1, "us")))
    even = effective(np.bincount(lain.number))
    counts = len(path), lain.merged, lain.count, even
    if len(path) < FEWEST_EVENTS:
        return CascadeStudy(*counts, offset, nothing, nothing, nothing)
    found = jackknifed(path, lain.number)
    mean = tuple(found.mean.tolist())
    if even < FEWEST_STRETCHES:
        return CascadeStudy(*counts, offset, mean, nothing, nothing)
    far = float(stdtrit(even - 1, (1 + LEVEL) / 2)) * lain.wider * found.error
    low, high = (
        tuple(edge if off else None for edge, off in zip(edges.tolist(), far, strict=True))
        for edges in (found.mean - far, found.mean + far)
    )
    return CascadeStudy(*counts, offset, mean, low, high)
