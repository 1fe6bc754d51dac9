"""This module works a chunk of a search to rows; a cluster's task does one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from backtest.bars import as_utc
from backtest.daily import Daily
from backtest.market import is_simulated
from backtest.search.chunk import Chunk, Span
from backtest.search.legs import Legs
from backtest.search.tried import Tried, try_all
from backtest.strategies.strategy import Strategy
from backtest.trials import Row, trial_row
from warehouse import open_lake
from warehouse.contracts.tables import BACKTEST_TRIALS


def work(chunk: Chunk) -> tuple[Chunk, pa.Table]:
    """Return the chunk and its trials, as ``backtest_trials`` has them.

    Raises
    ------
    LookupError
        If there are no such bars, an hour's funding is missing, or slippage is not known in a
        bar in which an order may fill.
    ValueError
        If a rule decides what no venue would take.
    """
    with open_lake(chunk.lake) as lake:
        tapes = [
            Legs(chunk.tape(span, lake), chunk.asked(span).period[0]) for span in chunk.spans
        ]
        strategies = chunk.strategies
        tried = try_all(tapes, strategies, chunk.question.terms)
    rows = [
        row
        for span, legs, here in zip(chunk.spans, tapes, tried, strict=True)
        for row in _rows(chunk, span, legs, zip(strategies, here, strict=True))
    ]
    return chunk, pa.Table.from_pylist(rows, BACKTEST_TRIALS.schema)


def _rows(
    chunk: Chunk, span: Span, legs: Legs, tried: Iterable[tuple[Strategy, Tried]]
) -> Iterator[Row]:
    """Yield one row a setting of what was tried on a span."""
    asked, day = chunk.asked(span), span.day
    source = "simulated" if any(map(is_simulated, legs.sources)) else "undertow"
    known_ts = as_utc(legs.tape.period.end[-1])
    for strategy, one in tried:
        yield trial_row(
            replace(asked, strategy=strategy),
            whole(one.daily, day),
            one.trades,
            source=source,
            known_ts=known_ts,
            sweep_id=chunk.sweep_id,
        )


def whole(daily: Daily, day: np.ndarray) -> Daily:
    """Return daily returns on all of the days; where there are no bars nothing is earned."""
    returns = np.zeros(day.size)
    returns[np.searchsorted(day, daily.day)] = daily.returns
    return Daily(day, returns)
