"""This module holds all maps that a rule asked for, and those of a day before, to ask anew.

Every placebo of the map is answered from here, so that the lake is read once for all of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.bars import as_utc
from backtest.maps import Maps
from backtest.placebos.anchor import anchor_of
from backtest.placebos.shapes import Shapes, read_shapes
from backtest.placebos.yesterday import DAY
from backtest.tape import Tape
from backtest.view import MapReader

MOMENTS_AT_ONCE = 512


class NotHeld(LookupError):
    """A moment or a reach was asked for that the atlas was not made for."""


@dataclass(frozen=True)
class Atlas:
    """Maps of one coin as shapes, by the moments that ask.

    Attributes
    ----------
    tape
        What the venue did, and what was known of it when.
    asked : bool[n]
        Closes that ask, those of the warm-up included.
    reach_pct
        How far from the price maps are looked at, per cent, at most.
    """

    tape: Tape
    asked: np.ndarray
    reach_pct: float

    @cached_property
    def moments(self) -> np.ndarray:
        """Return, datetime64[us][m], closes that ask and a day before each, rising."""
        closes = self.tape.bars.end[self.asked]
        return np.union1d(closes, closes - DAY)

    @cached_property
    def answering(self) -> np.ndarray:
        """Return, datetime64[us][m], the snapshot that answers at each moment; NaT: none."""
        found = np.full(self.moments.size, "NaT", dtype="datetime64[us]")
        for first in range(0, self.moments.size, MOMENTS_AT_ONCE):
            some = self.moments[first : first + MOMENTS_AT_ONCE]
            rows = self.tape.lake.sql(
                """
                select asked.number, answer.snapshot_ts::timestamp as snapshot_ts
                from (
                    select
                        unnest($moments::timestamptz[]) as moment,
                        unnest(range(len($moments::timestamptz[]))) as number
                ) as asked,
                lateral (from snapshot_at($coin, asked.moment, knowable := $knowable)) as answer
                """,
                params={
                    "coin": self.tape.coin,
                    "moments": [as_utc(moment) for moment in some],
                    "knowable": self.tape.knowable,
                },
            ).pl()
            found[first + rows["number"].to_numpy()] = rows["snapshot_ts"].to_numpy()
        return found

    @cached_property
    def snapshots(self) -> np.ndarray:
        """Return, datetime64[us][s], the snapshots that answer, rising."""
        return np.unique(self.answering[~np.isnat(self.answering)])

    @cached_property
    def px(self) -> np.ndarray:
        """Return, float64[s], the price at each snapshot, USD."""
        return anchor_of(self.tape.bars)(self.snapshots)

    @cached_property
    def _shapes(self) -> Shapes:
        known = ~np.isnat(self.answering)
        number = np.searchsorted(self.snapshots, self.answering[known])
        _, first = np.unique(number, return_index=True)
        bars = self.tape.bars
        # A close asks its own snapshot and that of the day before, of which either may be put
        # in the place of any other.
        away = [np.zeros(1)]
        for late in (np.timedelta64(0, "us"), DAY):
            here = self._numbers(bars.end[self.asked] - late)
            px = bars.close_px[self.asked][here >= 0]
            away.append(np.abs(np.log(px / self.px[here[here >= 0]])))
        span = np.concatenate(away).max() - np.log(1 - self.reach_pct / 100)
        return read_shapes(
            self.tape.lake,
            self.tape.coin,
            self.moments[known][first],
            self.px,
            float(span),
            knowable=self.tape.knowable,
        )

    def _numbers(self, moments: np.ndarray) -> np.ndarray:
        """Return the number of the snapshot that answers at each moment; -1: none does."""
        at = np.searchsorted(self.moments, moments)
        if at.size and (at.max() == self.moments.size or (self.moments[at] != moments).any()):
            raise NotHeld("a moment is asked for that did not ask before")
        answer = self.answering[at]
        found = np.searchsorted(self.snapshots, answer)
        return np.where(np.isnat(answer), -1, found)

    def reader(self, partner: np.ndarray | None = None) -> MapReader:
        """Return a reader of the maps, each where it was or where another was.

        Parameters
        ----------
        partner : int64[s]
            Number of the snapshot that stands in each one's place, moved by the prices at
            both; null: its own.

        Raises
        ------
        NotHeld
            By the reader: if it is asked for more than the atlas was made for.
        """

        def read(
            asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
        ) -> Maps:
            if reach_pct > self.reach_pct:
                raise NotHeld(f"reach_pct {reach_pct} is more than {self.reach_pct}")
            rows = np.flatnonzero(asked)
            number = self._numbers(moments[rows])
            rows, number = rows[number >= 0], number[number >= 0]
            middle = self.px[number]
            at = np.log(px[rows] / middle)
            high = at + np.log(1 + reach_pct / 100)
            low = at + np.log(1 - reach_pct / 100)
            other = number if partner is None else partner[number]
            shapes, maps = self._shapes, Maps.unknown(px.size)
            above = shapes.clusters["short"].largest(other, at, high)
            below = shapes.clusters["long"].largest(other, low, at)
            maps.snapshot_ts[rows] = self.snapshots[number]
            maps.short_above[rows] = shapes.between("short", other, at, high)
            maps.long_below[rows] = shapes.between("long", other, low, at)
            maps.cluster_above[rows] = middle * np.exp(above)
            maps.cluster_below[rows] = middle * np.exp(below)
            return maps

        return read
