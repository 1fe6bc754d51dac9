"""This module lets a study's own tests judge strategies on many made-up markets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from backtest.daily import daily_of
from backtest.findings.find import Findings, find
from backtest.findings.ratio import ratio
from backtest.findings.reading import Reading, read
from backtest.hurdles import LEVEL, shows_edge
from backtest.placebos.play import play_placebos
from backtest.pooled import attempts_of
from backtest.statistics.comparison import compare
from backtest.strategies.strategy import Strategy
from backtest.study import Played
from backtest.trials import Trials, trials_of
from tests.backtest.edge_worlds.world import World, played

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """What a study says of one strategy in one world.

    Attributes
    ----------
    readings
        Mean attempt under every reading.
    better
        Whether it is better than the same rule without the map, under every reading; null: it
        knows none.
    deflated
        Deflated Sharpe ratio; null: not known.
    """

    readings: tuple[Reading, ...]
    better: bool | None
    deflated: float | None

    @property
    def first(self) -> Reading:
        """Return the pessimistic reading."""
        return self.readings[0]

    @property
    def hopeful(self) -> bool:
        """Return whether it stands all of a verdict's tests that need no placebo."""
        return (
            self.better is not False
            and all(one.sign > 0 for one in self.readings)
            and self.deflated is not None
            and self.deflated >= 1 - LEVEL
        )


def judge(world: World, strategies: Sequence[Strategy]) -> list[Judged]:
    """Return what studies of one world say, strategy by strategy, before any placebo."""
    tapes = world.tapes()
    return [judged_of(played(world, tapes, strategy)) for strategy in strategies]


def judged_of(study: Played) -> Judged:
    """Return what a study says, before any placebo."""
    bounds = dict.fromkeys(one.replay.bound for one in study.own)
    pairs = [(run.bars, run.replay) for run in study.of("pessimistic")]
    return Judged(
        tuple(read(bound, study.of(bound)) for bound in bounds),
        all(_better(study, bound) for bound in bounds) if study.base else None,
        ratio(daily_of(pairs), _trials(study)).deflated,
    )


def _better(study: Played, bound: str) -> bool:
    own, base = (
        attempts_of([(run.bars, run.replay) for run in study.of(bound, base=base)])
        for base in (False, True)
    )
    rng = np.random.default_rng(study.question.seed)
    p = compare(own.returns, own.days, base.returns, base.days, rng).p
    return p is not None and p <= LEVEL


def _trials(study: Played) -> Trials:
    return Trials.of(np.array([row["sharpe"] for row in trials_of(study)], float))


def found(world: World, strategy: Strategy) -> Findings:
    """Return all that a study of a world finds, placebos included."""
    study = played(world, world.asked(), strategy)
    return find(study, play_placebos(study), _trials(study), world.seed)


def is_edge(world: World, strategy: Strategy) -> bool:
    """Return whether a study of a world says that there is an edge.

    Placebos are not asked where the rest has said no already: an edge needs all of it.
    """
    (judged,) = judge(world, [strategy])
    return judged.hopeful and shows_edge(found(world, strategy))


@contextmanager
def workers() -> Iterator[Callable[[Iterable[World], Callable[[World], object]], list]]:
    """Yield :func:`over` for whoever asks often: starting takes 8 s of a core."""
    # New processes, as threads of this one may hold locks that a copy would wait for.
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        yield lambda worlds, asked: list(pool.map(asked, worlds, chunksize=2))


def over(worlds: Iterable[World], asked: Callable[[World], object]) -> list:
    """Return what each world answers, in order, on two cores."""
    with workers() as each:
        return each(worlds, asked)
