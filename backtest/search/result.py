"""This module puts a search's table and what survives of it side by side, as rows and words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from backtest.command import command_of
from backtest.intervals import width_of
from backtest.search.asked import Search
from backtest.search.keep import Kept
from backtest.search.parameters import parameters_of
from backtest.search.survives import DAYS_OF_YEAR, Survivor, survivor
from backtest.search.table import Table, read_table
from backtest.search.told import in_words
from backtest.trials import trial_sharpes
from warehouse import open_lake

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Result:
    """What a search found.

    Attributes
    ----------
    asked, kept
        What was tried, and where it lies.
    table
        Settings and their daily returns.
    survivor
        What is left of the best.
    command
        Asks for the best setting as a study; None: no command line can.
    """

    asked: Search
    kept: Kept
    table: Table
    survivor: Survivor
    command: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of :meth:`rows`."""
        return (
            "rank",
            *self.asked.names,
            "trades",
            "return_fraction",
            "sharpe_year",
            "beats_nothing",
            "deflated",
            "pbo",
            "forward_mean_day",
            "forward_sure",
            "ways_median_year",
            "ways_lost",
        )

    def rows(self, most: int) -> Iterator[tuple[object, ...]]:
        """Yield the best settings, the first with what is left of it; null: not asked."""
        table, left = self.table, self.survivor
        ratio = table.sharpe
        for rank, setting in enumerate(islice(table.order, most), 1):
            asked: tuple[float | None, ...] = (None,) * 6
            if rank == 1:
                forward, ways = left.forward, left.ways
                asked = (
                    None if left.deflated is None else left.deflated.probability,
                    left.pbo,
                    None if forward is None else forward.mean,
                    None if forward is None else forward.sure,
                    None if ways is None else ways.median * math.sqrt(DAYS_OF_YEAR),
                    None if ways is None else ways.lost,
                )
            yield (
                rank,
                *table.settings[setting],
                int(table.trades[setting]),
                float(table.total[setting]),
                float(ratio[setting] * np.sqrt(DAYS_OF_YEAR)),
                self._beats(setting),
                *asked,
            )

    def _beats(self, setting: int) -> bool | None:
        """Return whether StepM names a setting; null: it was not compared."""
        named = self.survivor.named
        if named is None or setting not in named.compared:
            return None
        return setting in named.settings

    @property
    def sentences(self) -> list[str]:
        """Return what was tried and what survives."""
        kept = self.kept
        there = f", {kept.found} of which were there already" if kept.found else ""
        first = f"Sweep {kept.sweep_id}: {kept.trials} trials{there}."
        coins = self.asked.question.coins
        return [first, *in_words(self.table, self.survivor, coins, self.command)]


def result_of(lake: str, asked: Search, kept: Kept) -> Result:
    """Read a search that is done, and say what is left of its best."""
    with open_lake(lake) as con:
        table = read_table(con, asked, kept.sweep_id)
        chosen = asked.strategy(table.settings[table.order[0]])
        best = replace(asked.question, strategy=chosen)
        sharpes = trial_sharpes(con, best)
    left = survivor(table, sharpes, embargo_days(asked), asked.question.seed)
    return Result(asked, kept, table, left, command_of(best, lake))


def embargo_days(asked: Search) -> int:
    """Return the days that the longest trade of any setting may last, one at least."""
    longest = [
        value
        for name, value in parameters_of(asked.question.strategy).items()
        if name.endswith(".max_bars")
    ]
    longest += [
        value for axis in asked.axes if axis.name.endswith(".max_bars") for value in axis.values
    ]
    bars = max((value for value in longest if isinstance(value, int)), default=0)
    return max(1, int(np.ceil(bars * width_of(asked.question.interval) / DAY)))
