"""This module decides the placebos of one coin: what the rule does where it is shown them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.decisions import Decisions
from backtest.flow import Flow
from backtest.placebos.anchor import anchor_of
from backtest.placebos.atlas import Atlas, NotHeld
from backtest.placebos.days_alike import DaysAlike
from backtest.placebos.distance_only import distance_only
from backtest.placebos.looked import Looked, decided
from backtest.placebos.mirrored import mirrored_flow, mirrored_maps
from backtest.placebos.random_times import random_times
from backtest.placebos.shuffled import (
    Turns,
    shuffled_flow,
    shuffled_maps,
)
from backtest.placebos.yesterday import yesterdays_flow, yesterdays_maps
from backtest.runs import Run
from backtest.tape import Tape
from backtest.view import REACH_PCT, MapReader

TIMES, MIRRORED, SHUFFLED = "random times", "mirrored", "shuffled"
DISTANCE, YESTERDAY = "distance only", "yesterday"
NAMES = (TIMES, MIRRORED, SHUFFLED, DISTANCE, YESTERDAY)
DRAWN = (TIMES, SHUFFLED)

Rng = np.random.Generator


class Widened(Exception):
    """A placebo asked for maps that were not held; they are now, and it begins anew."""


@dataclass(frozen=True)
class CoinPlacebos:
    """The placebos of one coin.

    Attributes
    ----------
    tape
        What the venue did.
    own
        The rule's run, pessimistic reading.
    looked
        What the rule asked for.
    rng
        Gives the numbers of a placebo's draw.
    """

    tape: Tape
    own: Run
    looked: Looked
    rng: Callable[[str, int], Rng]

    @cached_property
    def atlas(self) -> Atlas | None:
        """Return the maps that the rule asked for; None: it asks for none."""
        reach = self.looked.reach_pct
        return None if reach is None else Atlas(self.tape, self.looked.asked, reach)

    def decide(self, name: str, draw: int, lots: "Lots") -> Decisions | None:
        """Return what a draw of a placebo decides; None: it means nothing here.

        Raises
        ------
        Widened
            If it is not to be had from the maps that were held: once, at most.
        """
        try:
            made = self._decide(name, draw, lots)
        except NotHeld:
            if self.wide:
                raise
            # What it asks for hangs on what it is told: it may ask at every close then.
            reach = max(self.looked.reach_pct or 0.0, REACH_PCT)
            self.__dict__["atlas"] = Atlas(self.tape, askable(self.tape), reach)
            self.__dict__["wide"] = True
            raise Widened from None
        if made is None:
            return None
        return made.but(side=np.where(allowed(self.tape), made.side, 0))

    @cached_property
    def wide(self) -> bool:
        """Return whether the maps of every close are held."""
        return False

    def _decide(self, name: str, draw: int, lots: "Lots") -> Decisions | None:
        if name == TIMES:
            run, rng = self.own, self.rng(TIMES, draw)
            places = allowed(self.tape)
            return random_times(run.decisions, run.replay, run.bars, places, lots.alike, rng)
        flow, atlas = self.looked.flow, self.atlas
        bars = self.tape.bars
        if atlas is None and (flow is None or name == DISTANCE):
            return None
        if name == SHUFFLED:
            maps = atlas and lots.maps and shuffled_maps(atlas, lots.maps, draw)
            other = flow and lots.days and shuffled_flow(flow, bars, lots.days, draw)
            return self._shown(maps, other)
        read = None if atlas is None else atlas.reader()
        if name == MIRRORED:
            maps = read and mirrored_maps(read, anchor_of(bars))
            return self._shown(maps, flow and mirrored_flow(flow))
        if name == DISTANCE:
            return self._shown(distance_only(read), flow)
        return self._shown(read and yesterdays_maps(read), flow and yesterdays_flow(flow, bars))

    def _shown(self, maps: MapReader | None, flow: Flow | None) -> Decisions:
        return decided(self.tape, self.own.strategy, maps, flow)


@dataclass(frozen=True, slots=True)
class Lots:
    """What is drawn for all coins alike, as what they do together is no less so for a placebo.

    Attributes
    ----------
    alike
        Days that entries may move to.
    maps, days
        How snapshots and days of flow move on; null: the rule asks for none.
    draws
        How many draws there are of each placebo that is drawn: as many as asked for, or as
        there are others.
    """

    alike: DaysAlike
    maps: Turns | None
    days: Turns | None
    draws: dict[str, int]


def askable(tape: Tape) -> np.ndarray:
    """Return, bool[n], the closes at which a map may be asked for, as a view has it."""
    rows = np.arange(len(tape.bars))
    return (rows >= tape.bars.warmup) & (rows < len(tape.bars) - 1)


def allowed(tape: Tape) -> np.ndarray:
    """Return, bool[n], the closes of the period after which every fill's cost is known."""
    unknown = np.isnan(tape.slippage.curves).any(axis=(1, 2))[tape.slippage.row]
    n = len(tape.period)
    first = int(np.flatnonzero(unknown)[-1]) if unknown.any() else 0
    rows = np.arange(n)
    return (rows >= first) & (rows < n - 1)
