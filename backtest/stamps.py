"""This module lays the payments that fall due within bars on the bars, and on finer ones."""

from typing import NamedTuple

import numpy as np

from backtest.bars import Bars


class Stamps(NamedTuple):
    """Payments of funding after the open of a bar and before its close.

    Attributes
    ----------
    ts : datetime64[us][k]
        UTC, increasing.
    paid : float64[k]
        What longs pay to shorts, USD a coin.
    """

    ts: np.ndarray
    paid: np.ndarray

    @classmethod
    def none(cls) -> "Stamps":
        """Return that nothing falls due within any bar."""
        return cls(np.zeros(0, "datetime64[us]"), np.zeros(0))


class Due(NamedTuple):
    """What falls due on bars, USD a coin.

    Attributes
    ----------
    opening : float64[n]
        What longs pay at the open.
    by_longs, by_shorts : float64[n]
        Within the bar: the sum of what longs pay, and of what shorts do.
    """

    opening: np.ndarray
    by_longs: np.ndarray
    by_shorts: np.ndarray

    def add(self, rows: np.ndarray, paid: np.ndarray) -> None:
        """Add payments within bars ``rows``."""
        np.add.at(self.by_longs, rows, np.maximum(paid, 0.0))
        np.add.at(self.by_shorts, rows, np.maximum(-paid, 0.0))


def rows_within(bars: Bars, moments: np.ndarray) -> np.ndarray:
    """Return, int64[k], the bar that each moment lies in after its open; -1: in none."""
    row = np.searchsorted(bars.start, moments, side="left") - 1
    lies = (row >= 0) & (moments < bars.end[np.maximum(row, 0)])
    return np.where(lies, row, -1)


def on_bars(stamps: Stamps, bars: Bars) -> Due:
    """Return what falls due within each bar.

    Raises
    ------
    ValueError
        If a stamp does not lie within a bar, or a payment is missing.
    """
    due = Due(*np.zeros((3, len(bars))))
    row = rows_within(bars, stamps.ts)
    if (row < 0).any() or not np.isfinite(stamps.paid).all():
        raise ValueError("payments within bars must lie within them, and none may be missing")
    due.add(row, stamps.paid)
    return due


def on_finer(
    stamps: Stamps, bars: Bars, inner: Bars, first: np.ndarray, last: np.ndarray
) -> Due:
    """Return what falls due on the finer bars of some bars.

    Parameters
    ----------
    stamps
        Payments within ``bars``.
    bars
        Of the period.
    inner
        Finer bars.
    first, last : int64[n]
        Those of each bar are ``first`` to ``last - 1``; alike: it has none.

    Returns
    -------
    Due
        A stamp belongs to the finer bar in which it lies; where it lies in none, for nothing
        traded then, to the open of the next, and after the last to that one.
    """
    due = Due(*np.zeros((3, len(inner))))
    row = rows_within(bars, stamps.ts)
    has = first[row] < last[row]
    ts, paid, row = stamps.ts[has], stamps.paid[has], row[has]
    lies = rows_within(inner, ts)
    after = np.searchsorted(inner.start, ts)
    opens = (lies < first[row]) & (after < last[row])
    np.add.at(due.opening, after[opens], paid[opens])
    inside = np.where(lies < first[row], last[row] - 1, lies)
    due.add(inside[~opens], paid[~opens])
    return due
