"""This module replays one strategy on one tape, names the run, and counts what came of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.maps import Maps
from backtest.market import is_simulated
from backtest.replay import Replay, replay
from backtest.statistics.attempts import attempt_mean
from backtest.statistics.measures import (
    hit_rate,
    max_drawdown,
    mean_trade,
    sharpe,
    total_return,
)
from backtest.strategies.strategy import Strategy
from backtest.tape import Tape
from backtest.view import MapReader, View


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of one strategy on one coin, under one reading.

    Attributes
    ----------
    run_id
        Hash of rule, parameters, costs, decisions and the rows that were traded on; all
        readings share it.
    strategy
        The rule.
    bars
        Bars of the period.
    knowable
        True: only maps already published at the decision.
    costs
        As JSON with sorted keys.
    decisions, replay
        What went into the kernel and what came out.
    sources
        Of the bars, the funding and the maps that were read.
    """

    run_id: str
    strategy: Strategy
    bars: Bars
    knowable: bool
    costs: str
    decisions: Decisions
    replay: Replay
    sources: frozenset[str]

    @property
    def coin(self) -> str:
        """Return the coin."""
        return self.bars.coin

    @property
    def parameters(self) -> str:
        """Return the strategy's parameters as JSON with sorted keys."""
        return as_json(self.strategy.parameters())

    @property
    def source(self) -> str:
        """Return ``simulated`` where any row read was, else ``undertow``."""
        return "simulated" if any(map(is_simulated, self.sources)) else "undertow"

    @property
    def days(self) -> np.ndarray:
        """Return the UTC date each trade entered on."""
        return self.bars.start[self.replay.trades["entered"]].astype("datetime64[D]")

    @property
    def could(self) -> np.ndarray:
        """Return, bool[n], the closes where an entry was wanted and could be filled.

        No position is open there, or the same decision leaves it.
        """
        orders, held = self.decisions.orders, np.sign(self.replay.position[:, 0])
        told = (orders["only_side"] == 0) | (orders["only_side"] == held)
        turns = orders["leave"] & told & (held != 0)
        turns[-1:] = False
        return (self.replay.free[:, 0] | turns) & (self.decisions.wanted != 0)

    def figures(self) -> dict[str, int | float | None]:
        """Return the counts and measures of the run, named as in ``backtest_runs``."""
        played, decisions = self.replay, self.decisions
        returns = played.trade_returns
        start, equity = played.start_equity, played.equity
        dropped = self.could & (decisions.side == 0)
        return {
            "signals": int(self.could.sum()),
            "refused": int((dropped & ~decisions.unmapped).sum()),
            "unmapped": int((self.could & decisions.unmapped).sum()),
            "unfilled": played.unfilled,
            "trades": len(played),
            "ambiguous": int(played.trades["ambiguous"].sum()),
            "return_fraction": total_return(equity, start),
            "max_drawdown": max_drawdown(equity, start),
            "mean_trade": mean_trade(returns),
            "mean_attempt": attempt_mean(returns, played.unfilled),
            "hit_rate": hit_rate(returns),
            "sharpe": sharpe(equity, start, self.bars.per_year),
            "fees": float(played.trades["fees"].sum()),
            "funding": float(played.trades["funding"].sum()),
            "slippage": float(played.trades["slippage"].sum()),
        }


def run(
    tape: Tape,
    strategy: Strategy,
    readings: Sequence[str] | None = None,
    maps: MapReader | None = None,
) -> list[Run]:
    """Replay a strategy on a tape under every reading.

    Parameters
    ----------
    tape
        What the venue did.
    strategy
        The rule.
    readings
        Of :data:`backtest.replay.READINGS`; null: all that the tape has.
    maps
        What answers the strategy in place of the lake's maps.

    Raises
    ------
    ValueError
        If the strategy decides what no venue would take; the message names it.
    """
    sources = {tape.bars.source} | ({tape.funding.source} - {None})
    read = maps or tape.read_maps

    def told(asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach: float) -> Maps:
        answer = read(asked, moments, px, reach)
        sources.update(answer.sources)
        return answer

    decisions = decide(strategy, tape.view(told))
    leg = tape.leg(decisions)
    costs = as_json(tape.terms.costs.as_dict() | {"slippage_basis": tape.slippage.basis})
    run_id = name_run(tape, strategy, leg, costs)
    return [
        Run(
            run_id,
            strategy,
            tape.period,
            tape.knowable,
            costs,
            leg.decisions,
            replay([leg], tape.terms, bound=bound),
            frozenset(sources),
        )
        for bound in readings or tape.readings
    ]


def decide(strategy: Strategy, view: View) -> Decisions:
    """Return what a strategy decides, one row per bar.

    Raises
    ------
    ValueError
        If it does not answer with one decision per bar.
    """
    made = strategy.decide(view)
    if not isinstance(made, Decisions) or len(made) != len(view):
        said = f"{len(made)} decisions" if isinstance(made, Decisions) else type(made).__name__
        raise ValueError(
            f"strategy {strategy.name}: decide gave {said} for {len(view)} bars; it must give "
            "Decisions, one per bar of the view, those of the warm-up included"
        )
    return made


def name_run(tape: Tape, strategy: Strategy, leg: Leg, costs: str) -> str:
    """Return the name of a run: the same for the same decisions on the same rows, and no other.

    Parameters
    ----------
    tape
        With the warm-up, which signals look at.
    strategy
        The rule.
    leg
        What was decided, what was charged and which margin was asked for.
    costs
        As in :class:`Run`.
    """
    bars, terms = tape.bars, tape.terms
    words = [strategy.rule, strategy.variant, as_json(strategy.parameters()), costs]
    words += [bars.coin, bars.venue, bars.source, bars.interval, str(bars.warmup)]
    words += [str(tape.knowable), terms.limit, str(terms.latency), str(tape.decimals)]
    digest = hashlib.sha256(json.dumps(words).encode())
    numbers = [terms.ticks, terms.volume_share, terms.leverage, leg.max_leverage]
    numbers.append(terms.start_equity)
    arrays = [np.array(numbers)]
    arrays += [getattr(leg.decisions, field.name) for field in fields(leg.decisions)]
    for one in (bars, leg.fine):
        if one is not None:
            arrays += [one.start, one.open_px, one.high_px, one.low_px, one.close_px]
            arrays += [one.volume]
    arrays += [leg.funding_rate, leg.slippage.sizes, leg.slippage.curves, leg.slippage.row]
    arrays += [np.zeros(0) if leg.oracle_px is None else leg.oracle_px]
    arrays += [np.zeros(0)] if leg.tiers is None else [leg.tiers.rate, leg.tiers.deduction]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def as_json(words: dict[str, object]) -> str:
    """Return parameters or costs as the text written beside a run."""
    return json.dumps(words, sort_keys=True)
