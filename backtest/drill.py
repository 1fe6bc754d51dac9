"""This module reads what happened within bars from the venue's trades, second by second.

It tells what happened there, and not what was known of it, so it counts however late it was
published.  Trades count only where they make up the bar itself: what is missing, doubled or
another's would tell another story than the bar does.
"""

import hashlib
from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import Bars
from backtest.seconds import SPAN, made_up, read_spans

# A second is the finest that a replay has use for: a bar of the venue's own has 60 or more.
WIDTH = np.timedelta64(1_000_000, "us")
# Bars read at once: an hour of a coin has some ten thousand trades, here joined into seconds.
MOST = 2_000

UNREAD, MADE, SILENT, UNLIKE = 0, 1, 2, 3


class Drilled(NamedTuple):
    """What trades told of the bars that were asked for.

    Attributes
    ----------
    seconds
        Those of the bars that trades make up; a second without a trade is not there.
    made
        How many bars these are.
    silent
        Bars of which the lake holds no trade.
    unlike
        Bars whose trades do not make them up: some are not held, or the bar is of other prices.
    """

    seconds: Bars
    made: int
    silent: int
    unlike: int

    def named(self, name: str) -> str:
        """Return the name of a run that was told of these seconds too."""
        if not self.made:
            return name
        digest = hashlib.sha256(name.encode())
        seconds = self.seconds
        for one in (seconds.start, seconds.open_px, seconds.high_px, seconds.low_px):
            digest.update(np.ascontiguousarray(one).tobytes())
        for one in (seconds.close_px, seconds.volume):
            digest.update(np.ascontiguousarray(one).tobytes())
        return digest.hexdigest()[:16]

    @property
    def sentence(self) -> str | None:
        """Return what a reader must know of it; null: the lake holds no trade of these bars."""
        asked = self.made + self.silent + self.unlike
        if asked == self.silent:
            return None
        why = []
        if self.unlike:
            why.append(f"of {self.unlike} the lake's trades do not make up the bar")
        if self.silent:
            why.append(f"of {self.silent} it holds no trade")
        left = f"; not the others: {', '.join(why)}" if why else ""
        return (
            f"{self.made} of {asked} bars in which something happened were drilled into, by "
            f"the second, from the venue's trades{left}."
        )


class Drill:
    """Reads the trades of a coin within its bars, each bar once.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period, whose trades the lake's fills may be.
    """

    def __init__(self, lake: duckdb.DuckDBPyConnection, bars: Bars) -> None:
        self._lake, self._bars = lake, bars
        self._known = np.zeros(len(bars), np.int8)
        self._made = np.zeros(0, SPAN)

    def read(self, asked: np.ndarray) -> Drilled:
        """Return the seconds of bars.

        Parameters
        ----------
        asked : bool[n]
            Which bars.
        """
        new = np.flatnonzero(asked & (self._known == UNREAD))
        for first in range(0, new.size, MOST):
            self._take(new[first : first + MOST])
        told = self._known[asked]
        return Drilled(
            _seconds(self._bars, self._made[asked[self._made["row"]]]),
            *(int((told == kind).sum()) for kind in (MADE, SILENT, UNLIKE)),
        )

    def _take(self, rows: np.ndarray) -> None:
        """Read bars that have not been read."""
        spans = read_spans(self._lake, self._bars, rows)
        self._known[rows] = SILENT
        self._known[spans["row"]] = UNLIKE
        made = made_up(self._bars, spans)
        self._known[made["row"]] = MADE
        self._made = np.sort(np.concatenate([self._made, made]), order="start")


def _seconds(bars: Bars, spans: np.ndarray) -> Bars:
    columns = (spans[name] for name in ("start", "open", "high", "low", "close", "volume"))
    return Bars(bars.coin, bars.venue, bars.source, "1s", WIDTH, *columns)
