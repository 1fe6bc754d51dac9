"""This module finds all that can be said of a study, whatever it says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.bars import Bars
from backtest.daily import daily_of
from backtest.findings.ablation import Ablation, ablate
from backtest.findings.against import Against, against
from backtest.findings.capacity import Capacity, capacity
from backtest.findings.cascade_study import CascadeStudy, cascade_study
from backtest.findings.costs import Split, split
from backtest.findings.excursions import Excursions, excursions
from backtest.findings.months import Month, months
from backtest.findings.plain import as_text, of_text
from backtest.findings.ratio import Ratio, ratio
from backtest.findings.reading import Reading, read
from backtest.findings.reported import Reported, reported, untrusted
from backtest.findings.sturdy import Sturdy, sturdy
from backtest.placebos.placebo import Placebo
from backtest.pooled import attempts_of
from backtest.statistics.bootstrap import Interval, interval, sharpe
from backtest.study import Played
from backtest.trials import Trials


@dataclass(frozen=True, slots=True)
class Subject:
    """What was tested.

    Attributes
    ----------
    rule, variant
        Names, as in ``backtest_runs``.
    coins, interval, since, until, knowable
        As in :class:`backtest.question.Question`; times in ISO 8601, UTC.
    shared
        Whether several coins were in one account.
    source
        ``simulated`` where any row read was, else ``undertow``.
    signals, unmapped
        Closes at which the rule could have entered and meant to, and those of them at which no
        map or flow was known; of all coins, pessimistic reading.
    bars, missing
        Bars of the period that are held, and that are not; of all coins.
    venues
        Whose prices they are.
    left_out
        What an account would have paid and this one did not, in words: funding or slippage as
        asked, the liquidation of coins whose margin tiers were not known.
    """

    rule: str
    variant: str
    coins: tuple[str, ...]
    interval: str
    since: str
    until: str
    knowable: bool
    shared: bool
    source: str
    signals: int
    unmapped: int
    bars: int
    missing: int
    venues: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found of a study.

    Attributes
    ----------
    subject
        What was tested.
    readings
        The mean attempt under every reading, the pessimistic first.
    ratio
        Sharpe ratio, deflated by all trials.
    daily_mean, daily_sharpe
        Of the daily returns, with intervals by the block bootstrap.
    ablations
        Against the same rule without the map, under every reading; empty: it knows none.
    placebos
        Against each placebo.
    sturdy
        Without the best, and in both halves.
    capacity
        None: size costs nothing here, or nothing was traded.
    cascades
        What prices did around cascades; None: no lake was asked.
    costs, excursions
        None: no trades.
    months
        In order.
    incidents
        None: no lake was asked.
    untrusted
        Snapshots that were left out; None likewise.

    Notes
    -----
    What does not name its reading is of the pessimistic one.
    """

    subject: Subject
    readings: tuple[Reading, ...]
    ratio: Ratio
    daily_mean: Interval
    daily_sharpe: Interval
    ablations: tuple[Ablation, ...]
    placebos: tuple[Against, ...]
    sturdy: Sturdy
    capacity: Capacity | None
    cascades: CascadeStudy | None
    costs: Split | None
    months: tuple[Month, ...]
    excursions: Excursions | None
    incidents: tuple[Reported, ...] | None
    untrusted: int | None

    def as_json(self) -> str:
        """Return the findings as text with sorted keys, of which :meth:`of_json` makes them."""
        return as_text(self)

    @classmethod
    def of_json(cls, text: str) -> "Findings":
        """Return the findings of :meth:`as_json`."""
        return of_text(cls, text)


def find(
    played: Played,
    placebos: Sequence[Placebo],
    trials: Trials,
    seed: int,
    lake: duckdb.DuckDBPyConnection | None = None,
) -> Findings:
    """Find what a study shows.

    Parameters
    ----------
    played
        The replays.
    placebos
        What came of the rule's placebos.
    trials
        All that it was chosen from, itself included.
    seed
        Of all draws.
    lake
        Where cascades and incidents are read; null: nothing is said of them.
    """
    # Each finding draws numbers of its own, so that one more changes no other.
    ablated, held, means, ratios = np.random.SeedSequence(seed).spawn(4)
    own = played.of("pessimistic")
    pairs = [(run.bars, run.replay) for run in own]
    attempts, daily = attempts_of(pairs), daily_of(pairs)
    bounds = dict.fromkeys(run.replay.bound for run in played.own)
    return Findings(
        _subject(played),
        tuple(read(bound, played.of(bound)) for bound in bounds),
        ratio(daily, trials),
        interval(daily.returns, np.random.default_rng(means)),
        interval(daily.returns, np.random.default_rng(ratios), sharpe),
        tuple(
            ablate(
                bound,
                played.of(bound),
                played.of(bound, base=True),
                np.random.default_rng(ablated),
            )
            for bound in bounds
            if played.base
        ),
        tuple(against(attempts, one, np.random.default_rng(held)) for one in placebos),
        sturdy(attempts, [run.bars for run in own]),
        capacity(played.tapes, own, played.question.account),
        None if lake is None else cascade_study(lake, played.tapes),
        split(own),
        months(attempts, daily),
        excursions(own),
        None if lake is None else reported(lake, own),
        None if lake is None else untrusted(lake, own),
    )


def _subject(played: Played) -> Subject:
    question = played.question
    simulated = any(run.source == "simulated" for run in played.own)
    own = played.of("pessimistic")
    return Subject(
        question.strategy.rule,
        question.strategy.variant,
        question.coins,
        question.interval,
        question.since.isoformat(),
        question.until.isoformat(),
        question.knowable,
        question.shared,
        "simulated" if simulated else "undertow",
        sum(int(run.could.sum()) for run in own),
        sum(int((run.could & run.decisions.unmapped).sum()) for run in own),
        sum(len(tape.period) for tape in played.tapes),
        sum(_missing(tape.period, *question.period) for tape in played.tapes),
        tuple(dict.fromkeys(tape.period.venue for tape in played.tapes)),
        tuple(_left_out(played)),
    )


def _missing(bars: Bars, since: np.datetime64, until: np.datetime64) -> int:
    """Return how many whole bars of ``[since, until)`` are not there."""
    first = bars.start[0] - (bars.start[0] - since) // bars.width * bars.width
    return max(int((until - first) // bars.width) - len(bars), 0)


def _left_out(played: Played) -> Iterator[str]:
    costs = played.question.terms.costs
    for name in ("funding", "slippage"):
        if getattr(costs, name) == "none":
            yield name
    if never := [tape.coin for tape in played.tapes if tape.margin is None]:
        yield f"liquidation of {', '.join(never)}"
