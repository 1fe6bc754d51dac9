"""This module asks accounts of one dex for what they hold, and gathers the answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.metas import to_contexts
from pipelines.sources.info.modes import to_spot
from pipelines.sources.info.states import State, to_state
from pipelines.steps.sweep_modes import Modes

Progress = Callable[[str, int, int], None]

FIRST_DEX = "hyperliquid"  # the name that scopes give to the dex without one
TOGETHER = 50  # accounts in one question, as clients do; the venue names no limit
BATCH_WEIGHT, SINGLE_WEIGHT = 20, 2
OF_A_DEX = 2 * BATCH_WEIGHT  # its contexts, and finding out whether it answers for many


@dataclass
class Swept:
    """What a sweep of one dex gathered.

    Attributes
    ----------
    states
        Account -> its answer.
    failed
        Account -> why there is no answer.
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
    unknown: dict[str, int] = field(default_factory=dict)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    instruments: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""

    def count(self, name: str) -> None:
        """Count one of ``unknown``."""
        self.unknown[name] = self.unknown.get(name, 0) + 1


def weight_of_sweep(accounts: int, together: bool = True) -> int:
    """Return what asking so many accounts of one dex weighs.

    >>> weight_of_sweep(100), weight_of_sweep(100, together=False)
    (40, 200)
    """
    if together:
        return -(-accounts // TOGETHER) * BATCH_WEIGHT
    return accounts * SINGLE_WEIGHT


async def gather(
    client_of: Callable[[], InfoClient],
    accounts: list[str],
    dex: str,
    modes: Modes,
    progress: Progress | None,
    now: Callable[[], datetime],
) -> Swept:
    """Ask for a dex's contexts, then its accounts; without accounts, for contexts only.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    SourceError
        If the contexts are not as documented.
    """
    swept = Swept()
    async with client_of() as client:
        swept.url = client.base_url
        answer = await client.ask({"type": "metaAndAssetCtxs", **_on(dex)})
        meta, swept.contexts = to_contexts(answer, now())
        swept.instruments = meta.instruments
        if not accounts:
            return swept
        together = await _answers_together(client, accounts[:1], dex)
        size = TOGETHER if together else 1
        groups = [accounts[at : at + size] for at in range(0, len(accounts), size)]
        done = 0
        for finished in asyncio.as_completed(
            [_ask_group(client, group, dex, together, modes, swept) for group in groups]
        ):
            done += await finished
            if progress:
                progress(f"{len(swept.states)} accounts", done, len(accounts))
    return swept


async def _answers_together(client: InfoClient, accounts: list[str], dex: str) -> bool:
    """Return whether the endpoint knows the undocumented question for many accounts."""
    try:
        body = {"type": "batchClearinghouseStates", "users": accounts, **_on(dex)}
        return isinstance(await client.ask(body), list)
    except UnreachableError:
        raise
    except SourceError:
        return False


async def _ask_group(
    client: InfoClient, group: list[str], dex: str, together: bool, modes: Modes, swept: Swept
) -> int:
    """Ask a group, note answers and failures, and return how many were asked."""
    # Spot belongs to no dex: it is asked for with the first one.
    pooled = [] if dex else modes.take_pooled(group)
    spots = dict(zip(pooled, [await _spot(client, one, swept) for one in pooled], strict=True))
    for account, answer in (await _answers(client, group, dex, together, swept)).items():
        try:
            state = to_state(answer, account)
        except SourceError as error:
            swept.failed[account] = str(error)
            continue
        for row in state.positions:
            row["account_mode"] = modes.of(account)
        swept.states[account] = state
        swept.about[account] = {
            "account_mode": modes.asked.get(account),
            "spot_usdc": spots.get(account),
        }
        for name in state.unknown:
            swept.count(name)
    return len(group)


async def _answers(
    client: InfoClient, group: list[str], dex: str, together: bool, swept: Swept
) -> dict[str, Any]:
    """Return account -> answer, and note the accounts that have none.

    What the undocumented question says of an address that it does not know is null, which does
    not tell that nothing is held: the documented one is asked for such an address.
    """
    alone, answers = group, {}
    if together:
        try:
            body = {"type": "batchClearinghouseStates", "users": group, **_on(dex)}
            given = await client.ask(body)
            if not isinstance(given, list) or len(given) != len(group):
                raise SourceError(f"batchClearinghouseStates: not {len(group)} answers")
        except SourceError as error:
            swept.failed |= dict.fromkeys(group, str(error))
            return {}
        answers = dict(zip(group, given, strict=True))
        alone = [account for account, answer in answers.items() if answer is None]
    for account in alone:
        try:
            body = {"type": "clearinghouseState", "user": account, **_on(dex)}
            answers[account] = await client.ask(body)
        except SourceError as error:
            swept.failed[account] = str(error)
        else:
            if answers[account] is None:
                swept.failed[account] = "no answer"
    return {one: answer for one, answer in answers.items() if answer is not None}


async def _spot(client: InfoClient, account: str, swept: Swept) -> float | None:
    """Return an account's USDC in spot; None, and counted: it did not answer."""
    try:
        answer = await client.ask({"type": "spotClearinghouseState", "user": account})
        spot = to_spot(answer, account)
    except SourceError:
        swept.count("spotClearinghouseState without an answer")
        return None
    for name in spot.unknown:
        swept.count(name)
    return spot.usdc


def _on(dex: str) -> dict[str, str]:
    return {"dex": dex} if dex else {}
