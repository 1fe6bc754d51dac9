"""This module holds cascade following: go with forced orders while they come.

Claim: a cascade feeds itself, for each liquidation moves price to the next one, so who sells
when longs begin to be liquidated sells before the rest of them.  It is told by traders and
follows from models of fire sales; the public evidence is against it (min66633's study of 21
coins, 2020 to 2026): what the map adds is seen in the worst 5 % of falls alone, and trades on
the side of the squeeze lost.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import numbers
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class CascadeFollow(Entry):
    """Enter with a cascade, once; leave when it fades.  No default was tuned.

    Attributes
    ----------
    min_score
        Least cascade score of the bar, 0 to 10.
    min_notional
        Least notional that was liquidated in the bar on the larger side, USD.
    min_move_pct
        Least way from the close before to the bar's own, in the cascade's direction, per cent.
    fade_share
        The cascade is spent when its velocity is below this share of its peak since the entry,
        or not known.
    flips
        Whether the other side is entered then, for the bounce.
    uses_flow
        False: the move alone, spent when a bar moves less than that share of the fastest one.

    Notes
    -----
    A stop, a target or the holding time may end a trade sooner; the same cascade is then not
    entered again.
    """

    min_score: float = 3.0
    min_notional: float = 100_000.0
    min_move_pct: float = 1.0
    fade_share: float = 0.25
    flips: bool = False
    uses_flow: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers(self, "min_score", least=0, most=10)
        numbers(self, "min_notional", least=0)
        numbers(self, "min_move_pct", above=0)
        numbers(self, "fade_share", above=0, most=1)

    @property
    def warmup(self) -> int:
        """Return the bar whose close the move begins at."""
        return 1

    def without_map(self) -> "CascadeFollow | None":
        """Return the rule that follows a move, whoever made it."""
        return replace(self, uses_flow=False) if self.uses_flow else None

    @property
    def blind(self) -> bool:
        """Return whether moves alone decide."""
        return not self.uses_flow

    def decide(self, view: View) -> Decisions:
        """Return one entry a cascade, and an exit where it fades."""
        move = np.diff(view.close_px, prepend=view.close_px[:1])
        move /= np.concatenate([view.close_px[:1], view.close_px[:-1]])
        wanted = np.where(np.abs(move) >= self.min_move_pct / 100, np.sign(move), 0)
        wanted = wanted.astype(np.int8)
        down, up = np.maximum(-move, 0), np.maximum(move, 0)
        trigger, known = wanted, np.ones(len(view), bool)
        if self.uses_flow:
            flow = view.flow()
            down, up, known = flow.long_notional, flow.short_notional, ~np.isnan(flow.score)
            strong = (flow.score >= self.min_score) & (flow.forced(wanted) >= self.min_notional)
            trigger = np.where(strong & (flow.side == wanted), wanted, 0).astype(np.int8)
        run = follow(wanted, trigger, down, up, self.fade_share, flips=self.flips)
        made = self.enter(run.side, leave=run.leave, only_side=run.told_of)
        return made.but(
            wanted=run.wanted, unmapped=(run.wanted != 0) & (run.side == 0) & ~known
        )


class Run(NamedTuple):
    """What following cascades decides at each close: arrays of int8, ``leave`` of bool."""

    side: np.ndarray
    wanted: np.ndarray
    leave: np.ndarray
    told_of: np.ndarray


def follow(
    wanted: np.ndarray,
    trigger: np.ndarray,
    down: np.ndarray,
    up: np.ndarray,
    fade_share: float,
    *,
    flips: bool,
) -> Run:
    """Return an entry where a cascade begins, and an exit where it fades.

    Parameters
    ----------
    wanted, trigger : int8[n]
        Side of the move, and of what is a cascade among them; 0: none.
    down, up : float64[n]
        How fast each bar went either way; NaN: not known.
    fade_share
        Share of the fastest bar since the entry, its own among them, below which it is spent.
    flips
        Whether the other side is entered where it fades.
    """
    n = wanted.size
    side, asked, told_of = (np.zeros(n, np.int8) for _ in range(3))
    leave = np.zeros(n, bool)
    running, peak = 0, 0.0
    for row in range(n):
        if running:
            speed = down[row] if running < 0 else up[row]
            if speed >= fade_share * peak:
                peak = max(peak, speed)
                continue
            leave[row], told_of[row] = True, running
            if flips:
                side[row] = asked[row] = -running
            running = 0
            if side[row] or wanted[row] == told_of[row]:
                continue
        asked[row] = wanted[row]
        if trigger[row]:
            side[row] = running = int(trigger[row])
            peak = down[row] if running < 0 else up[row]
    return Run(side, asked, leave, told_of)
