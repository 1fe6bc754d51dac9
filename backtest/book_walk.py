"""This module walks recorded order books: what orders of each size would have paid."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Levels:
    """One side of several books, best level first.

    Attributes
    ----------
    px : float64[m]
        USD.
    size : float64[m]
        Coins.
    first : int64[r]
        First level of each book; none is empty.
    """

    px: np.ndarray
    size: np.ndarray
    first: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """Return the best price of each book, USD."""
        return self.px[self.first]

    @property
    def coins(self) -> np.ndarray:
        """Return what rests in each book, coins."""
        return np.add.reduceat(self.size, self.first)


def walk(levels: Levels, mid: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return how far from the mid orders fill on average.

    Parameters
    ----------
    levels
        Of ``r`` books, the side that the orders take from; each holds something.
    mid : float64[r]
        USD.
    sizes : float64[k]
        USD at the mid.

    Returns
    -------
    float64[r, k]
        Fraction of the mid; half the spread is in it.  Where a book ends before the size, its
        last average grows as the square root of size, as impact does.
    """
    counts = np.diff(np.append(levels.first, levels.size.size))
    book = np.repeat(np.arange(levels.first.size), counts)
    through = np.cumsum(levels.size)
    start = np.concatenate([[0.0], through])[levels.first]
    before = through - levels.size - start[book]
    rests = levels.coins
    out = np.empty((levels.first.size, sizes.size))
    for k, size in enumerate(sizes):
        wanted = size / mid
        taken = np.clip(wanted[book] - before, 0.0, levels.size)
        paid = np.add.reduceat(taken * levels.px, levels.first)
        average = paid / np.add.reduceat(taken, levels.first)
        out[:, k] = np.abs(average / mid - 1.0) * np.sqrt(np.maximum(wanted / rests, 1.0))
    return out


def is_sound(bids: Levels, asks: Levels) -> np.ndarray:
    """Return, bool[r], whether each book can be walked: it holds something, not crossed."""
    return (bids.best < asks.best) & (bids.coins > 0) & (asks.coins > 0)
