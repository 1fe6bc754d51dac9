"""This module counts what a proof compared, and says what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.proof.compare import ended
from backtest.proof.cuts import edge_rows, followed
from backtest.proof.difference import Difference
from backtest.proof.power import Power
from backtest.proof.watch import Touch
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
# Of what was touched, named one by one.
NAMED = 5


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
    power
        How many of the entries were followed at once by a future that differed.
    touched
        What the rule reached outside of its view: no cut takes the future out of that.
    io_allowed
        Whether who asked answers for what it reached.
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
    power: Power
    touched: tuple[Touch, ...]
    io_allowed: bool
    difference: Difference | None

    @property
    def proven(self) -> bool:
        """Return whether nothing changed and nothing was touched, or that was allowed."""
        return self.difference is None and (self.io_allowed or not self.touched)

    def __str__(self) -> str:
        """Return what was compared, and what came of it, in sentences."""
        said = (
            f"{self.cuts} cuts x {self.kinds} kinds, {self.decisions:,} decisions and "
            f"{self.trades:,} trades compared: "
        )
        if self.difference is not None:
            return said + str(self.difference)
        if self.touched and not self.io_allowed:
            return (
                f"{said}the rule touched {_listed(self.touched)}. What it finds or keeps there "
                "no cut takes away, so nothing is proven; --allow-io says that you answer for "
                "it."
            )
        said += "nothing changed."
        said += NOT_SEEN if self.entries_moved is False else ""
        said += "" if self.made_anew else NOT_ANEW
        said += f" {self.power}"
        if self.touched:
            said += f" The rule touched {_listed(self.touched)}; for that you answer."
        return said


def _listed(touched: Sequence[Touch]) -> str:
    """Return what was touched, the first few by name."""
    said = ", ".join(map(str, touched[:NAMED]))
    more = len(touched) - NAMED
    return said + (f" and {more} more" if more > 0 else "")


class Count:
    """How much was compared."""

    def __init__(
        self, total: int, kinds: int, made_anew: bool, progress: Progress | None
    ) -> None:
        self.total, self.kinds = total, kinds
        self.plays = self.worlds = 0
        self.made_anew, self.progress = made_anew, progress
        self.moments: set[tuple[str, np.datetime64]] = set()
        self.entries: set[tuple[str, np.datetime64]] = set()
        self.reached: set[tuple[str, np.datetime64]] = set()
        self.edges: set[tuple[str, np.datetime64]] = set()
        self.replays = self.decisions = self.trades = 0
        self.entries_moved: bool | None = None

    def tell(self, now: str) -> None:
        """Say what is done now."""
        if self.progress is not None:
            self.progress(now, self.replays, self.total)

    def expect(self, played: Played, worlds: int) -> None:
        """Take down what is to be played, and what could be looked behind."""
        self.worlds, self.plays = self.worlds + worlds, self.plays + 1
        for run in played.of("pessimistic"):
            enters = followed(run.bars) & (run.decisions.side != 0)
            self.entries |= {(run.coin, at) for at in run.bars.end[enters]}
            edges = edge_rows(run.bars, run.decisions.side)
            self.edges |= {(run.coin, at) for at in run.bars.end[edges]}

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
        self.reached |= {(last.pin.coin, world.cut) for last in world.lasts} & self.entries
        self.replays += 1
        closes = {run.run_id: world.row_of(run.coin) + 1 for run in played.runs}
        self.decisions += sum(closes.values())
        if world.kind != UNPUBLISHED:
            self.trades += sum(ended(run, closes[run.run_id] - 1).size for run in played.runs)
        self.tell(world.pin.coin)

    def proof(
        self, difference: Difference | None, touched: Sequence[Touch], io_allowed: bool
    ) -> Proof:
        """Return what was compared up to now, and what came of it."""
        return Proof(
            len(self.moments),
            self.kinds,
            self.replays,
            self.decisions,
            self.trades,
            self.entries_moved,
            self.made_anew,
            Power(len(self.entries), len(self.reached), len(self.reached & self.edges)),
            tuple(touched),
            io_allowed,
            difference,
        )
