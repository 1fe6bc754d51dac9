"""This module reads the bars that a replay runs on, and invents none."""

from difflib import get_close_matches
from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc, utc
from backtest.intervals import WIDTHS, reaching_back, width_of
from backtest.parts import COLUMNS, joined, made_of

HOME = "hyperliquid"  # where the trades are thought to be made, and whose funding they pay


def is_simulated(source: str | None) -> bool:
    """Return whether rows are of a made-up market.

    >>> is_simulated("simulated"), is_simulated("market_files"), is_simulated(None)
    (True, False, False)
    """
    return source is not None and source.startswith("simulated")


def mixed(coin: str, candles: str, what: str, other: str) -> str:
    """Return the sentence that simulated rows meet others in one replay."""
    return (
        f"{coin}: candles are of source {candles} and {what} of {other}: simulated rows are "
        "mixed with others, and what follows says nothing of a real market."
    )


class Series(NamedTuple):
    """Candles of one venue from one source, in a period."""

    venue: str
    source: str
    bars: int
    first: np.datetime64
    last: np.datetime64  # start of the last bar
    made_of: str | None = None  # interval of the candles that make them up; null: they are held


def load_bars(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    since: np.datetime64,
    until: np.datetime64,
    *,
    interval: str = "1h",
    venue: str | None = None,
    warmup: int = 0,
) -> Bars:
    """Read the bars that lie wholly in ``[since, until)``, and up to ``warmup`` before.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    since, until : datetime64[us]
        Period, UTC, half-open.
    interval
        One of :data:`backtest.intervals.WIDTHS`.  Where a venue has no such candles in the
        period, the bars are made of the coarsest that reach over it and tile them; a bar that
        lacks a part is missing.
    venue
        Whose candles; null: Hyperliquid's if they reach over the period, otherwise those of
        the venue with the most bars in it, the first by name among equals.  Simulated candles
        are read only where there are no others.
    warmup
        Bars before ``since`` that signals may look at.

    Raises
    ------
    LookupError
        If there are no such bars; the message says which there are.
    ValueError
        If an argument is not allowed or a bar contradicts itself.
    """
    width = width_of(interval)
    if not since < until:
        raise ValueError(f"the period must end after it starts: {utc(since)} to {utc(until)}")
    offered = _offered(lake, coin, interval, since, until)
    if not offered:
        raise LookupError(_nothing(lake, coin, interval, since, until))
    chosen, notes = _choose(coin, offered, venue, since, until, width)
    if chosen is None:
        raise LookupError(_nothing(lake, coin, interval, since, until, venue))
    read = chosen.made_of or interval
    rows = lake.sql(
        """
        select start_ts, open_px, high_px, low_px, close_px, volume
        from candles
        where
            coin = $coin and venue = $venue and source = $source and interval = $interval
            and start_ts >= $first and start_ts <= $last
            and day >= ($first at time zone 'UTC')::date
            and day <= ($last at time zone 'UTC')::date
        order by start_ts
        """,
        params={
            "coin": coin,
            "venue": chosen.venue,
            "source": chosen.source,
            "interval": read,
            "first": as_utc(reaching_back(since, 2 * warmup, width)),
            "last": as_utc(until - WIDTHS[read]),
        },
    ).pl()
    start = rows["start_ts"].to_numpy().astype("datetime64[us]")
    columns = [rows[name].cast(float).to_numpy() for name in COLUMNS]
    if chosen.made_of:
        start, columns = joined(start, columns, WIDTHS[read], width)
        notes.append(
            f"{coin}: {chosen.venue}'s {interval} bars are made of its {read} candles, for the "
            f"lake holds no {interval} ones; a bar that lacks one of them is missing."
        )
    # Twice the warm-up is read, for there may be holes in it; its newest bars are kept.
    before = int((start < since).sum())
    kept = slice(max(before - warmup, 0), None)
    start, columns = start[kept], [one[kept] for one in columns]
    if before < warmup:
        notes.append(
            f"{coin}: {before} of {warmup} bars before the period are there, so the first "
            f"{warmup - before} bars of it cannot give a signal."
        )
    bars = Bars(
        coin,
        chosen.venue,
        chosen.source,
        interval,
        width,
        start,
        *columns,
        warmup=min(before, warmup),
        notes=notes,
        made_of=chosen.made_of,
    )
    bars.check()
    bars.gaps.extend(gaps(bars, since, until))
    return bars


def _offered(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    interval: str,
    since: np.datetime64,
    until: np.datetime64,
) -> list[Series]:
    """Return the bars of a period that are held or can be made, most first."""
    held = _series(lake, coin, interval, since, until - WIDTHS[interval])
    have = {(one.venue, is_simulated(one.source)) for one in held}
    made = [
        Series(venue, source, bars, first, last, part)
        for venue, source, part, bars, first, last in made_of(
            lake, coin, interval, since, until
        )
        if (venue, is_simulated(source)) not in have
    ]
    return sorted([*held, *made], key=lambda one: (-one.bars, one.venue, one.source))


