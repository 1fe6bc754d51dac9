"""This module answers a question: one rule with and without the map, on the same bars."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.market import is_simulated, mixed
from backtest.one_account import in_accounts
from backtest.question import Question
from backtest.runs import Run, run_together
from backtest.tape import Tape, load_tape
from backtest.terms import assumptions

Progress = Callable[[str, int, int], None]

# Tapes by all that :func:`backtest.tape.load_tape` is asked for.
Shelf = dict[tuple[object, ...], Tape]


@dataclass(frozen=True, slots=True)
class Played:
    """The replays that answer a question.

    Attributes
    ----------
    question
        What was asked.
    tapes
        One a coin.
    own
        Runs of the rule, coin by coin, every reading of each.
    base
        Runs of the same rule without the map, likewise; empty where the rule knows none.
    """

    question: Question
    tapes: list[Tape]
    own: list[Run]
    base: list[Run]

    @property
    def runs(self) -> list[Run]:
        """Return all runs, coin by coin, those without the map first."""
        return [
            one
            for tape in self.tapes
            for one in (*self.base, *self.own)
            if one.coin == tape.coin
        ]

    def of(self, bound: str, *, base: bool = False) -> list[Run]:
        """Return one run a coin, of the rule or of the one without the map.

        A coin without finer bars is read pessimistically where others are drilled into.
        """
        runs = self.base if base else self.own
        known = {(one.coin, one.replay.bound): one for one in runs}
        coins = dict.fromkeys(one.coin for one in runs)
        return [known.get((coin, bound), known[coin, "pessimistic"]) for coin in coins]

    @property
    def gaps(self) -> list[str]:
        """Return what should have been there and was not, one sentence each."""
        return [gap for tape in self.tapes for gap in tape.bars.gaps]

    @property
    def notes(self) -> list[str]:
        """Return what was chosen, and what a reader must know of it, one sentence each."""
        said = []
        for tape, own in zip(self.tapes, self.of("pessimistic"), strict=True):
            said += [*tape.notes(), *map_notes(own)]
            if own.drilled is not None and (told := own.drilled.sentence):
                said.append(f"{own.coin}: {told}")
        return list(dict.fromkeys(said))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Return what is taken for granted, one sentence each."""
        return assumptions(self.question.terms, shared=self.question.shared)


def play(
    lake: duckdb.DuckDBPyConnection,
    question: Question,
    progress: Progress | None = None,
    shelf: Shelf | None = None,
) -> Played:
    """Replay a question's rule, and the same without the map, on every coin.

    Parameters
    ----------
    lake
        Catalog of a lake.
    question
        What is asked.
    progress
        Told what is done, how many coins are done, of how many.
    shelf
        Tapes of this lake that were read before; those that are read now are put there.

    Raises
    ------
    LookupError
        If there are no such bars, an hour's funding is missing, or slippage is not known in a
        bar in which an order may fill.
    ValueError
        If an argument is not allowed.
    """
    without = question.strategy.without_map()
    warmup = max(question.strategy.warmup, 0 if without is None else without.warmup)
    shelf = {} if shelf is None else shelf

    def read(number: int, coin: str) -> Tape:
        if progress is not None:
            progress(coin, number, len(question.coins))
        return _tape(lake, question, coin, warmup, shelf)

    parts = []
    for coins in in_accounts(list(enumerate(question.coins)), question.account):
        parts.append(play_tapes(question, [read(*one) for one in coins]))
    if progress is not None:
        progress("done", len(question.coins), len(question.coins))
    return Played(
        question,
        [tape for part in parts for tape in part.tapes],
        [one for part in parts for one in part.own],
        [one for part in parts for one in part.base],
    )


def play_tapes(question: Question, tapes: Sequence[Tape]) -> Played:
    """Replay a question's rule, and the same without the map, on tapes that are there."""
    without = question.strategy.without_map()
    accounts = in_accounts(tapes, question.account)
    own, base = (
        [one for coins in accounts for one in run_together(coins, rule)]
        if rule is not None
        else []
        for rule in (question.strategy, without)
    )
    return Played(question, list(tapes), own, base)


def _tape(
    lake: duckdb.DuckDBPyConnection, question: Question, coin: str, warmup: int, shelf: Shelf
) -> Tape:
    """Return a coin's tape from the shelf, put there first where it is not."""
    asked = coin, *question.period, question.terms
    more = {
        "interval": question.interval,
        "venue": question.venue,
        "warmup": warmup,
        "knowable": question.knowable,
        "live_flow": question.live_flow,
    }
    key = (*asked, *more.values())
    if key not in shelf:
        shelf[key] = load_tape(lake, *asked, **more)
    return shelf[key]


def map_notes(own: Run) -> list[str]:
    """Return what a reader must know of the maps and the flow that a run used."""
    wanted = own.could
    if own.strategy.blind or not wanted.any():
        return []
    missed = int((wanted & own.decisions.unmapped).sum())
    said = [f"{own.coin}: {missed} of {wanted.sum()} signals had no map or flow by then."]
    if missed == wanted.sum() and own.knowable:
        said.append(
            f"{own.coin}: nothing was known in time. Archives publish fills hours after they "
            "happened; --live-flow counts them as heard live, and a score needs books."
        )
    seen = own.decisions.snapshot_ts
    used = wanted & ~np.isnat(seen)
    if used.any():
        ages = (own.bars.end[used] - seen[used]) / np.timedelta64(1, "h")
        said.append(
            f"{own.coin}: at those signals the map was {np.median(ages):.1f} h old in the "
            f"median, {ages.max():.1f} h at most."
        )
    others = sorted(
        name for name in own.sources if is_simulated(name) != is_simulated(own.bars.source)
    )
    if others:
        said.append(mixed(own.coin, own.bars.source, "other rows", ", ".join(others)))
    return said
