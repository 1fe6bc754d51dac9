"""This module shows a rule maps of other moments, and flow of other days.

If a map of any other moment, moved to the price of now, does as well, then nothing was learned
from this one.  All maps that were asked for, and all days, take part: what a shuffle breaks is
only which of them stands where.  They are moved on as one, those of all coins by the same
moments: maps that follow each other are alike, so are those of several coins, and a shuffle
that broke that too would even out the luck that it is there to show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.placebos.atlas import Atlas
from backtest.placebos.flow_rows import flow_of_rows, rows_starting
from backtest.view import MapReader


@dataclass(frozen=True, slots=True)
class Turns:
    """Moments of all coins, and how far each draw moves on among them.

    Attributes
    ----------
    moments : datetime64[s]
        Rising, each once; the first follows the last.
    on : int64[d]
        How many moments further each draw takes, of which none takes as many as another: there
        are no more draws than ways to shuffle.
    """

    moments: np.ndarray
    on: np.ndarray

    def others(self, own: np.ndarray, draw: int) -> np.ndarray:
        """Return the number of the one of ``own`` that stands in each one's place.

        Parameters
        ----------
        own : datetime64[k]
            Moments of one coin, rising.
        draw
            Which of the draws.

        Returns
        -------
        int64[k]
            That of the moment drawn; where the coin has none then, its newest before, round the
            start its last.

        >>> all_of = np.arange("2026-01-01", "2026-01-05", dtype="datetime64[D]")
        >>> Turns(all_of, np.array([3])).others(all_of, 0).tolist()
        [3, 0, 1, 2]
        """
        here = np.searchsorted(self.moments, own, side="right") - 1
        there = self.moments[(here + self.on[draw]) % self.moments.size]
        # Before its first comes its last: -1.
        return (np.searchsorted(own, there, side="right") - 1) % max(own.size, 1)


def turns(parts: Sequence[np.ndarray], draws: int, rng: np.random.Generator) -> Turns:
    """Return up to ``draws`` ways to move on among the moments of all coins.

    Parameters
    ----------
    parts
        Moments of each coin.
    draws
        How many are wanted; of ``s`` moments there are ``s - 1`` at most.
    rng
        Where they come from.
    """
    moments = np.unique(np.concatenate(parts))
    return Turns(moments, rng.permutation(np.arange(1, moments.size))[:draws])


def shuffled_maps(atlas: Atlas, turned: Turns, draw: int) -> MapReader:
    """Return a reader in which each map stands where another was.

    Parameters
    ----------
    atlas
        The maps; all closes that one snapshot answers see the same other one.
    turned
        By moments of snapshots.
    draw
        Which of its draws.
    """
    return atlas.reader(turned.others(atlas.snapshots, draw))


def shuffled_flow(flow: Flow, bars: Bars, turned: Turns, draw: int) -> Flow:
    """Return flow in which each UTC day has that of another, at the same time of day.

    Parameters
    ----------
    flow
        One row per bar.
    bars
        With their warm-up.
    turned
        By days.
    draw
        Which of its draws.

    Returns
    -------
    Flow
        Not known where the other day has no bar.
    """
    day, days = bars.start.astype("datetime64[D]"), days_of_flow(bars)
    other = days[turned.others(days, draw)][np.searchsorted(days, day)]
    return flow_of_rows(flow, rows_starting(bars.start, other + (bars.start - day)))


def days_of_flow(bars: Bars) -> np.ndarray:
    """Return the UTC days of bars, each once, datetime64[D][d]."""
    return np.unique(bars.start.astype("datetime64[D]"))
