"""This module plays the placebos of a study, account by account, and pools them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.again import together
from backtest.decisions import Decisions
from backtest.flow import Flow
from backtest.one_account import in_accounts
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

    def decide(self, name: str, draw: int) -> Decisions | None:
        """Return what a draw of a placebo decides; None: it means nothing here.

        Raises
        ------
        Widened
            If it is not to be had from the maps that were held: once, at most.
        """
        try:
            made = self._decide(name, draw)
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

    def _decide(self, name: str, draw: int) -> Decisions | None:
        if name == TIMES:
            run, rng = self.own, self.rng(TIMES, draw)
            px = run.bars.close_px
            return random_times(run.decisions, run.replay, px, allowed(self.tape), rng)
        flow, atlas = self.looked.flow, self.atlas
        bars = self.tape.bars
        if atlas is None and (flow is None or name == DISTANCE):
            return None
        if name == SHUFFLED:
            return self._shuffled(draw)
        read = None if atlas is None else atlas.reader()
        if name == MIRRORED:
            maps = read and mirrored_maps(read, anchor_of(bars))
            return self._shown(maps, flow and mirrored_flow(flow))
        if name == DISTANCE:
            return self._shown(distance_only(read), flow)
        return self._shown(read and yesterdays_maps(read), flow and yesterdays_flow(flow, bars))

    def _shuffled(self, draw: int) -> Decisions | None:
        """Return one draw; None: there is nothing to shuffle with."""
        rng, flow = self.rng(SHUFFLED, draw), self.looked.flow
        maps = None if self.atlas is None else shuffled_maps(self.atlas, rng)
        other = None if flow is None else shuffled_flow(flow, self.tape.bars, rng)
        if (self.atlas and maps is None) or (flow and other is None):
            return None
        return self._shown(maps, other)

    def _shown(self, maps: MapReader | None, flow: Flow | None) -> Decisions:
        return decided(self.tape, self.own.strategy, maps, flow)


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
        what it is; where that is so of all coins there is no such placebo.  Coins of one
        account are decided on first, and then replayed in it.
    """
    question = played.question
    found: dict[str, list[list[Draw]]] = {name: [] for name in NAMES}
    own = played.of("pessimistic")

    # A draw is one of all coins, as what they do together is no less so for a placebo.
    def rng(name: str, draw: int) -> Rng:
        return np.random.default_rng([question.seed, NAMES.index(name), draw])

    done, kept = 0, []
    pairs = list(zip(played.tapes, own, strict=True))
    for account in in_accounts(pairs, question.account):
        coins = [
            CoinPlacebos(tape, run, look(tape, run.strategy), rng) for tape, run in account
        ]
        for name in NAMES:
            if progress is not None:
                said = ", ".join(one.tape.coin for one in coins)
                progress(f"{name} {said}", done, len(own))
            draws = question.draws if name in DRAWN else 1
            found[name].append(_drawn(coins, name, draws))
        kept.append(_draw(coins, [run.replay for _, run in account]))
        done += len(coins)
    if progress is not None:
        progress("placebos", len(own), len(own))
    return [
        Placebo(name, name in DRAWN, _pooled(drawn, kept))
        for name, drawn in found.items()
        if any(drawn)
    ]


def _drawn(coins: Sequence[CoinPlacebos], name: str, draws: int) -> list[Draw]:
    """Return the draws of a placebo on an account; none where it means nothing there."""
    while True:
        try:
            return list(_each_draw(coins, name, draws))
        except Widened:
            continue


def _each_draw(coins: Sequence[CoinPlacebos], name: str, draws: int) -> Iterator[Draw]:
    for draw in range(draws):
        made = [one.decide(name, draw) for one in coins]
        if all(one is None for one in made):
            return
        decisions = [
            one.own.decisions if other is None else other
            for one, other in zip(coins, made, strict=True)
        ]
        yield _draw(coins, together([one.tape for one in coins], decisions))


def _draw(coins: Sequence[CoinPlacebos], replays: Sequence[Replay]) -> Draw:
    """Return what came of a draw on an account, of its coins' shares."""
    pairs = [(one.tape.period, share) for one, share in zip(coins, replays, strict=True)]
    pnl = sum(share.trades["pnl"].sum() for share in replays)
    return Draw(attempts_of(pairs), float(pnl))


def _pooled(drawn: list[list[Draw]], kept: list[Draw]) -> tuple[Draw, ...]:
    """Return each draw of all accounts; of one without draws, what was ``kept``."""
    many = max(map(len, drawn))
    filled = [draws or [own] * many for draws, own in zip(drawn, kept, strict=True)]
    return tuple(
        Draw(pooled([draw.attempts for draw in draws]), float(sum(draw.pnl for draw in draws)))
        for draws in zip(*filled, strict=True)
    )
