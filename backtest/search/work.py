"""This module tries a chunk of settings on one coin and period; a cluster's task does one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from backtest.bars import as_utc
from backtest.daily import Daily, daily_of
from backtest.flat import days_of
from backtest.leg import Leg
from backtest.market import is_simulated
from backtest.question import Question
from backtest.replay import replay
from backtest.search.legs import Legs
from backtest.search.levels import family, levels, sets
from backtest.search.parameters import Value, changed
from backtest.search.tapes import TAPES
from backtest.strategies.strategy import Strategy
from backtest.sweep import sweep, why_not
from backtest.tape import Tape
from backtest.trials import trial_row
from warehouse import open_lake
from warehouse.contracts.tables import BACKTEST_TRIALS

# Whoever came so near to the maintenance margin is replayed with it, for funding that was paid
# within a trade and got back before its end is not seen by a sweep; a fraction of notional.
SPARE = 0.01


@dataclass(frozen=True, slots=True)
class Chunk:
    """Settings of one search on one coin and period; plain values, so that it can travel.

    Attributes
    ----------
    lake
        Where the lake lies.
    sweep_id, number
        Name of the search, and which of its chunks this is.
    question
        What is asked; coins and period are those below.
    coin, since, until
        Whose bars, half-open, UTC.
    names, settings
        Parameters, dotted, and the values of each setting.
    warmup
        Bars before the period that some setting of the search looks at.
    """

    lake: str
    sweep_id: str
    number: int
    question: Question
    coin: str
    since: datetime
    until: datetime
    names: tuple[str, ...]
    settings: tuple[tuple[Value, ...], ...]
    warmup: int

    @property
    def part(self) -> str:
        """Return the name of the part that its trials are landed as."""
        return f"sweep-{self.sweep_id}-{self.number:05d}"

    @property
    def strategies(self) -> list[Strategy]:
        """Return the rule under each setting."""
        return [
            changed(self.question.strategy, dict(zip(self.names, values, strict=True)))
            for values in self.settings
        ]

    @property
    def asked(self) -> Question:
        """Return the question of this coin and period."""
        return replace(self.question, coins=(self.coin,), since=self.since, until=self.until)

    def tape(self, lake: duckdb.DuckDBPyConnection | None = None) -> Tape:
        """Return what the venue did, read once in this process for all chunks of the tape.

        Parameters
        ----------
        lake
            Where maps and flow are read; null: they are not.
        """
        tape = TAPES.of(self.lake, self.sweep_id, self.asked, self.warmup)
        return tape if lake is None else replace(tape, lake=lake)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one setting."""

    daily: Daily
    trades: int


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
    strategies = chunk.strategies
    asked = chunk.asked
    with open_lake(chunk.lake) as lake:
        tape = chunk.tape(lake)
        tried, simulated = try_all(tape, strategies, asked.period[0])
    source = "simulated" if simulated else "undertow"
    day = days_in(chunk.since, chunk.until)
    rows = [
        trial_row(
            replace(asked, strategy=strategy),
            whole(one.daily, day),
            one.trades,
            source=source,
            known_ts=as_utc(tape.period.end[-1]),
            sweep_id=chunk.sweep_id,
        )
        for strategy, one in zip(strategies, tried, strict=True)
    ]
    return chunk, pa.Table.from_pylist(rows, BACKTEST_TRIALS.schema)


def days_in(since: datetime, until: datetime) -> np.ndarray:
    """Return the UTC days that a period touches, datetime64[D].

    >>> days_in(datetime(2026, 1, 1, 12), datetime(2026, 1, 3)).astype(str).tolist()
    ['2026-01-01', '2026-01-02']
    """
    last = np.datetime64((until - timedelta(microseconds=1)).date())
    return np.arange(np.datetime64(since.date()), last + 1)


def whole(daily: Daily, day: np.ndarray) -> Daily:
    """Return daily returns on all of the days; where there are no bars nothing is earned."""
    returns = np.zeros(day.size)
    returns[np.searchsorted(day, daily.day)] = daily.returns
    return Daily(day, returns)


def try_all(
    tape: Tape, strategies: Sequence[Strategy], since: np.datetime64
) -> tuple[list[Tried], bool]:
    """Try strategies, each in an account of its own, under the pessimistic reading.

    Parameters
    ----------
    tape
        What the venue did, with the longest warm-up of them all.
    strategies
        Settings of a rule.
    since : datetime64[us]
        Start of the period.

    Returns
    -------
    tried
        One a strategy.
    simulated
        Whether any row read is of a made-up market.

    Notes
    -----
    Strategies that decide alike are decided once and go through one launch of the sweep's
    kernel; what it does not follow, and what comes near to the account's liquidation, is
    replayed one by one.  The figures are the same either way.
    """
    found: list[Tried | None] = [None] * len(strategies)
    legs = Legs(tape, since)
    families: dict[Strategy, list[int]] = {}
    for number, strategy in enumerate(strategies):
        if (shared := family(strategy)) is not None:
            families.setdefault(shared, []).append(number)
    for members in families.values():
        chosen = [strategies[number] for number in members]
        leg = legs.of(chosen[0])
        if sets(leg.decisions, levels(chosen[0])):
            for number, one in zip(members, _swept(tape, leg, chosen), strict=True):
                found[number] = one
    for number, strategy in enumerate(strategies):
        if found[number] is None:
            played = replay([legs.of(strategy)], tape.terms, bound="pessimistic")
            found[number] = Tried(daily_of([(tape.period, played)]), len(played))
    return [one for one in found if one is not None], any(map(is_simulated, legs.sources))


def _swept(tape: Tape, leg: Leg, strategies: Sequence[Strategy]) -> list[Tried | None]:
    """Return what one launch of the kernel says of each; null: it cannot tell."""
    if why_not(leg, tape.terms) is not None:
        return [None] * len(strategies)
    wanted = [levels(strategy) for strategy in strategies]
    settings = {name: np.array([one[name] for one in wanted]) for name in wanted[0]}
    swept = sweep([leg], settings, tape.terms, threads=1)
    least = -np.inf
    if tape.margin is not None:
        least = float(np.max(tape.margin.tiers.rate)) + SPARE
    found: list[Tried | None] = []
    start = swept.start_equity
    mine = days_of(leg.bars)
    day = np.arange(mine[0], mine[-1] + 1)
    # A day without bars ends where the one before did.
    column = np.searchsorted(swept.day, day, side="right") - 1
    for result, equity in zip(swept.results, swept.equity, strict=True):
        if result["closest"] < least:
            found.append(None)
            continue
        profit = np.diff(np.concatenate([[start], equity[column]]))
        found.append(Tried(Daily(day, profit / start), int(result["trades"])))
    return found
