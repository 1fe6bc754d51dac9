"""This module says which events share a stretch of time, so that they count as one observation.

Of events a few hours apart the days after them are the same days, and of several coins they
are one market's.  So events whose windows overlap, whatever their coin, are merged.  Where they
come so often that all are one, what is merged is cut into pieces of equal length.  Neighbours
have in common what lies within a window of the cut: of pieces of three windows so little that
an error which leaves it out is 4 % too small, and is made as much larger [1].

References
----------
.. [1] C. A. Bester, T. G. Conley, C. B. Hansen, "Inference with Dependent Data Using Cluster
   Covariance Estimators", Journal of Econometrics 165(2), 2011: few large neighbouring groups
   of a dependent series, and Student's t with one degree of freedom less than groups.
"""

from typing import NamedTuple

import numpy as np

# A piece is at least so many windows long.
WINDOWS = 3
# Of a long time pieces are longer, not more: more would add next to nothing to Student's t.
MOST = 20
# Sums over a piece of length L, of moves over the W bars that follow, vary by LW - W²/3 alone
# and by W²/6 with each neighbour: of 219 bars and 48, the root of what both add.
NEIGHBOURS = 1.04


class Stretches(NamedTuple):
    """Which stretch each event lies in.

    Attributes
    ----------
    merged
        Events that are left where those of overlapping windows are one.
    number : int64[n]
        Of the stretch, from 0.
    """

    merged: int
    number: np.ndarray

    @property
    def count(self) -> int:
        """Return how many stretches there are."""
        return int(self.number.max()) + 1 if self.number.size else 0

    @property
    def wider(self) -> float:
        """Return how much larger an error is than one of stretches with nothing in common."""
        return NEIGHBOURS if self.count > self.merged else 1.0


def stretches(at: np.ndarray, window: int) -> Stretches:
    """Merge events whose windows overlap, and cut what is longer than two pieces.

    Parameters
    ----------
    at : int64[n]
        Time of each event, in any order and any unit.
    window
        How long what is looked at around an event is, in that unit, above 0.

    Examples
    --------
    >>> stretches(np.array([0, 30, 9, 50]), 10)
    Stretches(merged=3, number=array([0, 1, 0, 2]))
    >>> stretches(np.arange(0, 60, 5), 10)
    Stretches(merged=1, number=array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]))
    """
    if at.size == 0:
        return Stretches(0, np.zeros(0, np.int64))
    order = np.argsort(at, kind="stable")
    sorted_at = at[order].astype(np.int64)
    begins = np.r_[True, np.diff(sorted_at) >= window]
    run = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    last = np.r_[first[1:], at.size] - 1
    span = sorted_at[last] - sorted_at[first] + window
    length = max(WINDOWS * window, int(span.sum()) // MOST)
    pieces = np.maximum(span // length, 1)
    before = np.cumsum(pieces) - pieces
    # In whole numbers an event at a cut falls on the same side whatever the unit.
    piece = (sorted_at - sorted_at[first][run]) * pieces[run] // span[run]
    number = np.empty(at.size, np.int64)
    # A piece without an event is none.
    _, number[order] = np.unique(before[run] + piece, return_inverse=True)
    return Stretches(first.size, number)
