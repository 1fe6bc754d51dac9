"""This module names a replay after what went into it, and counts what came out."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.maps import Maps
from backtest.replay import Replay
from backtest.rule import STRATEGY, Variant
from backtest.statistics.measures import (
    hit_rate,
    max_drawdown,
    mean_trade,
    sharpe,
    total_return,
)


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of one variant on one coin, under one reading.

    Attributes
    ----------
    run_id
        Hash of rule, variant, parameters, costs and the rows read; both readings share it.
    variant
        What the rule used of the map.
    bars
        Bars of the period.
    knowable
        True: only maps already published at the decision.
    parameters, costs
        As JSON with sorted keys.
    signals
        Base signals at closes where no position was open: those that could be taken.
    refused
        Of them, those the map refused.
    unmapped
        Of them, those decided without a map, though the variant asks for one: the filter
        refuses them, the take-profit falls back to its fixed target.
    decisions, replay
        What went into the kernel and what came out.
    source
        ``undertow``, or ``simulated`` where any row read was.
    """

    run_id: str
    variant: Variant
    bars: Bars
    knowable: bool
    parameters: str
    costs: str
    signals: int
    refused: int
    unmapped: int
    decisions: Decisions
    replay: Replay
    source: str

    @property
    def days(self) -> np.ndarray:
        """Return the UTC date each trade entered on."""
        return self.bars.start[self.replay.trades["entered"]].astype("datetime64[D]")

    def figures(self) -> dict[str, int | float | None]:
        """Return the counts and measures of the run, named as in ``backtest_runs``."""
        played = self.replay
        returns = played.trade_returns
        start, equity = played.start_equity, played.equity
        return {
            "signals": self.signals,
            "refused": self.refused,
            "unmapped": self.unmapped,
            "unfilled": played.unfilled,
            "trades": len(played),
            "ambiguous": int(played.trades["ambiguous"].sum()),
            "return_fraction": total_return(equity, start),
            "max_drawdown": max_drawdown(equity, start),
            "mean_trade": mean_trade(returns),
            "hit_rate": hit_rate(returns),
            "sharpe": sharpe(equity, start, self.bars.per_year),
            "fees": float(played.trades["fees"].sum()),
            "funding": float(played.trades["funding"].sum()),
            "slippage": float(played.trades["slippage"].sum()),
        }


def name_run(
    variant: Variant,
    bars: Bars,
    leg: Leg,
    maps: Maps,
    knowable: bool,
    parameters: str,
    costs: str,
) -> str:
    """Return the name of a run: the same for the same rule on the same rows, and no other.

    Parameters
    ----------
    variant, knowable, parameters, costs
        As in :class:`Run`.
    bars
        With the warm-up, which signals look at.
    leg
        What was charged and which margin was asked for.
    maps
        What the map said; looked at only where the variant uses it.
    """
    words = [STRATEGY, variant.name, bars.coin, bars.venue, bars.source, bars.interval]
    words += [str(bars.warmup), str(knowable), parameters, costs]
    digest = hashlib.sha256(json.dumps(words).encode())
    arrays = [bars.start, bars.open_px, bars.high_px, bars.low_px, bars.close_px]
    arrays += [leg.funding_rate, leg.slippage.sizes, leg.slippage.curves, leg.slippage.row]
    arrays += [np.zeros(0) if leg.oracle_px is None else leg.oracle_px]
    arrays += [np.zeros(0)] if leg.tiers is None else [leg.tiers.rate, leg.tiers.deduction]
    if variant.uses_map:
        arrays += [maps.snapshot_ts, maps.short_above, maps.long_below]
        arrays += [maps.cluster_above, maps.cluster_below]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def as_json(words: dict[str, object]) -> str:
    """Return parameters or costs as the text written beside a run."""
    return json.dumps(words, sort_keys=True)


def count_signals(
    variant: Variant, side: np.ndarray, decisions: Decisions, maps: Maps, played: Replay
) -> dict[str, int]:
    """Return how many base signals could be taken, and what the map did to them."""
    could = played.free[:, 0] & (side != 0)
    dropped = could & (decisions.side == 0)
    return {
        "signals": int(could.sum()),
        "refused": int((dropped & maps.known).sum()),
        "unmapped": int((could & ~maps.known).sum()) if variant.uses_map else 0,
    }
