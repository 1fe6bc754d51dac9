"""This module compares what a run did up to a cut with what it did in another world."""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from backtest.decisions import Decisions
from backtest.proof.difference import Difference, first_unlike
from backtest.proof.worlds import OPENED, UNPUBLISHED, World
from backtest.records import DECISION, MARKET, TRADE
from backtest.runs import Run
from backtest.terms import AT_ONCE, Terms

PRICES = ("start", "open_px", "high_px", "low_px", "close_px", "volume")
# What is settled once a trade has entered; of a share of volume it fills on.
ENTRY = ("entered", "kind", "size", "entry_px")

Found = tuple[str, np.datetime64, str, object, object]


def decided(decisions: Decisions) -> dict[str, np.ndarray]:
    """Return every field of decisions, the orders' too, by name."""
    names = [field.name for field in fields(Decisions) if field.name != "orders"]
    said = {name: decisions.orders[name] for name in DECISION.names or ()}
    return said | {name: getattr(decisions, name) for name in names}


def compared(world: World, terms: Terms, run: Run, other: Run) -> Difference | None:
    """Return the first thing that differs up to the cut; null: nothing does.

    Parameters
    ----------
    world
        Where the cut is.
    terms
        Of the account.
    run, other
        The same run in the lake as it is, and in the world.

    Notes
    -----
    Held to be the same, to the last bit: bars that closed, what was decided at their closes,
    trades that entered in them as they entered, trades that ended in them as they ended, and
    equity and position at their closes.  Where the bar that opens at the cut keeps its open,
    market entries at that open too.  Where what an account is charged by is not there, bars and
    decisions alone.
    """
    for found in _differences(world, terms, run, other):
        what, at, field, expected, there = found
        return Difference(
            world.kind,
            world.cut,
            run.coin,
            run.strategy.variant,
            run.replay.bound,
            what,
            at,
            field,
            expected,
            there,
        )
    return None


def _differences(world: World, terms: Terms, run: Run, other: Run) -> Iterator[Found]:
    """Yield the first difference of each kind."""
    last, end = world.row_of(run.coin), run.bars.end
    if last < 0:
        return
    if len(other.bars) <= last:
        yield "bar", end[last], "bars", len(run.bars), len(other.bars)
        return
    until = slice(0, last + 1)
    for what, ours, theirs in (
        ("bar", _bars(run), _bars(other)),
        ("decision", decided(run.decisions), decided(other.decisions)),
        ("equity", _account(run), _account(other)),
    ):
        pairs = {name: (ours[name][until], theirs[name][until]) for name in ours}
        if found := first_unlike(pairs):
            row, *rest = found
            yield what, end[row], *rest
        if what == "decision" and world.kind == UNPUBLISHED:
            return
    # Another coin of the account may have no bar that opens at the cut.
    follows = run.bars.start[last + 1 : last + 2] == world.cut
    opens = world.kind == OPENED and terms.latency == AT_ONCE and follows.any()
    entered = last + int(opens)
    names = ENTRY if terms.limit != "share" else ENTRY[:2]
    for ours, theirs, compare in (
        (entries(run, last, entered), entries(other, last, entered), names),
        (ended(run, last), ended(other, last), tuple(TRADE.names or ())),
    ):
        yield from _trades(end, ours, theirs, compare)


def _bars(run: Run) -> dict[str, np.ndarray]:
    return {name: getattr(run.bars, name) for name in PRICES}


def _account(run: Run) -> dict[str, np.ndarray]:
    return {"equity": run.replay.equity, "position": run.replay.position[:, 0]}


def entries(run: Run, closed: int, opened: int) -> np.ndarray:
    """Return the trades that entered in bars that closed, and at the market in one that opened.

    Parameters
    ----------
    run
        Any.
    closed, opened
        Last bar that closed, and last bar of which the open is known.
    """
    trades = run.replay.trades
    market = (trades["kind"] == MARKET) & (trades["entered"] <= opened)
    # A bar's own close decides nothing in it.
    kept = trades[(trades["entered"] <= closed) | (market & (trades["decided"] <= closed))]
    return kept[np.argsort(kept["decided"], kind="stable")]


def ended(run: Run, closed: int) -> np.ndarray:
    """Return the trades that ended in bars that closed, in the order in which they ended."""
    trades = run.replay.trades
    return trades[trades["left"] <= closed]


def _trades(
    end: np.ndarray, ours: np.ndarray, theirs: np.ndarray, names: tuple[str, ...]
) -> Iterator[Found]:
    both = min(ours.size, theirs.size)
    keys = ("decided", *(name for name in names if name != "decided"))
    pairs = {name: (ours[name][:both], theirs[name][:both]) for name in keys}
    if found := first_unlike(pairs):
        row, *rest = found
        yield "trade", end[ours["decided"][row]], *rest
    elif ours.size != theirs.size:
        more = ours if ours.size > both else theirs
        yield "trade", end[more["decided"][both]], "trades", ours.size, theirs.size
