"""This module asks accounts of one dex for what they hold, and gathers the answers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pipelines.sources.errors import SourceError
from pipelines.sources.info.client import AT_ONCE, InfoClient
from pipelines.sources.info.metas import to_contexts
from pipelines.sources.info.modes import to_spot
from pipelines.sources.info.states import State, to_state
from pipelines.steps.sweep_modes import Modes
from pipelines.steps.sweep_time import Span, within
from pipelines.steps.sweep_way import Way, ask_together, on

Progress = Callable[[str, int, int], None]
Ask = Callable[[dict[str, Any]], Awaitable[Any]]

FIRST_DEX = "hyperliquid"  # the name that scopes give to the dex without one


@dataclass
class Swept:
    """What asking one dex for a while gathered.

    Attributes
    ----------
    states
        Account -> its answer.
    failed
        Account -> why there is no answer.
    left
        Accounts that were not asked, or whose answer was not waited for, in order.
    unknown
        Fields that are not known, and questions beside positions that were not answered -> how
        often.
    contexts, instruments
        Rows of ``asset_contexts`` and ``instruments``, but for source and known_ts.
    about
        Account -> columns of ``accounts`` that its state does not tell.
    url
        Who was asked.
    """

    states: dict[str, State] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    instruments: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""

    def has(self, account: str) -> bool:
        """Return whether an account was asked, and what came of it is known."""
        return account in self.states or account in self.failed

    def count(self, name: str) -> None:
        """Count one of ``unknown``."""
        self.unknown[name] = self.unknown.get(name, 0) + 1


@dataclass
class Asking:
    """How a dex is asked.

    Attributes
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    dex
        Name; the first has none.
    modes
        What is known of accounts' modes.
    way
        How accounts are asked for; it may change on the way.
    progress
        Called with what is asked, how many accounts are done, and of how many, all dexes
        together.
    now
        The clock.
    """

    client_of: Callable[[], InfoClient]
    dex: str
    modes: Modes
    way: Way
    progress: Progress | None
    now: Callable[[], datetime]

    def gather(self, accounts: list[str], span: Span, first: bool) -> Swept:
        """Ask accounts until all have answered, the span is over, or the venue is silent.

        Parameters
        ----------
        accounts
            Whom, in order.
        span
            From its end on nobody new is asked; at its hard end nobody is waited for.
        first
            Whether the contexts of the dex are asked for before.

        Raises
        ------
        UnreachableError
            If the venue does not answer for its contexts.
        SourceError
            If the contexts are not as documented.
        """
        swept = Swept()
        asyncio.run(within(span.hard_end, self._all(accounts, span, first, swept), self.now))
        swept.left = [one for one in accounts if not swept.has(one)]
        return swept

    @property
    def silent(self) -> bool:
        """Return whether the venue has been silent for so long that nobody new is asked."""
        return self.way.silence.lasts(self.now())

    async def _all(self, accounts: list[str], span: Span, first: bool, swept: Swept) -> None:
        async with self.client_of() as client:
            swept.url = client.base_url
            if first:
                answer = await client.ask({"type": "metaAndAssetCtxs", **on(self.dex)})
                meta, swept.contexts = to_contexts(answer, self.now())
                swept.instruments = meta.instruments
            waiting = deque(accounts)
            patient = partial(self.way.silence.ask, client, now=self.now)

            async def ask() -> None:
                while waiting and not span.over(self.now()) and not self.silent:
                    count = min(self.way.size, len(waiting))
                    group = [waiting.popleft() for _ in range(count)]
                    await self._group(patient, group, swept)
                    self.way.left -= len([one for one in group if swept.has(one)])
                    if self.progress:
                        done, what = self.way.total - self.way.left, self.dex or FIRST_DEX
                        self.progress(f"accounts, now on {what}", done, self.way.total)

            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))

    async def _group(self, asked: Ask, group: list[str], swept: Swept) -> None:
        """Ask a group, and note answers and failures."""
        # Spot belongs to no dex: it is asked for with the first one.
        pooled = [] if self.dex else self.modes.take_pooled(group)
        spots = {one: await _spot(asked, one, swept) for one in pooled}
        for account, answer in (await self._answers(asked, group, swept)).items():
            try:
                state = to_state(answer, account)
            except SourceError as error:
                swept.failed[account] = str(error)
                continue
            for row in state.positions:
                row["account_mode"] = self.modes.of(account)
            swept.states[account] = state
            swept.about[account] = {
                "account_mode": self.modes.asked.get(account),
                "spot_usdc": spots.get(account),
            }
            for name in state.unknown:
                swept.count(name)

    async def _answers(self, asked: Ask, group: list[str], swept: Swept) -> dict[str, Any]:
        """Return account -> answer, and note the accounts that have none.

        What the undocumented question says of an address that it does not know is null, which
        does not tell that nothing is held: the documented one is asked for such an address,
        and for all of a group that the other was not answered for.
        """
        answers: dict[str, Any] = {}
        if self.way.together and not self.silent:
            try:
                given = await ask_together(asked, group, self.dex)
            except SourceError as error:
                swept.failed |= dict.fromkeys(group, str(error))
                return {}
            if given is None:
                swept.count("batchClearinghouseStates without an answer")
                self.way.refused()
            else:
                self.way.answered()
                answers = {one: answer for one, answer in given.items() if answer is not None}
        for account in [one for one in group if one not in answers]:
            if self.silent:  # who is not asked is left, and has not failed
                break
            try:
                body = {"type": "clearinghouseState", "user": account, **on(self.dex)}
                answer = await asked(body)
            except SourceError as error:
                swept.failed[account] = str(error)
            else:
                if answer is None:
                    swept.failed[account] = "no answer"
                else:
                    answers[account] = answer
        return answers


async def _spot(asked: Ask, account: str, swept: Swept) -> float | None:
    """Return an account's USDC in spot; None, and counted: it did not answer."""
    try:
        answer = await asked({"type": "spotClearinghouseState", "user": account})
        spot = to_spot(answer, account)
    except SourceError:
        swept.count("spotClearinghouseState without an answer")
        return None
    for name in spot.unknown:
        swept.count(name)
    return spot.usdc
