"""This module holds rules against the placebos that are not drawn, on a made-up market.

A study reads a lake's maps as shapes first; here the crowd answers at once, which is the same
but for bins, and a hundred times sooner.
"""

from collections.abc import Iterator

import numpy as np

from backtest.again import together
from backtest.decisions import Decisions
from backtest.findings.against import better_than
from backtest.placebos.anchor import anchor_of
from backtest.placebos.coin_placebos import DISTANCE, MIRRORED
from backtest.placebos.distance_only import distance_only
from backtest.placebos.looked import Looked, decided, look
from backtest.placebos.mirrored import mirrored_flow, mirrored_maps
from backtest.pooled import Attempts, attempts_of
from backtest.strategies.strategy import Strategy
from backtest.study import Played
from tests.backtest.edge_worlds.world import WorldTape


def undrawn_p(study: Played, tapes: list[WorldTape]) -> dict[str, float]:
    """Return p of a rule against each undrawn placebo that means something for it.

    One that cannot be told is 1, as a verdict has it.
    """
    own = attempts_of([(run.bars, run.replay) for run in study.of("pessimistic")])
    rng = np.random.default_rng(study.question.seed)
    told = {}
    for name, other in undrawn(tapes, study.question.strategy):
        p = better_than(own, other, rng)
        told[name] = 1.0 if p is None else p
    return told


def undrawn(tapes: list[WorldTape], strategy: Strategy) -> Iterator[tuple[str, Attempts]]:
    """Yield the name and the attempts of each such placebo."""
    looked = [look(tape, strategy) for tape in tapes]
    for name in (MIRRORED, DISTANCE):
        pairs = zip(tapes, looked, strict=True)
        decisions = [shown(name, tape, one, strategy) for tape, one in pairs]
        if None not in decisions:
            replays = together(tapes, decisions)
            pairs = zip(tapes, replays, strict=True)
            yield name, attempts_of([(tape.period, played) for tape, played in pairs])


def shown(name: str, tape: WorldTape, looked: Looked, strategy: Strategy) -> Decisions | None:
    """Return what a rule decides of a placebo; None: it asks for nothing that would change."""
    asks, flow = looked.reach_pct is not None, looked.flow
    if name == DISTANCE:
        maps = distance_only(tape.read_maps) if asks else None
        return decided(tape, strategy, maps, flow) if asks else None
    maps = mirrored_maps(tape.read_maps, anchor_of(tape.bars)) if asks else None
    other = None if flow is None else mirrored_flow(flow)
    return decided(tape, strategy, maps, other) if asks or other is not None else None
