"""This module runs one rule with and without the map, side by side on the same bars."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from backtest.bars import Bars
from backtest.funding import Funding, load_funding
from backtest.instrument import Margin, margin_rules, size_decimals
from backtest.leg import Leg
from backtest.maps import read_maps
from backtest.market import is_simulated, load_bars
from backtest.notes import limits_of, notes_of
from backtest.replay import BOUNDS, replay
from backtest.rows import land_runs
from backtest.rule import VARIANTS, WITHOUT_MAP, Rule
from backtest.runs import Run, as_json, count_signals, name_run
from backtest.slippage import Slippage, load_slippage
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
        If there are no such bars, an hour's funding is missing, or slippage is not known in a
        bar in which an order may fill.
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
    slippage = _slippage(con, period, costs)
    decimals = size_decimals(con, coin, _instant(since), knowable=knowable)
    margin = margin_rules(con, coin, _instant(since), knowable=knowable)
    terms = _terms(costs, rule, margin)
    words = as_json(costs.as_dict() | {"slippage_basis": slippage.basis})
    runs: list[Run] = []
    for variant in VARIANTS:
        parameters = as_json(rule.parameters(variant, decimals))
        decisions = rule.decide(variant, side, maps, decimals)
        read = {bars.source, funding.source} | (maps.sources if variant.uses_map else set())
        leg = Leg(
            period,
            decisions,
            funding.rate,
            slippage,
            oracle_px=funding.oracle_px,
            size_decimals=decimals,
            tiers=None if margin is None else margin.tiers,
        )
        run_id = name_run(variant, bars, leg, maps, knowable, parameters, words)
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
    notes += notes_of(coin, period, asked, maps, decimals, knowable, costs)
    notes += [f"{coin}: slippage: {slippage.basis}.", limits_of(coin, margin, terms)]
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
        return Funding.none(len(bars))
    return load_funding(con, bars)


def _slippage(con: duckdb.DuckDBPyConnection, bars: Bars, costs: Costs) -> Slippage:
    if costs.slippage == "none":
        return Slippage.none(len(bars))
    return load_slippage(con, bars)


def _terms(costs: Costs, rule: Rule, margin: Margin | None) -> Terms:
    """Return the terms, with no more leverage than the coin has."""
    terms = Terms(costs, start_equity=rule.start_equity)
    if margin is None:
        return terms
    return replace(terms, leverage=min(terms.leverage, margin.max_leverage))


def _instant(moment: datetime) -> np.datetime64:
    """Return a moment as UTC microseconds."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "us")
