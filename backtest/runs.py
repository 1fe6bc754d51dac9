"""This module replays one strategy on tapes, names its runs, and counts what came of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.drill import Drilled
from backtest.leg import Leg
from backtest.maps import Maps
from backtest.market import is_simulated
from backtest.one_account import replay_shares
from backtest.replay import READINGS, Replay
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

    The coin may be one of several in an account: then equity, and what is measured by it, is
    the account's.

    Attributes
    ----------
    run_id
        Hash of rule, parameters, costs, decisions and the rows that were traded on, of all
        coins in the account; all readings share it.
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
    account_coins
        Coins of the account, by name.
    drilled
        What trades told of bars to the drilled reading; null: they were not asked.
    """

    run_id: str
    strategy: Strategy
    bars: Bars
    knowable: bool
    costs: str
    decisions: Decisions
    replay: Replay
    sources: frozenset[str]
    account_coins: tuple[str, ...]
    drilled: Drilled | None = None

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
        start, equity = played.start_equity, played.account.equity
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
    """Replay a strategy on a tape, in an account of its own, under every reading.

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
    return _replayed([settle(tape, strategy, maps)], strategy, readings)


def run_together(
    tapes: Sequence[Tape], strategy: Strategy, readings: Sequence[str] | None = None
) -> list[Run]:
    """Replay a strategy on tapes, all in one account, under every reading.

    Parameters
    ----------
    tapes
        What the venue did, one a coin.
    strategy
        The rule; it decides on each coin from what it may see of that one.
    readings
        Of :data:`backtest.replay.READINGS`; null: all that any of the tapes has.

    Returns
    -------
    list
        Coin by coin, every reading of each.

    Raises
    ------
    ValueError
        If the strategy decides what no venue would take; the message names it.
    """
    return _replayed([settle(tape, strategy) for tape in tapes], strategy, readings)


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided on one tape, before it is replayed.

    Attributes
    ----------
    tape, leg
        What the venue did, and what was decided on it.
    name
        Of a run of it in an account of its own.
    costs, sources
        As in :class:`Run`.
    """

    tape: Tape
    leg: Leg
    name: str
    costs: str
    sources: frozenset[str]


def settle(tape: Tape, strategy: Strategy, maps: MapReader | None = None) -> Settled:
    """Let a strategy decide on a tape; see :func:`run`."""
    sources = {tape.bars.source} | ({tape.funding.source} - {None})
    read = maps or tape.read_maps

    def told(asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach: float) -> Maps:
        answer = read(asked, moments, px, reach)
        sources.update(answer.sources)
        return answer

    decisions = decide(strategy, tape.view(told))
    leg = tape.leg(decisions)
    costs = as_json(tape.terms.costs.as_dict() | {"slippage_basis": tape.slippage.basis})
    name = name_run(tape, strategy, leg, costs)
    return Settled(tape, leg, name, costs, frozenset(sources))


def _replayed(
    coins: Sequence[Settled], strategy: Strategy, readings: Sequence[str] | None
) -> list[Run]:
    """Replay what was decided on coins of one account, coin by coin, every reading of each."""
    there = {bound for one in coins for bound in one.tape.readings}
    bounds = readings or [bound for bound in READINGS if bound in there]
    legs, terms = [one.leg for one in coins], coins[0].tape.terms
    played = {bound: replay_shares(legs, terms, bound=bound) for bound in bounds}
    told = _told(played, len(coins))
    if readings is None and not any(map(_looked, legs, told)):
        bounds = [bound for bound in bounds if bound != "drilled"]
    own = [by.named(one.name) if by else one.name for one, by in zip(coins, told, strict=True)]
    names = sorted(own)
    return [
        Run(
            own[number] if len(names) == 1 else _name_in(own[number], names),
            strategy,
            one.tape.period,
            one.tape.knowable,
            one.costs,
            one.leg.decisions,
            played[bound][number],
            one.sources,
            tuple(sorted(other.tape.coin for other in coins)),
            told[number],
        )
        for number, one in enumerate(coins)
        for bound in bounds
    ]


def _told(played: Mapping[str, Sequence[Replay]], coins: int) -> list[Drilled | None]:
    """Return what trades told of each coin."""
    shares = played.get("drilled", ())
    return [share.drilled[0] for share in shares] or [None] * coins


def _looked(leg: Leg, told: Drilled | None) -> bool:
    """Return whether any bar was looked into: otherwise that reading is the pessimistic one."""
    return leg.fine is not None or (told is not None and told.made > 0)


def _name_in(name: str, names: Sequence[str]) -> str:
    """Return the name of a run of an account: others do with it what the other coins did."""
    return hashlib.sha256(json.dumps([name, *names]).encode()).hexdigest()[:16]


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
    """Return the name of a run in an account of its own: of these decisions on these rows.

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
    arrays += [leg.slippage.forced]
    arrays += [np.zeros(0) if leg.oracle_px is None else leg.oracle_px]
    arrays += [] if leg.stamps is None else [leg.stamps.ts, leg.stamps.paid]
    arrays += [np.zeros(0)] if leg.tiers is None else [leg.tiers.rate, leg.tiers.deduction]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def as_json(words: dict[str, object]) -> str:
    """Return parameters or costs as the text written beside a run."""
    return json.dumps(words, sort_keys=True)
