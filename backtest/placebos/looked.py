"""This module says what a rule looks at: maps, flow, or neither."""

from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.flow import Flow
from backtest.maps import Maps
from backtest.runs import decide
from backtest.strategies.strategy import Strategy
from backtest.tape import Tape
from backtest.view import MapReader, View


@dataclass(frozen=True, slots=True)
class Looked:
    """What a rule asked for on one coin.

    Attributes
    ----------
    asked : bool[n]
        Closes that asked for a map, those of the warm-up included.
    reach_pct
        Furthest that it looked at one, per cent; null: it asked for none.
    flow
        What it was told of flow; null: it did not ask.
    """

    asked: np.ndarray
    reach_pct: float | None
    flow: Flow | None


def look(tape: Tape, strategy: Strategy) -> Looked:
    """Return what a strategy asks for when it decides on a tape."""
    reaches: list[float] = []
    flows: list[Flow] = []
    closes = np.zeros(len(tape.bars), bool)
    real = tape.view()

    def maps(asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float) -> Maps:
        reaches.append(reach_pct)
        closes[asked] = True
        return real.read_maps(asked, moments, px, reach_pct)

    def flow(bars: Bars) -> Flow:
        if not flows:
            flows.append(real.read_flow(bars))
        return flows[0]

    decide(strategy, View(tape.bars, tape.decimals, maps, flow))
    return Looked(closes, max(reaches, default=None), flows[0] if flows else None)


def decided(
    tape: Tape, strategy: Strategy, maps: MapReader | None, flow: Flow | None
) -> Decisions:
    """Return what a strategy decides in the period when shown other maps or other flow.

    Parameters
    ----------
    tape
        What the venue did.
    strategy
        The rule.
    maps
        What answers in place of the lake's maps; null: they do.
    flow
        What is told in place of the lake's flow, warm-up included; null: that is.
    """
    real = tape.view()
    view = View(
        tape.bars,
        tape.decimals,
        maps or real.read_maps,
        real.read_flow if flow is None else lambda bars: flow,
    )
    return decide(strategy, view).since(tape.bars.warmup)
