"""This module lays the bars of many coins side by side, as a sweep's kernel takes them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backtest.bars import Bars
from backtest.kernels import skip
from backtest.leg import Leg
from backtest.records import SETTING

AN_INSTANT = np.timedelta64(1, "us")


class Flat(NamedTuple):
    """Legs as :func:`backtest.kernels.sweep.sweep` takes them.

    Attributes
    ----------
    market, sides, upcoming, targets, ends
        See there.
    curves
        Slippage, see :mod:`backtest.kernels.prices`; rows as in ``market``.
    places : SETTING[k]
        Where each leg lies; what is tried on it is not filled in.
    day : datetime64[D][d]
        Days of all legs, UTC.
    """

    market: tuple[np.ndarray, ...]
    sides: np.ndarray
    upcoming: np.ndarray
    targets: np.ndarray
    ends: np.ndarray
    curves: np.ndarray
    places: np.ndarray
    day: np.ndarray


def lay_flat(legs: Sequence[Leg]) -> Flat:
    """Lay legs side by side; bars that legs share lie there once."""
    day = np.unique(np.concatenate([days_of(leg.bars) for leg in legs]))
    places = np.zeros(len(legs), SETTING)
    columns, ends, targets, curves = [], [], [], []
    used = ending = aiming = curved = begun = 0
    known: dict[tuple[int, ...], np.ndarray] = {}
    for place, leg in zip(places, legs, strict=True):
        n = len(leg.bars)
        key = tuple(map(id, (leg.bars, leg.funding_rate, leg.slippage, leg.oracle_px)))
        if key not in known:
            columns.append(_columns(leg, curved))
            curves.append(leg.slippage.curves)
            curved += leg.slippage.curves.shape[0]
            last, first_day = _last_bars(leg.bars, day)
            place["origin"], place["ends"] = used, ending
            place["day"], place["days"] = first_day, last.size
            ends.append(used + last)
            known[key] = place
            ending += last.size
            used += columns[-1][0].size
        else:
            for name in ("origin", "ends", "day", "days"):
                place[name] = known[key][name]
        place["first"], place["last"] = place["origin"], place["origin"] + n
        place["sides"], place["targets"] = begun, -1
        if not np.isnan(leg.decisions.target_px).all():
            place["targets"] = aiming
            targets.append(leg.decisions.target_px)
            aiming += n
        begun += n
    flat = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    sides = np.concatenate([leg.decisions.side for leg in legs])
    starts = np.append(places["sides"], begun)
    return Flat(
        (*flat[:4], *skip.blocks(flat[1], flat[2]), *flat[4:]),
        sides,
        skip.next_signals(sides, starts),
        np.concatenate(targets) if targets else np.zeros(0),
        np.concatenate(ends),
        np.concatenate(curves),
        places,
        day,
    )


def days_of(bars: Bars) -> np.ndarray:
    """Return the UTC day in which each bar closes; a close at midnight is the day's before."""
    return days_ending(bars.end)


def days_ending(end: np.ndarray) -> np.ndarray:
    """Return the UTC day of bars that close at ``end``, as :func:`days_of` does."""
    return (end - AN_INSTANT).astype("datetime64[D]")


def _last_bars(bars: Bars, day: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the last bar of each of the bars' days, and the number of the first of them."""
    mine = days_of(bars)
    last = np.flatnonzero(np.append(mine[1:] != mine[:-1], True))
    first, end = np.searchsorted(day, [mine[0], mine[-1]])
    # A day without bars ends where the one before did.
    found = np.searchsorted(mine[last], day[first : end + 1], side="right") - 1
    return last[found], int(first)


def _columns(leg: Leg, curves: int) -> tuple[np.ndarray, ...]:
    """Return prices, what funding has come to, and rows of curves, padded to whole blocks."""
    bars = leg.bars
    paid_on = bars.open_px
    if leg.oracle_px is not None:
        paid_on = np.where(np.isnan(leg.oracle_px), bars.open_px, leg.oracle_px)
    made = (
        bars.open_px,
        bars.high_px,
        bars.low_px,
        bars.close_px,
        np.cumsum(leg.funding_rate * paid_on),
        leg.slippage.row + curves,
        leg.slippage.forced + curves,
    )
    missing = -len(bars) % skip.BLOCK
    return tuple(np.concatenate([column, np.repeat(column[-1:], missing)]) for column in made)