def _series(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    interval: str,
    first: np.datetime64,
    last: np.datetime64,
) -> list[Series]:
    """Return what candles there are with starts in ``[first, last]``, most bars first."""
    found = lake.sql(
        """
        select venue, source, count(*), min(start_ts)::timestamp, max(start_ts)::timestamp
        from candles
        where
            coin = $coin and interval = $interval
            and start_ts >= $first and start_ts <= $last
            and day >= ($first at time zone 'UTC')::date
            and day <= ($last at time zone 'UTC')::date
        group by all
        order by count(*) desc, venue, source
        """,
        params={
            "coin": coin,
            "interval": interval,
            "first": as_utc(first),
            "last": as_utc(last),
        },
    ).fetchall()
    return [
        Series(venue, source, bars, np.datetime64(low, "us"), np.datetime64(high, "us"))
        for venue, source, bars, low, high in found
    ]


def _choose(
    coin: str,
    offered: list[Series],
    venue: str | None,
    since: np.datetime64,
    until: np.datetime64,
    width: np.timedelta64,
) -> tuple[Series | None, list[str]]:
    """Return the candles to replay on and what a reader must know of the choice."""
    notes = []
    asked = [series for series in offered if venue in (None, series.venue)]
    pool = [series for series in asked if not is_simulated(series.source)] or asked
    if not pool:
        return None, notes
    chosen = pool[0]
    if venue is None:
        at_home = [
            series
            for series in pool
            if series.venue == HOME
            and series.first - since < width
            and until - series.last < 2 * width
        ]
        chosen = (at_home or pool)[0]
    if chosen.venue != HOME:
        why = "as asked" if venue else f"{HOME} has none over the whole period"
        notes.append(
            f"{coin}: prices are {chosen.venue}'s ({why}); funding and maps are {HOME}'s, "
            "whose own price may differ."
        )
    if {is_simulated(series.source) for series in offered} == {True, False}:
        made_up = is_simulated(chosen.source)
        notes.append(
            f"{coin}: the lake holds simulated candles and others; those read are of "
            f"{chosen.source}, "
            + (f"for {venue} has no others." if made_up else "and no simulated ones are read.")
        )
    rivals = [s.source for s in pool if s.venue == chosen.venue and s is not chosen]
    if rivals:
        notes.append(
            f"{coin}: {chosen.venue}'s candles are read from source {chosen.source}, which has "
            f"the most bars; not read: {', '.join(rivals)}."
        )
    return chosen, notes


def _nothing(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    interval: str,
    since: np.datetime64,
    until: np.datetime64,
    venue: str | None = None,
) -> str:
    """Return why there are no bars, and what there is instead."""
    whose = f"{venue} " if venue else ""
    asked = f"no {interval} candles of {whose}{coin} from {utc(since)} to {utc(until)}"
    held = _series(
        lake,
        coin,
        interval,
        np.datetime64("1970-01-01", "us"),
        np.datetime64("2200-01-01", "us"),
    )
    if held:
        periods = "; ".join(
            f"{series.venue} {utc(series.first)} to {utc(series.last + WIDTHS[interval])}"
            for series in held
        )
        return f"{asked}; the lake holds {periods}"
    if others := _intervals(lake, coin):
        return f"{asked}; the lake holds {', '.join(others)} candles of it, which make up none"
    coins = [name for (name,) in lake.sql("select distinct coin from candles").fetchall()]
    by_lower = {name.lower(): name for name in sorted(coins)}
    near = [by_lower[name] for name in get_close_matches(coin.lower(), by_lower)]
    if near:
        return f"{asked}; did you mean {' or '.join(near)}?"
    return f"{asked}; the lake holds candles of {', '.join(sorted(coins)) or 'no coin'}"


def _intervals(lake: duckdb.DuckDBPyConnection, coin: str) -> list[str]:
    """Return the intervals of the candles that a lake holds of a coin."""
    rows = lake.sql(
        "select distinct interval from candles where coin = $coin order by interval",
        params={"coin": coin},
    ).fetchall()
    return [name for (name,) in rows]


def gaps(bars: Bars, since: np.datetime64, until: np.datetime64) -> list[str]:
    """Return the holes of ``[since, until)`` that hold at least one whole bar."""
    inside = bars.start[bars.warmup :]
    edges = np.concatenate([[since], inside, [until]])
    ends = np.concatenate([[since], inside + bars.width, [until]])
    found = []
    for left, right in zip(ends[:-1], edges[1:], strict=True):
        missing = int((right - left) // bars.width)
        if missing > 0:
            found.append(
                f"{bars.coin}: {missing} {bars.interval} bar{'s' if missing > 1 else ''} of "
                f"{bars.venue} missing from {utc(left)} to {utc(right)}"
            )
    return found
