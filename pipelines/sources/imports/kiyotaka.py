"""This module reads Kiyotaka's liquidation heatmaps, which are sums by price level.

Docs: Kiyotaka API, "Liquidation Heatmap", ``GET /v1/points`` with
``type=HYPERLIQUID_LIQUIDATION_AGG`` (read 2026-08-22).  An answer holds series of points, each
a moment and a flat list of price and volume, prices rising; or, with ``flatten=true``, one
list of all points.  The volume is in coins, or in USD where ``transform.normalize.quote=USD``
was asked for, and the answer does not say which: its reader must.  No side is given, no count
of positions, no coverage and no width of a level, so none is made up.

A point is asked for by the start of its interval and the page does not say which moment of the
interval its levels are of; it counts as known once the interval has ended.
"""

from collections import Counter
from collections.abc import Mapping as Dictionary
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import polars as pl

from pipelines.sources.errors import SourceError, one_line
from pipelines.sources.imports.imported import Imported, held
from pipelines.sources.imports.kiyotaka_points import Point, points_of
from pipelines.sources.imports.texts import INSTANT
from warehouse.contracts.levels import IMPORTED_LEVELS

SOURCE = "kiyotaka"
QUOTES = ("coin", "USD")
# The page's default maxDepth: a point with as many levels may have been cut there.
DEFAULT_DEPTH = 1_500


def to_levels(bodies: Dictionary[str, bytes], quote: str) -> Imported:
    """Translate answers to rows of ``imported_levels``.  Pure.

    Parameters
    ----------
    bodies
        Name of each file -> an answer, JSON.  Pages may overlap: a point comes once.
    quote
        ``coin`` or ``USD``: what the volumes were asked for in.

    Returns
    -------
    Imported
        Rows of ``imported_levels``: of ``size`` and ``notional`` the one that was asked for,
        the other null; ``side`` and ``bucket_width`` null.  ``source`` names what was asked
        for and the interval, as ``kiyotaka-coin-hour``: one map does not hide the other.

    Raises
    ------
    SourceError
        If an answer is not as documented, or two of them disagree on a point; names file,
        series and point.
    ValueError
        If ``quote`` is neither, or there is no file.

    Examples
    --------
    >>> body = b'''{"series": [{
    ...     "id": {"type": "HYPERLIQUID_LIQUIDATION_AGG", "interval": "HOUR", "coin": "BTC"},
    ...     "points": [{"Point": {"timestamp": {"s": 1774800000}, "levels": [66210, 0.5]}}]
    ... }]}'''
    >>> (table, rows), = to_levels({"btc.json": body}, "coin").tables
    >>> row = rows.to_pylist()[0]
    >>> str(row["level_ts"]), row["px"], row["size"], row["notional"], row["side"]
    ('2026-03-29 16:00:00+00:00', 66210.0, 0.5, None, None)
    >>> row["source"], str(row["known_ts"])
    ('kiyotaka-coin-hour', '2026-03-29 17:00:00+00:00')
    """
    if quote not in QUOTES:
        raise ValueError(f"quote {quote!r}: must be one of {', '.join(QUOTES)}")
    if not bodies:
        raise ValueError("kiyotaka: no file to read")
    unknown: Counter[str] = Counter()
    points: dict[tuple[str, str, datetime], Point] = {}
    duplicates = 0
    for file, body in bodies.items():
        for point in points_of(_parsed(body, file), file, unknown):
            first = points.setdefault((point.coin, point.interval, point.level_ts), point)
            if first is not point:
                _hold_same(first, point)
                duplicates += len(point.px)
    full = sum(len(point.px) == DEFAULT_DEPTH for point in points.values())
    notes = [f"{full} points have {DEFAULT_DEPTH} levels, the default depth: they may be cut"]
    rows = held(_rows(list(points.values()), quote), IMPORTED_LEVELS, ", ".join(bodies)[:80])
    return Imported([(IMPORTED_LEVELS, rows)], unknown, duplicates, notes if full else [])


def _parsed(body: bytes, file: str) -> Any:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise SourceError(f"{file}: cannot be read as JSON: {one_line(error)}") from error


def _hold_same(first: Point, point: Point) -> None:
    """Raise if two points of one moment differ: which of them holds is not known."""
    same = np.array_equal(first.px, point.px) and np.array_equal(first.volume, point.volume)
    if not same:
        raise SourceError(
            f"{point.where}: must come once per coin, interval and moment, "
            f"{first.where} differs"
        )


def _rows(points: list[Point], quote: str) -> pl.DataFrame:
    """Return a row for each level."""
    levels = [len(point.px) for point in points]
    px = np.concatenate([np.empty(0), *(point.px for point in points)])
    volume = pl.Series(np.concatenate([np.empty(0), *(point.volume for point in points)]))
    of_point = pl.Series(np.repeat(np.arange(len(points)), levels))
    lacking = pl.Series([None], dtype=pl.Float64).new_from_index(0, len(px))
    named = [f"{SOURCE}-{quote}-{point.interval}".lower() for point in points]
    return pl.DataFrame(
        {
            "level_ts": pl.Series([p.level_ts for p in points], dtype=INSTANT).gather(of_point),
            "source": pl.Series(named, dtype=pl.String).gather(of_point),
            "coin": pl.Series([p.coin for p in points], dtype=pl.String).gather(of_point),
            "px": px,
            "size": volume if quote == "coin" else lacking,
            "notional": volume if quote == "USD" else lacking,
            "side": lacking.cast(pl.String),
            "bucket_width": lacking,
            "known_ts": pl.Series([p.known_ts for p in points], dtype=INSTANT).gather(of_point),
        }
    )
