"""This module holds a run to the order of time: decide, travel, fill; publish, then use."""

from collections.abc import Iterator, Mapping

import duckdb
import numpy as np

from backtest.bars import Bars, utc
from backtest.proof.difference import Difference
from backtest.runs import Run
from backtest.terms import AT_ONCE, Terms

AS_IT_IS = "as it is"

Found = tuple[str, np.datetime64, str, object, object]


def published(lake: duckdb.DuckDBPyConnection) -> dict[np.datetime64, np.datetime64]:
    """Return when each snapshot could first be known, UTC."""
    rows = lake.sql(
        "select snapshot_ts::timestamp, min(known_ts)::timestamp from snapshots_versions "
        "group by all"
    ).fetchall()
    return {np.datetime64(ts, "us"): np.datetime64(known, "us") for ts, known in rows}


def breach(
    run: Run,
    terms: Terms,
    fine: Bars | None,
    known: Mapping[np.datetime64, np.datetime64],
) -> Difference | None:
    """Return the first entry without or before its decision, or map before it was there.

    Parameters
    ----------
    run
        What is held to the order.
    terms
        Latency.
    fine
        Finer bars, at whose open a decision may arrive within a bar.
    known
        Of :func:`published`.
    """
    for what, at, field, expected, found in (
        *_entries(run, terms, fine),
        *_snapshots(run, known),
    ):
        return Difference(
            AS_IT_IS,
            None,
            run.coin,
            run.strategy.variant,
            run.replay.bound,
            what,
            at,
            field,
            expected,
            found,
        )
    return None


def _entries(run: Run, terms: Terms, fine: Bars | None) -> Iterator[Found]:
    """Yield the trades that nobody decided, or before their decisions reached the venue."""
    trades, bars = run.replay.trades, run.bars
    closed = bars.end[trades["decided"]]
    opened = bars.start[trades["entered"]]
    inside = fine is not None and terms.latency > AT_ONCE
    arrived = closed + terms.latency
    early = opened < closed if inside else opened < arrived
    if inside:
        early |= bars.end[trades["entered"]] <= arrived
    decided = run.decisions.side[trades["decided"]]
    for row in np.flatnonzero(np.sign(trades["size"]) != decided):
        yield "trade", closed[row], "side", int(decided[row]), int(np.sign(trades["size"][row]))
    for row in np.flatnonzero(early):
        yield (
            "trade",
            closed[row],
            "entry",
            f"at or after {utc(arrived[row])}",
            utc(opened[row]),
        )


def _snapshots(run: Run, known: Mapping[np.datetime64, np.datetime64]) -> Iterator[Found]:
    """Yield the decisions that used a map that was not there."""
    seen = run.decisions.snapshot_ts
    for row in np.flatnonzero(~np.isnat(seen)):
        close = run.bars.end[row]
        if seen[row] > close:
            yield "decision", close, "snapshot_ts", f"at or before {utc(close)}", utc(seen[row])
        told = known.get(seen[row])
        if run.knowable and (told is None or told > close):
            there = "never" if told is None else utc(told)
            yield "decision", close, "known_ts", f"at or before {utc(close)}", there
