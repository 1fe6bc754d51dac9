"""This module keeps questions below the venue's limit: one budget for everything that asks.

Weight is spent from a window of 60 s that slides; part of the limit is left as a reserve, for
what else asks from the same address.  After a refusal nobody asks until a pause has passed,
which doubles with each refusal that follows.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from pipelines.sources.info.weights import PER_MINUTE

WINDOW = 60.0  # s
RESERVE = 0.1  # share of the limit that is not used
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0  # s; the venue says nothing of how long to wait


def budget_for(url: str, reserve: float) -> "Budget":
    """Return the budget of everything in this process that asks one venue.

    The smallest share that any asker wants left alone is kept from the first asker on.
    """
    budget = _BUDGETS.setdefault(url.rstrip("/"), Budget(reserve=reserve))
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

    Attributes
    ----------
    spent
        Weight spent since the beginning.
    refusals
        How often the venue said no.
    """

    def __init__(
        self,
        per_minute: int = PER_MINUTE,
        reserve: float = RESERVE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if per_minute < 1 or not 0 <= reserve < 1:
            raise ValueError(
                f"budget of {per_minute} a minute with a reserve of {reserve}: "
                "must be at least 1, with a reserve from 0 to below 1"
            )
        self.limit = max(1, int(per_minute * (1 - reserve)))
        self.spent = 0
        self.refusals = 0
        self._clock, self._sleep = clock, sleep
        self._window: deque[tuple[float, int]] = deque()
        self._held = 0
        self._paused_until = -float("inf")
        self._in_a_row = 0
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def take(self, weight: int) -> None:
        """Wait until ``weight`` may be spent, and spend it; first come, first served.

        A question heavier than the whole limit is asked when nothing else was.
        """
        async with self._lock():
            while (wait := self._wait_for(weight)) > 0:
                await self._sleep(wait)
            self.add(weight)

    def add(self, weight: int) -> None:
        """Spend weight that is known only after the answer: later questions wait for it."""
        if weight:
            self._window.append((self._clock(), weight))
            self._held += weight
            self.spent += weight

    def refused(self) -> float:
        """Note that the venue said no; return the seconds in which nobody will ask."""
        self.refusals += 1
        now = self._clock()
        if now >= self._paused_until:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._in_a_row)
            self._in_a_row += 1
            self._paused_until = now + pause
        return self._paused_until - now

    def answered(self) -> None:
        """Note that the venue answered: the next pause is short again."""
        self._in_a_row = 0

    def seconds_for(self, weight: int) -> float:
        """Return how long spending ``weight`` will take from an empty window.

        >>> Budget(1200, 0.0).seconds_for(1200), Budget(1200, 0.0).seconds_for(6000)
        (0.0, 240.0)
        """
        return max(0, -(-weight // self.limit) - 1) * WINDOW

    def _lock(self) -> asyncio.Lock:
        """Return the lock of the loop that runs: a budget outlives loops, a lock does not."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = loop, asyncio.Lock()
        return self._turn[1]

    def _wait_for(self, weight: int) -> float:
        now = self._clock()
        if now < self._paused_until:
            return self._paused_until - now
        while self._window and self._window[0][0] <= now - WINDOW:
            self._held -= self._window.popleft()[1]
        if self._held + min(weight, self.limit) <= self.limit:
            return 0.0
        return self._window[0][0] + WINDOW - now + 1e-3
