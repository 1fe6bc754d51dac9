"""This module holds what is worked and landed at once: settings on coins and periods."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import duckdb
import numpy as np

from backtest.question import Question
from backtest.search.parameters import Value, changed
from backtest.search.tapes import TAPES
from backtest.strategies.strategy import Strategy
from backtest.tape import Tape

# Bars that one launch of the sweep's kernel is given, counted once for each rule that decides
# on them: 400 bytes each at most, most of them slippage, and as much again of their tapes.  The
# chunks that are worked at once hold theirs together.
BARS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """One coin in one period, half-open, UTC."""

    coin: str
    since: datetime
    until: datetime

    @property
    def day(self) -> np.ndarray:
        """Return the UTC days that the period touches, datetime64[D].

        >>> Span("BTC", datetime(2026, 1, 1, 12), datetime(2026, 1, 3)).day.astype(str).tolist()
        ['2026-01-01', '2026-01-02']
        """
        last = np.datetime64((self.until - timedelta(microseconds=1)).date())
        return np.arange(np.datetime64(self.since.date()), last + 1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Settings of a search, each on every one of some spans; plain values, so that it travels.

    Attributes
    ----------
    lake
        Where the lake lies.
    sweep_id, number
        Name of the search, and which of its chunks this is.
    question
        What is asked; coins and period are those of the spans.
    spans
        Coins and periods.
    names, settings
        Parameters, dotted, and the values of each setting.
    warmup
        Bars before a period that some setting of the search looks at.
    """

    lake: str
    sweep_id: str
    number: int
    question: Question
    spans: tuple[Span, ...]
    names: tuple[str, ...]
    settings: tuple[tuple[Value, ...], ...]
    warmup: int

    @property
    def trials(self) -> int:
        """Return how many trials it is."""
        return len(self.spans) * len(self.settings)

    @property
    def part(self) -> str:
        """Return the name of the parts that its trials are landed as, one a first day."""
        return f"sweep-{self.sweep_id}-{self.number:05d}"

    @property
    def keys(self) -> set[tuple[date, str]]:
        """Return day and name of each part that its trials are landed as."""
        return {(span.since.date(), self.part) for span in self.spans}

    @property
    def strategies(self) -> list[Strategy]:
        """Return the rule under each setting."""
        return [
            changed(self.question.strategy, dict(zip(self.names, values, strict=True)))
            for values in self.settings
        ]

    def asked(self, span: Span) -> Question:
        """Return the question of one coin and period."""
        return replace(self.question, coins=(span.coin,), since=span.since, until=span.until)

    def tape(self, span: Span, lake: duckdb.DuckDBPyConnection | None = None) -> Tape:
        """Return what the venue did, read once in this process for all chunks of the span.

        Parameters
        ----------
        span
            Coin and period.
        lake
            Where maps and flow are read; null: they are not.
        """
        tape = TAPES.of(self.lake, self.sweep_id, self.asked(span), self.warmup)
        return tape if lake is None else replace(tape, lake=lake)


def together(
    spans: Sequence[Span], bars: Sequence[int], *, most: int, bars_at_once: int
) -> Iterator[tuple[Span, ...]]:
    """Yield spans in turn, as many at once as are allowed, one at least.

    Parameters
    ----------
    spans, bars
        Coins and periods, and how many bars each has.
    most, bars_at_once
        The most spans, and the most bars, of those that come together.

    Examples
    --------
    >>> day = [Span("BTC", datetime(2026, 1, n), datetime(2026, 1, n + 1)) for n in range(1, 6)]
    >>> groups = together(day, [5, 5, 9, 2, 2], most=2, bars_at_once=10)
    >>> [[span.since.day for span in group] for group in groups]
    [[1, 2], [3], [4, 5]]
    """
    group: list[Span] = []
    held = 0
    for span, count in zip(spans, bars, strict=True):
        if group and (len(group) >= most or held + count > bars_at_once):
            yield tuple(group)
            group, held = [], 0
        group.append(span)
        held += count
    if group:
        yield tuple(group)
