"""This module makes bars of the finer candles that tile them."""

from collections.abc import Sequence

import duckdb
import numpy as np

from backtest.bars import as_utc
from backtest.intervals import WIDTHS, finer

# Columns of a candle, and how those of its parts become one.
COLUMNS = ("open_px", "high_px", "low_px", "close_px", "volume")

# Venue, source, interval of the parts, how many bars they make up, the first and last start.
Made = tuple[str, str, str, int, np.datetime64, np.datetime64]


def made_of(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    interval: str,
    since: np.datetime64,
    until: np.datetime64,
) -> list[Made]:
    """Return what finer candles make up of bars that lie wholly in ``[since, until)``.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    interval
        Of the bars.
    since, until : datetime64[us]
        UTC, half-open.

    Returns
    -------
    list
        One of each venue and source that has all parts of a bar: of the coarsest candles that
        reach over the period or, where none do, of the coarsest.
    """
    names, width = finer(interval), WIDTHS[interval]
    lengths = [_micros(WIDTHS[name]) for name in names]
    found = lake.sql(
        """
        with asked as (
            select unnest($names::varchar[]) as interval, unnest($lengths::bigint[]) as length
        ),

        bars as (
            select c.venue, c.source, c.interval, epoch_us(c.start_ts) // $width as bar
            from candles as c
            inner join asked as a on c.interval = a.interval
            where
                c.coin = $coin
                and c.start_ts >= $since and c.start_ts < $until
                and c.day >= ($since at time zone 'UTC')::date
                and c.day <= ($until at time zone 'UTC')::date
                and epoch_us(c.start_ts) % a.length = 0
                and epoch_us(c.start_ts) + a.length <= epoch_us($until)
            group by c.venue, c.source, c.interval, bar, a.length
            having count(*) = $width // a.length
        )

        select venue, source, interval, count(*), min(bar), max(bar)
        from bars
        group by all
        order by all
        """,
        params={
            "names": names,
            "lengths": lengths,
            "width": _micros(width),
            "coin": coin,
            "since": as_utc(since),
            "until": as_utc(until),
        },
    ).fetchall()
    by_source: dict[tuple[str, str], list[Made]] = {}
    for venue, source, part, bars, low, high in found:
        first, last = (np.datetime64(0, "us") + one * width for one in (low, high))
        by_source.setdefault((venue, source), []).append(
            (venue, source, part, bars, first, last)
        )
    return [_best(made, since, until, width) for made in by_source.values()]


def _best(
    made: list[Made], since: np.datetime64, until: np.datetime64, width: np.timedelta64
) -> Made:
    made.sort(key=lambda one: -WIDTHS[one[2]].astype(int))
    reach = [one for one in made if one[4] - since < width and until - one[5] < 2 * width]
    return (reach or made)[0]


def joined(
    start: np.ndarray,
    columns: Sequence[np.ndarray],
    part: np.timedelta64,
    width: np.timedelta64,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the bars that candles make up; a bar that lacks a part is not there.

    Parameters
    ----------
    start : datetime64[us][n]
        First instants of the candles, UTC, increasing.
    columns : float64[n], five of them
        Open, high, low, close, volume; NaN: the volume is not known.
    part, width
        Length of a candle and of a bar, which it divides.

    Returns
    -------
    start : datetime64[us][m]
    columns : float64[m], five of them
        The volume is not known where that of a part is not.
    """
    moment = start.astype("datetime64[us]").astype(np.int64)
    on_grid = moment % _micros(part) == 0
    many = _micros(width) // _micros(part)
    bar, number, count = np.unique(
        moment[on_grid] // _micros(width), return_inverse=True, return_counts=True
    )
    whole = count == many
    kept = np.flatnonzero(on_grid)[whole[number]]
    open_px, high, low, close, volume = (one[kept].reshape(-1, many) for one in columns)
    return np.datetime64(0, "us") + bar[whole] * width, [
        open_px[:, 0],
        high.max(axis=1),
        low.min(axis=1),
        close[:, -1],
        volume.sum(axis=1),
    ]


def _micros(length: np.timedelta64) -> int:
    return int(length / np.timedelta64(1, "us"))
