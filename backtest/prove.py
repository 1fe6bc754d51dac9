"""This module proves that a study never looked ahead, by taking the future away from it.

At many moments the lake is cut: what came later is gone, or is garbage that a contract would
still allow, and the study is played again.  Of what it did before, nothing may change.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from backtest.bars import utc
from backtest.one_account import in_accounts
from backtest.proof.anew import Anew
from backtest.proof.compare import compared
from backtest.proof.count import Count, Progress, Proof
from backtest.proof.cut_account import at_one_venue, worlds_of
from backtest.proof.cut_lake import CutLake
from backtest.proof.cuts import CUTS
from backtest.proof.difference import Difference
from backtest.proof.series import told_by
from backtest.proof.structure import breach, published
from backtest.proof.watch import Watch
from backtest.proof.worlds import KINDS, UNPUBLISHED, World
from backtest.question import Question
from backtest.study import Played, play
from warehouse import open_lake
from warehouse.store.lake import Lake

Plan = Callable[[int, int], None]


def prove(
    lake: str | Path | Lake,
    question: Question,
    cuts: int | None = CUTS,
    seed: int | None = None,
    progress: Progress | None = None,
    *,
    allow_io: bool = False,
    plan: Plan | None = None,
) -> Proof:
    """Play a question in worlds without, and with another, future.

    Parameters
    ----------
    lake
        Folder or URL of the lake; nothing is written.
    question
        What is asked.
    cuts
        Moments at which the lake is cut, of each coin; null: after every entry,
        and as many as by default of a coin without one.
    seed
        Of the moments and of the garbage; null: the question's own.
    progress
        Told what is done, how many replays are done, of how many.
    allow_io
        Whether who asks answers for what the rule reaches outside of its view; otherwise it
        is a failure to reach anything.
    plan
        Told how many replays follow, once it is known, and how many were done until then.

    Returns
    -------
    Proof
        With the first difference, or with what was touched in the first play in which anything
        was; what comes after that is not looked for.

    Raises
    ------
    LookupError
        If the question cannot be played on the lake as it is.
    ValueError
        If ``cuts`` is not 1 or more.
    """
    seed = question.seed if seed is None else seed
    rng = np.random.default_rng(seed)
    rule = Anew(question.strategy)
    kinds = [kind for kind in KINDS if question.knowable or kind != UNPUBLISHED]
    total = (cuts or 0) * len(question.coins) * len(kinds)
    count, watch = Count(total, len(kinds), rule.whole, progress), Watch()

    def proof(difference: Difference | None) -> Proof:
        return count.proof(difference, watch.touched, allow_io)

    accounts = []
    with open_lake(lake) as con:
        cut_lake = CutLake(con)
        known = published(con)
        # Each account is proven by itself, cut where its coins decide.
        for coins in in_accounts(question.coins, question.account):
            asked = replace(question, coins=tuple(coins))
            count.tell(", ".join(coins))
            with watch, rule.made() as strategy:
                played = play(con, replace(asked, strategy=strategy))
            at_one_venue(played)
            difference = _order(played, known)
            if difference is not None or (watch.touched and not allow_io):
                return proof(difference)
            worlds = list(worlds_of(played, kinds, cuts, seed, rng))
            count.expect(played, len(worlds))
            accounts.append((asked, played, worlds))
        count.total = count.worlds
        if plan is not None:
            plan(count.total, count.plays)
        for asked, played, worlds in accounts:
            for world in worlds:
                count.tell(f"{world.pin.coin} {utc(world.cut)} {world.kind}")
                cut_lake.show(world)
                with watch, rule.made() as strategy:
                    if world.ends:
                        strategy = told_by(strategy, played.own[0].bars, world.cut)
                    pinned = _pinned(replace(asked, strategy=strategy), world)
                    difference = _changed(con, pinned, played, world, known, count)
                if difference is not None or (watch.touched and not allow_io):
                    return proof(difference)
                count.add(world, played)
    return proof(None)


def _pinned(question: Question, world: World) -> Question:
    """Return what is asked in a world: of the same bars, and charged by what is there."""
    terms = question.terms
    if world.kind == UNPUBLISHED:
        costs = replace(terms.costs, funding="none", slippage="none")
        terms = replace(terms, costs=costs)
    return replace(question, venue=world.pin.venue, terms=terms)


def _order(
    played: Played, known: Mapping[np.datetime64, np.datetime64], world: World | None = None
) -> Difference | None:
    """Return where a run breaks the order of time; null: nowhere."""
    terms = played.question.terms
    fine = {tape.coin: tape.fine for tape in played.tapes}
    for run in played.runs:
        found = breach(run, terms, fine[run.coin], known)
        if found is not None:
            return found if world is None else replace(found, kind=world.kind, cut=world.cut)
    return None


def _changed(
    con: duckdb.DuckDBPyConnection,
    question: Question,
    played: Played,
    world: World,
    known: Mapping[np.datetime64, np.datetime64],
    count: Count,
) -> Difference | None:
    """Return what a world changes of the past; null: nothing."""
    try:
        other = play(con, question)
    except (LookupError, ValueError) as error:
        run = played.own[0]
        said = ("replay", None, "error", "none", str(error))
        return Difference(
            world.kind, world.cut, run.coin, run.strategy.variant, run.replay.bound, *said
        )
    for ours, theirs in ((played.own, other.own), (played.base, other.base)):
        there = {(run.coin, run.replay.bound): run for run in theirs}
        for run in ours:
            # A world in which no bar can be looked into has one reading fewer: what would be
            # drilled there is read pessimistically.
            plain = there[run.coin, "pessimistic"]
            other_run = there.get((run.coin, run.replay.bound), plain)
            found = compared(world, question.terms, run, other_run)
            if found is not None:
                return found
    ours, theirs = (
        next(run for run in one.own if run.coin == world.pin.coin) for one in (played, other)
    )
    count.look(world, ours, theirs)
    return _order(other, known, world)
