"""This module counts what a proof compared, and says what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.proof.compare import ended
from backtest.proof.difference import Difference
from backtest.proof.worlds import UNPUBLISHED, World
from backtest.runs import Run
from backtest.study import Played

Progress = Callable[[str, int, int], None]
NOT_SEEN = (
    " But the entries after the cuts are the same whatever happens there: what they follow is "
    "not the market of this lake, and if it is a series, a file or a memory of what was played "
    "before, nothing here shows that it did not look ahead."
)
NOT_ANEW = (
    " The rule could not be made anew for each play, for its class is of a session, a script "
    "or a function, or it holds more than plain fields: that it remembers nothing of what was "
    "played before is not shown."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a proof.

    Attributes
    ----------
    cuts
        Moments at which the lake was cut, of all coins.
    kinds
        How many worlds a cut has.
    replays
        How often a coin was played again.
    decisions, trades
        Closes and trades that were compared, of the rule and of the one without the map.
    entries_moved
        Whether in any world the entries that were wanted after the cut were others, as they
        are of a rule that looks at the market; null: none was wanted after any cut.
    made_anew
        Whether each play had a rule that could remember none of those before.
    difference
        The first that was found; null: the past is the same in every world.
    """

    cuts: int
    kinds: int
    replays: int
    decisions: int
    trades: int
    entries_moved: bool | None
    made_anew: bool
    difference: Difference | None

    def __str__(self) -> str:
        """Return what was compared, and what came of it, as one sentence."""
        said = (
            f"{self.cuts} cuts x {self.kinds} kinds, {self.decisions:,} decisions and "
            f"{self.trades:,} trades compared: "
        )
        if self.difference is not None:
            return said + str(self.difference)
        said += "nothing changed."
        said += NOT_SEEN if self.entries_moved is False else ""
        return said + ("" if self.made_anew else NOT_ANEW)


class Count:
    """How much was compared."""

    def __init__(
        self, cuts: int, kinds: int, made_anew: bool, progress: Progress | None
    ) -> None:
        self.total, self.kinds = cuts * kinds, kinds
        self.made_anew, self.progress = made_anew, progress
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
        if world.ends or not ours.any():
            return
        moved = not np.array_equal(ours, theirs)
        self.entries_moved = moved or bool(self.entries_moved)

    def add(self, world: World, played: Played) -> None:
        """Count a world in which nothing had changed."""
        self.moments.add((world.pin.coin, world.cut))
        self.replays += 1
        closes = {run.run_id: world.row_of(run.coin) + 1 for run in played.runs}
        self.decisions += sum(closes.values())
        if world.kind != UNPUBLISHED:
            self.trades += sum(ended(run, closes[run.run_id] - 1).size for run in played.runs)
        self.tell(world.pin.coin)

    def proof(self, difference: Difference | None) -> Proof:
        """Return what was compared up to now, and what came of it."""
        return Proof(
            len(self.moments),
            self.kinds,
            self.replays,
            self.decisions,
            self.trades,
            self.entries_moved,
            self.made_anew,
            difference,
        )
