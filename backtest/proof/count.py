"""This module counts what a proof compared, and says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.proof.compare import ended
from backtest.proof.difference import Difference
from backtest.proof.worlds import KINDS, TRUNCATED, World
from backtest.runs import Run
from backtest.study import Played

Progress = Callable[[str, int, int], None]
NOT_SEEN = (
    " But the entries after the cuts are the same whatever happens there: what they follow is "
    "not the market of this lake, and if it is a series, a file or a memory of what was played "
    "before, nothing here shows that it did not look ahead."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a proof.

    Attributes
    ----------
    cuts
        Moments at which the lake was cut, of all coins.
    replays
        How often a coin was played again.
    decisions, trades
        Closes and trades that were compared, of the rule and of the one without the map.
    entries_moved
        Whether in any world the entries that were wanted after the cut were others, as they
        are of a rule that looks at the market; null: none was wanted after any cut.
    difference
        The first that was found; null: the past is the same in every world.
    """

    cuts: int
    replays: int
    decisions: int
    trades: int
    entries_moved: bool | None
    difference: Difference | None

    def __str__(self) -> str:
        """Return what was compared, and what came of it, as one sentence."""
        said = (
            f"{self.cuts} cuts x {len(KINDS)} kinds, {self.decisions:,} decisions and "
            f"{self.trades:,} trades compared: "
        )
        if self.difference is not None:
            return said + str(self.difference)
        return said + "nothing changed." + (NOT_SEEN if self.entries_moved is False else "")


class Count:
    """How much was compared."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.progress = total, progress
        self.moments: set[tuple[str, np.datetime64]] = set()
        self.replays = self.decisions = self.trades = 0
        self.entries_moved: bool | None = None

    def tell(self, now: str) -> None:
        """Say what is done now."""
        if self.progress is not None:
            self.progress(now, self.replays, self.total)

    def look(self, world: World, run: Run, other: Run) -> None:
        """Look whether other entries are wanted after a cut where other things happen."""
        after = world.row_of(run.coin) + 1
        ours, theirs = (one.decisions.wanted[after:] for one in (run, other))
        if world.kind == TRUNCATED or not ours.any():
            return
        moved = not np.array_equal(ours, theirs)
        self.entries_moved = moved or bool(self.entries_moved)

    def add(self, world: World, played: Played) -> None:
        """Count a world in which nothing had changed."""
        self.moments.add((world.pin.coin, world.cut))
        self.replays += 1
        closes = {run.run_id: world.row_of(run.coin) + 1 for run in played.runs}
        self.decisions += sum(closes.values())
        self.trades += sum(ended(run, closes[run.run_id] - 1).size for run in played.runs)
        self.tell(world.pin.coin)

    def proof(self, difference: Difference | None) -> Proof:
        """Return what was compared up to now, and what came of it."""
        return Proof(
            len(self.moments),
            self.replays,
            self.decisions,
            self.trades,
            self.entries_moved,
            difference,
        )
