"""This module plays the placebos of a study, coin by coin, and pools what came of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.again import again
from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.flow import Flow
from backtest.placebos.anchor import anchor_of
from backtest.placebos.atlas import Atlas, NotHeld
from backtest.placebos.distance_only import distance_only
from backtest.placebos.looked import Looked, decided, look
from backtest.placebos.mirrored import mirrored_flow, mirrored_maps
from backtest.placebos.placebo import Draw, Placebo
from backtest.placebos.random_times import random_times
from backtest.placebos.shuffled import shuffled_flow, shuffled_maps
from backtest.placebos.yesterday import yesterdays_flow, yesterdays_maps
from backtest.pooled import attempts_of, pooled
from backtest.replay import Replay
from backtest.runs import Run
from backtest.study import Played, Progress
from backtest.tape import Tape
from backtest.view import REACH_PCT, MapReader

TIMES, MIRRORED, SHUFFLED = "random times", "mirrored", "shuffled"
DISTANCE, YESTERDAY = "distance only", "yesterday"
NAMES = (TIMES, MIRRORED, SHUFFLED, DISTANCE, YESTERDAY)
DRAWN = (TIMES, SHUFFLED)

Rng = np.random.Generator


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
    draws
        How many of each that is drawn.
    """

    tape: Tape
    own: Run
    looked: Looked
    rng: Callable[[str, int], Rng]
    draws: int

    @cached_property
    def atlas(self) -> Atlas | None:
        """Return the maps that the rule asked for; None: it asks for none."""
        reach = self.looked.reach_pct
        return None if reach is None else Atlas(self.tape, self.looked.asked, reach)

    def of(self, name: str) -> list[Replay]:
        """Return the replays of a placebo, draw by draw; none where it means nothing here."""
        try:
            return self._of(name)
        except NotHeld:
            # What it asks for hangs on what it is told: it may ask at every close then.
            reach = max(self.looked.reach_pct or 0.0, REACH_PCT)
            self.__dict__["atlas"] = Atlas(self.tape, askable(self.tape), reach)
            return self._of(name)

    def _of(self, name: str) -> list[Replay]:
        if name == TIMES:
            return [self._at_random(draw) for draw in range(self.draws)]
        flow, atlas = self.looked.flow, self.atlas
        bars = self.tape.bars
        if atlas is None and (flow is None or name == DISTANCE):
            return []
        if name == SHUFFLED:
            drawn = [self._shuffled(draw) for draw in range(self.draws)]
            # A replay without trades is false, and a draw all the same.
            return [one for one in drawn if one is not None]
        read = None if atlas is None else atlas.reader()
        if name == MIRRORED:
            maps = read and mirrored_maps(read, anchor_of(bars))
            return [self._shown(maps, flow and mirrored_flow(flow))]
        if name == DISTANCE:
            return [self._shown(distance_only(read), flow)]
        return [
            self._shown(read and yesterdays_maps(read), flow and yesterdays_flow(flow, bars))
        ]

    def _at_random(self, draw: int) -> Replay:
        run, rng = self.own, self.rng(TIMES, draw)
        px = run.bars.close_px
        return self._replayed(
            random_times(run.decisions, run.replay, px, allowed(self.tape), rng)
        )

    def _shuffled(self, draw: int) -> Replay | None:
        """Return one draw; None: there is nothing to shuffle with."""
        rng, flow = self.rng(SHUFFLED, draw), self.looked.flow
        maps = None if self.atlas is None else shuffled_maps(self.atlas, rng)
        other = None if flow is None else shuffled_flow(flow, self.tape.bars, rng)
        if (self.atlas and maps is None) or (flow and other is None):
            return None
        return self._shown(maps, other)

    def _shown(self, maps: MapReader | None, flow: Flow | None) -> Replay:
        return self._replayed(decided(self.tape, self.own.strategy, maps, flow))

    def _replayed(self, decisions: Decisions) -> Replay:
        side = np.where(allowed(self.tape), decisions.side, 0)
        return again(self.tape, decisions.but(side=side))


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


def play_placebos(played: Played, progress: Progress | None = None) -> list[Placebo]:
    """Play every placebo that means something for a rule.

    Parameters
    ----------
    played
        The study; its question says how many draws and from which seed.
    progress
        Told the placebo, how many coins are done, of how many.

    Returns
    -------
    list
        Random times of any rule that was played; of a rule that asks for maps or flow also the
        others.  A coin that has nothing to be shuffled with (a single snapshot or day) keeps
        what it is; where that is so of all coins there is no such placebo.
    """
    question = played.question
    found: dict[str, list[list[Draw]]] = {name: [] for name in NAMES}
    coins = list(zip(played.tapes, played.of("pessimistic"), strict=True))

    # A draw is one of all coins, as what they do together is no less so for a placebo.
    def rng(name: str, draw: int) -> Rng:
        return np.random.default_rng([question.seed, NAMES.index(name), draw])

    for number, (tape, own) in enumerate(coins):
        one = CoinPlacebos(tape, own, look(tape, own.strategy), rng, question.draws)
        for name in NAMES:
            if progress is not None:
                progress(f"{name} {tape.coin}", number, len(coins))
            found[name].append([_draw(tape.period, replayed) for replayed in one.of(name)])
    if progress is not None:
        progress("placebos", len(coins), len(coins))
    kept = [_draw(tape.period, own.replay) for tape, own in coins]
    return [
        Placebo(name, name in DRAWN, _pooled(drawn, kept))
        for name, drawn in found.items()
        if any(drawn)
    ]


def _draw(bars: Bars, replayed: Replay) -> Draw:
    return Draw(attempts_of([(bars, replayed)]), float(replayed.trades["pnl"].sum()))


def _pooled(drawn: list[list[Draw]], kept: list[Draw]) -> tuple[Draw, ...]:
    """Return each draw of all coins; of a coin without draws, what was ``kept``."""
    many = max(map(len, drawn))
    filled = [draws or [own] * many for draws, own in zip(drawn, kept, strict=True)]
    return tuple(
        Draw(pooled([draw.attempts for draw in draws]), float(sum(draw.pnl for draw in draws)))
        for draws in zip(*filled, strict=True)
    )
