"""This module takes points out of Kiyotaka's answers, in either of their two forms.

Docs: Kiyotaka API, "Liquidation Heatmap", sections "Response", "How to read `levels`" and
"Flattened response" (read 2026-08-22).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.keys import named
from pipelines.sources.imports.texts import EARLIEST, LATEST, LONGEST_TEXT, TEXT, from_micros
from pipelines.sources.info.fields import Fields, shown

TYPE = "HYPERLIQUID_LIQUIDATION_AGG"
KNOWN = frozenset({"id", "points", "flat_points"})
KNOWN_OF_ID = frozenset({"type", "interval", "coin"})
KNOWN_OF_POINT = frozenset({"timestamp", "levels"})
# The page shows MINUTE and HOUR, the vendor's client FIFTEEN_MINUTES; others read as they say.
COUNTS = {
    "": 1,
    "TWO_": 2,
    "THREE_": 3,
    "FOUR_": 4,
    "FIVE_": 5,
    "SIX_": 6,
    "EIGHT_": 8,
    "TEN_": 10,
    "TWELVE_": 12,
    "FIFTEEN_": 15,
    "THIRTY_": 30,
}
UNITS = {"MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1), "DAY": timedelta(days=1)}
INTERVALS = {
    f"{word}{unit}{'' if count == 1 else 'S'}": count * length
    for word, count in COUNTS.items()
    for unit, length in UNITS.items()
}


class Point(NamedTuple):
    """The levels of one coin at one moment.

    Attributes
    ----------
    where
        File, series and point, for errors.
    interval
        The series' own word for its interval.
    px, volume
        float64[n], prices rising, USD; volumes in what was asked for.
    """

    where: str
    coin: str
    interval: str
    level_ts: datetime
    known_ts: datetime
    px: np.ndarray
    volume: np.ndarray


def points_of(answer: Any, file: str, unknown: Counter[str]) -> Iterator[Point]:
    """Yield the points of one answer.  Fields that are not known are counted in ``unknown``.

    Raises
    ------
    SourceError
        If it is not as documented; names file, series, point and field.
    """
    whole = Fields(answer, file)
    unknown.update(sorted(whole.value.keys() - {"series"}))
    for series in whole.objects("series"):
        unknown.update(f"series.{name}" for name in sorted(series.value.keys() - KNOWN))
        about = series.object("id")
        unknown.update(f"id.{name}" for name in sorted(about.value.keys() - KNOWN_OF_ID))
        if about.text("type") != TYPE:
            raise about.wrong("type", TYPE, about.text("type"))
        coin, interval = about.text("coin"), about.text("interval")
        if (
            not coin
            or not coin.isprintable()
            or coin != coin.strip()
            or len(coin) > LONGEST_TEXT
        ):
            raise about.wrong("coin", TEXT, coin)
        if interval not in INTERVALS:
            raise about.wrong("interval", "a count of minutes, hours or days as HOUR", interval)
        both = [name for name in ("points", "flat_points") if name in series.value]
        if len(both) != 1:
            found = " and ".join(both) or "neither"
            raise SourceError(f"{series.where}: must hold points or flat_points, holds {found}")
        read = _flat if both == ["flat_points"] else _nested
        for where, level_ts, levels in read(series, unknown):
            px, volume = _levels(levels, where)
            known_ts = level_ts + INTERVALS[interval]
            yield Point(where, coin, interval, level_ts, known_ts, px, volume)


def _nested(series: Fields, unknown: Counter[str]) -> Iterator[tuple[str, datetime, list]]:
    """Yield where a point is, its moment and its levels, of ``points``."""
    for each in series.objects("points"):
        unknown.update(f"points.{name}" for name in sorted(each.value.keys() - {"Point"}))
        point = each.object("Point")
        odd = sorted(point.value.keys() - KNOWN_OF_POINT)
        unknown.update(f"Point.{name}" for name in odd)
        stamp = point.object("timestamp")
        unknown.update(f"timestamp.{name}" for name in sorted(stamp.value.keys() - {"s"}))
        seconds = stamp.integer("s")
        level_ts = _moment(seconds * 1_000_000, stamp.where, seconds)
        levels = point.value.get("levels")
        if not isinstance(levels, list):
            raise point.wrong("levels", "a list", levels)
        yield point.where, level_ts, levels


def _flat(series: Fields, _: Counter[str]) -> Iterator[tuple[str, datetime, list]]:
    """Yield the same of ``flat_points``: count, microseconds, that many pairs, and again."""
    flat = series.value["flat_points"]
    if not isinstance(flat, list):
        raise series.wrong("flat_points", "a list", flat)
    at = number = 0
    while at < len(flat):
        where = f"{series.where} flat_points {number}"
        count, micros = (
            _whole(flat[i] if i < len(flat) else None, where) for i in (at, at + 1)
        )
        end = at + 2 + 2 * count
        if count < 0 or end > len(flat):
            follow = max(0, len(flat) - at - 2)
            raise SourceError(f"{where}: must hold {count} levels, {follow} numbers follow")
        yield where, _moment(micros, where, micros), flat[at + 2 : end]
        at, number = end, number + 1


def _levels(levels: list, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return prices and volumes of a flat list of both."""
    if not set(map(type, levels)) <= {int, float}:
        odd = next(n for n, each in enumerate(levels) if type(each) not in (int, float))
        raise SourceError(f"{where}: levels {odd} must be a number, is {shown(levels[odd])}")
    if len(levels) % 2:
        raise SourceError(f"{where}: levels must be pairs, are {len(levels)} numbers")
    values = np.array(levels, dtype=np.float64)
    px, volume = values[0::2], values[1::2]
    rising = np.diff(px, prepend=0.0) > 0
    for broken, must, offset in (
        (~np.isfinite(values), "must be finite", 0),
        (~np.repeat(rising, 2), "must be above 0 and the price before", 0),
        (~np.repeat(volume >= 0, 2), "must be 0 or more", 1),
    ):
        if broken.any():
            at = int(broken.argmax()) + offset
            raise SourceError(f"{where}: levels {at} {must}, is {shown(levels[at])}")
    return px, volume


def _whole(value: Any, where: str) -> int:
    """Return a whole number that JSON may hold as 1.77e+15."""
    if type(value) not in (int, float) or not abs(value) < 2**53 or value != int(value):
        raise SourceError(f"{where}: must begin with two whole numbers, has {shown(value)}")
    return int(value)


def _moment(micros: int, where: str, found: int) -> datetime:
    moment = from_micros(micros)
    if moment is None:
        must = f"between {EARLIEST.year} and {LATEST.year - 1}"
        raise SourceError(f"{named(where)}: timestamp must be {must}, is {found}")
    return moment
