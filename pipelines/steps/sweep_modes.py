"""This module asks how accounts keep their collateral, a few at each sweep, and remembers.

The question weighs as much as the positions of 50 accounts and its answer changes rarely, so a
sweep spends a share of its budget on it: on accounts whose mode is not known yet, then on those
asked longest ago, each in the sweep's own order.  A mode is asked before the positions it is
landed with, so that no row says what was not yet known at its time.  Accounts whose collateral
lies in spot are asked for that too, which weighs five times their positions.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.modes import POOLED, to_mode
from pipelines.steps.sweep_silence import Silence
from pipelines.steps.sweep_time import within

Progress = Callable[[str, int, int], None]

SHARE = 0.2  # of a sweep's weight, for modes; and as much again for spot
AT_LEAST = 5  # modes a sweep asks for, however small
HOLDS = timedelta(days=30)  # after which a mode is asked for again
WEIGHT, SPOT_WEIGHT = 20, 2


@dataclass
class Modes:
    """What is known of accounts' modes.

    Attributes
    ----------
    remembered
        Account -> mode, of earlier sweeps.
    asked
        Account -> mode, of this one.
    unknown
        Words that are not known, and questions without an answer -> how often.
    spots
        For how many more accounts there is weight to ask for spot; None: for all.
    """

    remembered: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    spots: int | None = None

    def of(self, account: str) -> str | None:
        """Return an account's mode; None: not known."""
        return self.asked.get(account) or self.remembered.get(account)

    def pooled(self, accounts: Iterable[str]) -> list[str]:
        """Return the accounts whose collateral lies in spot, as many as may be asked for it.

        >>> Modes({"a": "unified", "b": "standard", "c": "unified"}, spots=1).pooled("abc")
        ['a']
        """
        return [account for account in accounts if self.of(account) in POOLED][: self.spots]

    def take_pooled(self, accounts: Iterable[str]) -> list[str]:
        """Return what :meth:`pooled` does, and count them as asked."""
        taken = self.pooled(accounts)
        if self.spots is not None:
            self.spots -= len(taken)
        return taken


def affordable_modes(weight: int) -> int:
    """Return for how many modes a sweep of a weight asks.

    >>> affordable_modes(16_000), affordable_modes(0)
    (160, 5)
    """
    return max(AT_LEAST, int(SHARE * weight) // WEIGHT)


def choose_modes(
    accounts: Iterable[str],
    asked_ts: Mapping[str, datetime],
    now: datetime,
    affordable: int,
) -> list[str]:
    """Choose the accounts to ask for their mode.

    Parameters
    ----------
    accounts
        Whom the sweep asks for positions, in its order; on several dexes: several times.
    asked_ts
        When a mode that is known was asked for.
    now
        The sweep's start.
    affordable
        How many can be asked.

    Examples
    --------
    >>> now = datetime(2026, 3, 1)
    >>> asked = {"old": datetime(2026, 1, 1), "fresh": datetime(2026, 2, 28)}
    >>> choose_modes(["old", "fresh", "new", "old"], asked, now, 5)
    ['new', 'old']
    """
    known = dict.fromkeys(accounts)
    new = [account for account in known if account not in asked_ts]
    old = [one for one in known if one in asked_ts and now - asked_ts[one] >= HOLDS]
    return [*new, *sorted(old, key=lambda one: asked_ts[one])][: max(0, affordable)]


def ask_modes(
    client_of: Callable[[], InfoClient],
    accounts: list[str],
    remembered: Mapping[str, str],
    progress: Progress | None = None,
    until: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Modes:
    """Ask accounts for their modes; one that does not answer is counted and stays unknown.

    From ``until`` on nobody is asked or waited for; None: all are.
    """
    modes = Modes(dict(remembered))
    if accounts:
        work = _ask_all(client_of, accounts, modes, progress, now)
        asyncio.run(within(until, work, now))
    return modes


async def _ask_all(
    client_of: Callable[[], InfoClient],
    accounts: list[str],
    modes: Modes,
    progress: Progress | None,
    now: Callable[[], datetime],
) -> None:
    async with client_of() as client:
        ask = partial(Silence().ask, client, now=now)
        # An own node may not know the question: then one refusal says it for all.
        if not await _ask_one(ask, accounts[0], modes):
            return
        questions = [_ask_one(ask, account, modes) for account in accounts[1:]]
        for done, finished in enumerate(asyncio.as_completed(questions), start=2):
            await finished
            if progress:
                progress("account modes", done, len(accounts))


async def _ask_one(
    ask: Callable[[dict[str, Any]], Awaitable[Any]], account: str, modes: Modes
) -> bool:
    """Ask for one mode and note it; return whether the endpoint knows the question."""
    body: dict[str, Any] = {"type": "userAbstraction", "user": account}
    try:
        mode = to_mode(await ask(body), account)
    except SourceError as error:
        modes.unknown["userAbstraction without an answer"] += 1
        return isinstance(error, UnreachableError)
    if mode.word is not None:
        modes.asked[account] = mode.word
    if mode.unknown is not None:
        modes.unknown[mode.unknown] += 1
    return True
