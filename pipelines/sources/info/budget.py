"""This module keeps questions below the venue's limit: one budget for everything that asks.

Weight is spent from a window of 60 s that slides; part of the limit is left as a reserve, for
what else asks from the same address.  After a refusal nobody asks until a pause has passed,
which doubles with each refusal that follows.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from weakref import WeakKeyDictionary

from platformdirs import user_cache_path

from pipelines.sources.info.shared_window import SharedWindow, window_of
from pipelines.sources.info.weights import PER_MINUTE
from pipelines.sources.info.window import AFTER, OwnWindow, Taken, Window

WINDOW = 60.0  # s
RESERVE = 0.1  # share of the limit that is not used
# Folder in which processes share what they asked; without it, one in the user's cache.
SHARED = "UNDERTOW_ASKED"
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0  # s; the venue says nothing of how long to wait


def budget_for(url: str, reserve: float) -> "Budget":
    """Return the budget of everything on this machine that asks one venue.

    The largest reserve that anybody in this process wants is kept from then on.
    """
    url = url.rstrip("/")
    if url not in _BUDGETS:
        folder = os.environ.get(SHARED) or user_cache_path("undertow") / "asked"
        window, alone = window_of(url, Path(folder))
        _BUDGETS[url] = Budget(reserve=reserve, window=window, alone=alone)
    budget = _BUDGETS[url]
    budget.limit = min(budget.limit, max(1, int(PER_MINUTE * (1 - reserve))))
    return budget


_BUDGETS: dict[str, "Budget"] = {}


class Budget:
    """Weight that may be spent in any 60 s.

    Parameters
    ----------
    per_minute
        The venue's limit.
    reserve
        Share of it to leave alone, in [0, 1).
    clock, sleep
        Seconds that only rise, and how to wait; tests pass their own.
    window
        Where it is kept what was spent; without it, in this budget alone.
    alone
        Why other processes do not see what is spent here; None: they do, or need not.

    Attributes
    ----------
    limit
        Weight that may be spent in 60 s: ``per_minute`` without the reserve.
    spent
        Weight spent here since the beginning.
    refusals
        How often the venue said no here.
    """

    def __init__(
        self,
        per_minute: int = PER_MINUTE,
        reserve: float = RESERVE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        window: SharedWindow | OwnWindow | None = None,
        alone: str | None = None,
    ) -> None:
        if per_minute < 1 or not 0 <= reserve < 1:
            raise ValueError(
                f"budget of {per_minute} a minute with a reserve of {reserve}: "
                "must be at least 1, with a reserve from 0 to below 1"
            )
        self.limit = max(1, int(per_minute * (1 - reserve)))
        self.spent = 0
        self.refusals = 0
        self.alone = alone
        self._clock, self._sleep = clock, sleep
        self._window = window or OwnWindow()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]
        self._turns = WeakKeyDictionary()

    async def take(self, weight: int) -> Taken:
        """Wait until ``weight`` may be spent, and spend it; first come, first served.

        A question heavier than the whole limit is asked when nothing else was.
        """
        # One at a time: who waits sets its weight aside, and what others are known to weigh
        # less than was set aside for them helps only those who have not come yet.
        async with self._turn():
            while (taken := await self._waited(weight)) is None:
                pass
        self.spent += weight
        return taken

    async def _waited(self, weight: int) -> Taken | None:
        """Set weight aside and wait for its moment; None: it has to queue again.

        A pause may have begun meanwhile, or the moment is over: the machine slept, or was busy.
        """
        with self._window.opened() as window:
            now = self._now(window)
            taken = Taken(window.moment(weight, self.limit, WINDOW, now), weight)
            window.put(taken)
        if taken.at <= now:
            return taken
        goes = False
        try:
            await self._sleep(taken.at - now)
            with self._window.opened() as window:
                now = self._clock()
                goes = window.paused_until <= now <= taken.at + AFTER
        finally:
            if not goes:
                with self._window.opened() as window:
                    window.change(taken, 0)
        return taken if goes else None

    def settle(self, taken: Taken, weight: int, answered: bool) -> None:
        """Note what a question weighed in the end, and whether the venue answered it."""
        self.spent += weight - taken.weight
        with self._window.opened() as window:
            if weight != taken.weight:
                window.change(taken, weight)
            if answered:
                window.refusals = 0

    def refused(self) -> float:
        """Note that the venue said no; return the seconds in which nobody will ask."""
        self.refusals += 1
        with self._window.opened() as window:
            now = self._clock()
            if now >= window.paused_until:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(window.refusals, 16))
                window.refusals += 1
                window.paused_until = now + pause
            return window.paused_until - now

    @property
    def held(self) -> int:
        """Return the weight that was spent in the last 60 s, by whomever."""
        with self._window.opened() as window:
            self._now(window)
            return window.held

    def seconds_for(self, weight: int) -> float:
        """Return how long spending ``weight`` takes from an empty window.

        >>> Budget(1200, 0.0).seconds_for(1200), Budget(1200, 0.0).seconds_for(6000)
        (0.0, 240.0)
        """
        return max(0, -(-weight // self.limit) - 1) * WINDOW

    def _now(self, window: Window) -> float:
        """Return the time, and drop from the window what has left it."""
        now = self._clock()
        window.forget(now - WINDOW)
        return now

    def _turn(self) -> asyncio.Lock:
        """Return the lock of the loop that runs: a budget outlives loops, a lock does not."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
