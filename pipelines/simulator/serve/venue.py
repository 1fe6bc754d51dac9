"""This module is what the venue knows at the end of a minute; what follows makes another one.

Everything in it stays as it is, so answers can be worked out in any thread while the world
goes on in another.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.simulator.serve.candles import Candles, candles_of, minutes_of
from pipelines.simulator.serve.day import Day, day_of
from pipelines.simulator.serve.growing import Growing, growing
from pipelines.simulator.serve.listing import Listing, listing_of
from pipelines.simulator.serve.spans import SPANS
from pipelines.simulator.serve.tape import Tape, tape_of
from pipelines.simulator.serve.worth import (
    Worth,
    midnights_with,
    worth_after,
    worth_at_first,
)
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Moment, Simulation, Told

FUNDINGS = 50_000  # hours kept, all coins together, at least


@dataclass(frozen=True)
class Venue:
    """The venue at a moment.

    Attributes
    ----------
    sim
        The simulation: only for what does not change in it.
    listing
        What is listed.
    moment
        What every account holds.
    level_px, level_size
        The books: int64[coins, 2, levels], units and lots.
    contexts
        What each coin showed in the last minute, in the coins' order.
    tape, day, fundings
        What happened.
    candles
        By interval.
    worth, midnights
        What accounts are worth, and were.
    """

    sim: Simulation
    listing: Listing
    moment: Moment
    level_px: np.ndarray
    level_size: np.ndarray
    contexts: np.ndarray
    tape: Tape
    day: Day
    fundings: Growing
    candles: dict[str, Candles]
    worth: Worth
    midnights: tuple[Worth, ...]

    @property
    def ms(self) -> int:
        """The world's time."""
        return self.moment.ms

    @cached_property
    def positions(self) -> pl.DataFrame:
        """Return every position's statement, by account and coin."""
        return positions_of(self.sim, self.moment).sort("account", "coin")

    @cached_property
    def first_position(self) -> np.ndarray:
        """Return where each account's rows begin in ``positions``; one more than accounts."""
        accounts = np.arange(self.moment.accounts.size + 1)
        return np.searchsorted(self.positions["account"].to_numpy(), accounts)

    def after(self, told: Told) -> "Venue":
        """Return the venue after the simulation's last minutes, which are ``told``."""
        coins, moment, w = len(self.listing.names), self.sim.moment(), self.sim.world
        minutes, starts = minutes_of(told.contexts, coins)
        worth = worth_after(self.worth, told, moment)
        return replace(
            self,
            moment=moment,
            level_px=w.level_px.copy(),
            level_size=w.level_size.copy(),
            contexts=told.contexts[-coins:],
            tape=self.tape.after(told.trades),
            day=self.day.after(told.contexts, told.trades),
            fundings=self.fundings.after(told.fundings, max(FUNDINGS, 1000 * coins)),
            candles={name: one.after(minutes, starts) for name, one in self.candles.items()},
            worth=worth,
            midnights=midnights_with(self.midnights, worth),
        )


def open_venue(sim: Simulation, minutes: int = 1) -> Venue:
    """Let the first minutes of a simulation pass and return the venue after them."""
    first = worth_at_first(sim.moment())
    told = sim.run(minutes)
    listing, moment, w = listing_of(sim), sim.moment(), sim.world
    coins = len(listing.names)
    rows, starts = minutes_of(told.contexts, coins)
    worth = worth_after(first, told, moment)
    return Venue(
        sim,
        listing,
        moment,
        w.level_px.copy(),
        w.level_size.copy(),
        told.contexts[-coins:],
        tape_of(told.trades, moment.accounts.size),
        day_of(told.contexts, told.trades, coins),
        growing(told.fundings),
        {name: candles_of(name, rows, starts) for name in SPANS},
        worth,
        midnights_with((first,), worth),
    )
