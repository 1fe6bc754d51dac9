"""This module runs one rule with and without the map, side by side on the same bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from backtest.bars import Bars
from backtest.funding import Funding, load_funding
from backtest.instrument import size_decimals
from backtest.leg import Leg, Slippage
from backtest.maps import Maps, read_maps
from backtest.market import is_simulated, load_bars, mixed
from backtest.replay import BOUNDS, replay
from backtest.rows import land_runs
from backtest.rule import VARIANTS, WITHOUT_MAP, Rule
from backtest.runs import Run, as_json, count_signals, name_run
from backtest.statistics.comparison import Comparison, compare
from backtest.terms import ASSUMPTIONS, Costs, Terms
from backtest.verdict import verdict
from warehouse.catalog import open_lake

COMPARED = (
    "The map holds the positions that its source saw; what share of open interest they are is "
    "not weighed here.",
    f"{len(VARIANTS) - 1} variants are compared with the rule without the map, and no interval "
    "is widened for their number.",
    "Intervals draw whole UTC days of entry, all coins together.",
)


@dataclass(frozen=True, slots=True)
class Study:
    """What came of one rule on one coin.

    Attributes
    ----------
    bars
        Bars of the period.
    runs
        Every variant under both readings.
    gaps
        What should have been there and was not, one sentence each.
    notes
        What was chosen, and what a reader must know of it, one sentence each.
    assumptions
        What is taken for granted, one sentence each.
    files
        Parts written into the lake.
    """

    bars: Bars
    runs: list[Run]
    gaps: list[str]
    notes: list[str]
    assumptions: tuple[str, ...]
    files: list[Path]

    @property
    def coin(self) -> str:
        """Return the coin."""
        return self.bars.coin

    def run(self, variant: str, bound: str) -> Run:
        """Return the run of one variant under one reading."""
        for run in self.runs:
            if (run.variant.name, run.replay.bound) == (variant, bound):
                return run
        names = ", ".join(variant.name for variant in VARIANTS)
        raise LookupError(f"no run {variant!r}, {bound!r}; variants are {names}")


def run_study(
    lake: str | Path,
    coin: str,
    since: datetime,
    until: datetime,
    *,
    knowable: bool = True,
    venue: str | None = None,
    interval: str = "1h",
    rule: Rule | None = None,
    costs: Costs | None = None,
    write: bool = True,
) -> Study:
    """Replay the rule without the map and with it, and write the runs into the lake.

    Parameters
    ----------
    lake
        Folder of the lake.
    coin
        Venue symbol.
    since, until
        Period of the bars, half-open; a time without a zone is UTC.
    knowable
        True: a decision uses only maps already published when it was made.  False: as if every
        snapshot had been there at its own moment.
    venue
        Whose candles; null: see :func:`backtest.market.load_bars`.
    interval
        Length of a bar.
    rule, costs
        Parameters; null: the defaults.
    write
        False: leave the lake alone.

    Raises
    ------
    FileNotFoundError
        If there is no lake.
    LookupError
        If there are no such bars, or an hour's funding is missing.
    ValueError
        If an argument is not allowed.
    """
    rule, costs = rule or Rule(), costs or Costs()
    con = open_lake(lake)
    bars = load_bars(
        con,
        coin,
        _instant(since),
        _instant(until),
        interval=interval,
        venue=venue,
        warmup=rule.lookback,
    )
    period = bars.period
    funding = _funding(con, period, costs)
    side = rule.signals(bars)
    # Nothing can follow the last close, so nothing is asked there.
    asked = (side != 0) & (np.arange(side.size) < side.size - 1)
    maps = read_maps(
        con,
        coin,
        asked,
        period.end,
        period.close_px,
        reach_pct=rule.reach_pct,
        knowable=knowable,
    )
    decimals = size_decimals(con, coin, _instant(since), knowable=knowable)
    terms = Terms(costs, start_equity=rule.start_equity)
    runs: list[Run] = []
    for variant in VARIANTS:
        parameters = as_json(rule.parameters(variant, decimals))
        words = as_json(costs.as_dict())
        run_id = name_run(variant, bars, funding.rate, maps, knowable, parameters, words)
        decisions = rule.decide(variant, side, maps, decimals)
        read = {bars.source, funding.source} | (maps.sources if variant.uses_map else set())
        leg = Leg(
            period,
            decisions,
            funding.rate,
            Slippage.none(len(period)),
            size_decimals=decimals,
        )
        for bound in BOUNDS:
            played = replay([leg], terms, bound=bound)
            runs.append(
                Run(
                    run_id=run_id,
                    variant=variant,
                    bars=period,
                    knowable=knowable,
                    parameters=parameters,
                    costs=words,
                    **count_signals(variant, side, decisions, maps, played),
                    decisions=decisions,
                    replay=played,
                    source="simulated" if any(map(is_simulated, read)) else "undertow",
                )
            )
    notes = [*bars.notes, *funding.notes]
    notes += _notes(coin, period, asked, maps, decimals, knowable, costs)
    files = land_runs(lake, runs) if write else []
    return Study(period, runs, list(bars.gaps), notes, ASSUMPTIONS + COMPARED, files)


def comparisons(
    studies: Sequence[Study], bound: str, rng: np.random.Generator
) -> dict[str, Comparison]:
    """Return, per variant, its trades against those without the map, all studies together."""
    base = [study.run(WITHOUT_MAP.name, bound) for study in studies]
    found = {}
    for variant in VARIANTS:
        if variant.uses_map:
            runs = [study.run(variant.name, bound) for study in studies]
            found[variant.name] = compare(*_pooled(runs), *_pooled(base), rng)
    return found


def verdicts(studies: Sequence[Study], seed: int = 0) -> list[str]:
    """Return what the studies show together, one verdict per variant that uses the map.

    Parameters
    ----------
    studies
        Studies of one period, such as one per coin.
    seed
        Of the draws of the intervals.
    """
    pessimistic, optimistic = (
        comparisons(studies, bound, np.random.default_rng(seed)) for bound in BOUNDS
    )
    return [verdict(name, pessimistic[name], optimistic[name]) for name in pessimistic]


def _pooled(runs: Sequence[Run]) -> tuple[np.ndarray, np.ndarray]:
    returns = np.concatenate([run.replay.trade_returns for run in runs])
    return returns, np.concatenate([run.days for run in runs])


def _funding(con: duckdb.DuckDBPyConnection, bars: Bars, costs: Costs) -> Funding:
    if costs.funding == "none":
        return Funding(np.zeros(len(bars)), None)
    return load_funding(con, bars)


def _notes(
    coin: str,
    bars: Bars,
    asked: np.ndarray,
    maps: Maps,
    decimals: int | None,
    knowable: bool,
    costs: Costs,
) -> list[str]:
    """Return what a reader must know of the maps and costs that were used."""
    notes = []
    known = maps.known
    if count := int(asked.sum()):
        when = "published by then" if knowable else "taken by then"
        notes.append(f"{coin}: {known.sum()} of {count} signals had a map {when}.")
    if known.any():
        ages = (bars.end[known] - maps.snapshot_ts[known]) / np.timedelta64(1, "h")
        notes.append(
            f"{coin}: at those signals the map was {np.median(ages):.1f} h old in the median, "
            f"{ages.max():.1f} h at most."
        )
    others = [name for name in maps.sources if is_simulated(name) != is_simulated(bars.source)]
    if others:
        notes.append(mixed(coin, bars.source, "positions", ", ".join(sorted(others))))
    if decimals is None:
        notes.append(
            f"{coin}: the decimals of its sizes are not known at the start, so ticks follow "
            "from five significant figures alone."
        )
    if not knowable:
        notes.append(
            f"{coin}: maps are used from the moment they describe, which no follower of an "
            "archive could have done."
        )
    if costs.funding == "none":
        notes.append(f"{coin}: funding is left out, as asked.")
    return notes


def _instant(moment: datetime) -> np.datetime64:
    """Return a moment as UTC microseconds."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "us")
