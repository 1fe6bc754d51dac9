"""This module finds out how an endpoint is asked for accounts: many at once, or each alone.

The question for many is not documented: the venue answers it today, a node of one's own may
not, and a venue that does may stop in the middle of a sweep.  What is asked weighs five times
as much alone, so the way is found out before a sweep is planned.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import InfoClient
from pipelines.steps.sweep_silence import Silence

TOGETHER = 50  # accounts in one question, as clients do; the venue names no limit
BATCH_WEIGHT, SINGLE_WEIGHT = 20, 2
PATIENCE = 3  # questions for many that are not answered in a row, before the way is another


@dataclass
class Way:
    """How accounts are asked for, of a whole sweep.

    Attributes
    ----------
    together
        Whether many are asked for in one question.
    total, left
        Accounts that are planned, and those of them that are not asked yet, all dexes together.
    changed
        Called once if many are no longer answered for in one question.
    silence
        How long the venue has not answered.
    """

    together: bool = True
    total: int = 0
    left: int = 0
    changed: Callable[[], None] = lambda: None
    silence: Silence = field(default_factory=Silence)
    _refusals: int = 0

    @property
    def size(self) -> int:
        """Return how many accounts are in one question."""
        return TOGETHER if self.together else 1

    def answered(self) -> None:
        """Note that a question for many was answered."""
        self._refusals = 0

    def refused(self) -> None:
        """Note that one was not: one is bad luck, several in a row are another venue."""
        self._refusals += 1
        if self.together and self._refusals >= PATIENCE:
            self.together = False
            self.changed()


def weight_of_sweep(accounts: int, together: bool = True) -> int:
    """Return what asking so many accounts of one dex weighs.

    >>> weight_of_sweep(100), weight_of_sweep(100, together=False)
    (40, 200)
    """
    if together:
        return -(-accounts // TOGETHER) * BATCH_WEIGHT
    return accounts * SINGLE_WEIGHT


def answers_together(client_of: Callable[[], InfoClient], account: str, dex: str = "") -> bool:
    """Return whether the endpoint knows the question for many accounts; asks it once.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    """

    async def ask() -> bool:
        async with client_of() as client:
            return await ask_together(client.ask, [account], dex) is not None

    return asyncio.run(ask())


async def ask_together(
    ask: Callable[[dict[str, Any]], Awaitable[Any]], accounts: list[str], dex: str
) -> dict[str, Any] | None:
    """Return account -> answer; None: the question is not understood, or not answered as it is.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    """
    try:
        given = await ask({"type": "batchClearinghouseStates", "users": accounts, **on(dex)})
    except UnreachableError:
        raise
    except SourceError:
        return None
    if not isinstance(given, list) or len(given) != len(accounts):
        return None
    return dict(zip(accounts, given, strict=True))


def on(dex: str) -> dict[str, str]:
    """Return the field of a question that names a dex; the first has no name.

    >>> on(""), on("xyz")
    ({}, {'dex': 'xyz'})
    """
    return {"dex": dex} if dex else {}
