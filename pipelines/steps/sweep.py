"""This module sweeps the venue: it asks accounts for their positions, and lands the answers.

A sweep takes minutes, and each account's answer is of its own moment; so each is landed with
its own, and a reader may merge the newest of each.  What was asked, answered, failed and left
out stands in ``snapshots``; with too many failures it is landed, but not trusted.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.metas import to_contexts
from pipelines.sources.info.states import State, to_state
from pipelines.steps.staging import in_lake, staged
from warehouse.contracts.table import Table
from warehouse.contracts.tables import (
    ACCOUNTS,
    ASSET_CONTEXTS,
    INSTRUMENTS,
    POSITIONS,
    SNAPSHOTS,
)
from warehouse.store import land

Progress = Callable[[str, int, int], None]

SOURCE = "info"
FIRST_DEX = "hyperliquid"  # the name that scopes give to the dex without one
TOGETHER = 50  # accounts in one question, as clients do; the venue names no limit
TRUSTED_BELOW = 0.3  # share of accounts that may fail
BATCH_WEIGHT, SINGLE_WEIGHT = 20, 2


@dataclass
class Swept:
    """What a sweep of one dex gathered."""

    states: dict[str, State] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    instruments: list[dict[str, Any]] = field(default_factory=list)


def weight_of_sweep(accounts: int, together: bool = True) -> int:
    """Return what asking so many accounts weighs.

    >>> weight_of_sweep(100), weight_of_sweep(100, together=False)
    (40, 200)
    """
    if together:
        return -(-accounts // TOGETHER) * BATCH_WEIGHT
    return accounts * SINGLE_WEIGHT


def sweep(
    client_of: Callable[[], InfoClient],
    lake: Path,
    accounts: Sequence[str],
    *,
    skipped: int = 0,
    dex: str = "",
    source: str = SOURCE,
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Landed]:
    """Ask accounts for what they hold, and land the answers, all or none.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    lake
        Folder of the lake.
    accounts
        Whom to ask, in order.
    skipped
        How many more are known of, and not asked.
    dex
        Which perp dex; the first has no name.
    source
        What the rows say of where they came from.
    progress
        Called with what is done, how many are done, and of how many.
    now
        The clock.

    Returns
    -------
    list of Landed
        Of instruments, contexts, positions, accounts and the snapshot.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    """
    swept = asyncio.run(_gather(client_of, list(accounts), dex, progress, now))
    return _landed(swept, lake, dex, source, len(accounts), skipped, now())


async def _gather(
    client_of: Callable[[], InfoClient],
    accounts: list[str],
    dex: str,
    progress: Progress | None,
    now: Callable[[], datetime],
) -> Swept:
    swept = Swept()
    async with client_of() as client:
        answer = await client.ask({"type": "metaAndAssetCtxs", **_on(dex)})
        meta, swept.contexts = to_contexts(answer, now())
        swept.instruments = meta.instruments
        together = await _answers_together(client, accounts[:1], dex)
        size = TOGETHER if together else 1
        groups = [accounts[at : at + size] for at in range(0, len(accounts), size)]
        done = 0
        for finished in asyncio.as_completed(
            [_ask_group(client, group, dex, together, swept) for group in groups]
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
    client: InfoClient, group: list[str], dex: str, together: bool, swept: Swept
) -> int:
    """Ask a group, note answers and failures, and return how many were asked."""
    try:
        if together:
            body = {"type": "batchClearinghouseStates", "users": group, **_on(dex)}
            answers = await client.ask(body)
            if not isinstance(answers, list) or len(answers) != len(group):
                raise SourceError(f"batchClearinghouseStates: not {len(group)} answers")
        else:
            body = {"type": "clearinghouseState", "user": group[0], **_on(dex)}
            answers = [await client.ask(body)]
    except SourceError as error:
        swept.failed |= dict.fromkeys(group, str(error))
        return len(group)
    for account, answer in zip(group, answers, strict=True):
        if answer is None:
            swept.failed[account] = "no answer"
            continue
        try:
            state = to_state(answer, account)
        except SourceError as error:
            swept.failed[account] = str(error)
            continue
        swept.states[account] = state
        for name in state.unknown:
            swept.unknown[name] = swept.unknown.get(name, 0) + 1
    return len(group)


def _on(dex: str) -> dict[str, str]:
    return {"dex": dex} if dex else {}


def _landed(
    swept: Swept,
    lake: Path,
    dex: str,
    source: str,
    asked: int,
    skipped: int,
    ended: datetime,
) -> list[Landed]:
    """Land what was gathered."""
    scope = dex or FIRST_DEX
    moments = [state.time_ts for state in swept.states.values()]
    at = max(moments, default=ended)
    rows = {
        INSTRUMENTS: [row | _of(source, row["effective_ts"]) for row in swept.instruments],
        ASSET_CONTEXTS: [row | _of(source, row["context_ts"]) for row in swept.contexts],
        POSITIONS: [
            row
            | _of(source, state.time_ts)
            | {
                "snapshot_ts": state.time_ts,
                "scope": scope,
                "liquidation_px_source": "venue" if row["liquidation_px"] else None,
            }
            for state in swept.states.values()
            for row in state.positions
        ],
        ACCOUNTS: [
            _account(account, state, scope, at) | _of(source, state.time_ts)
            for account, state in swept.states.items()
        ],
        SNAPSHOTS: [_summary(swept, moments, at, scope, asked, skipped) | _of(source, at)],
    }
    part = f"{source}-{scope}-{int(ended.timestamp() * 1000)}"
    landed = []
    with staged(Path(lake)) as stage:
        for table, held in rows.items():
            landed.append(_land(table, held, stage, Path(lake), part))
    landed[2].unknown_fields = swept.unknown
    if swept.failed:
        account, reason = next(iter(swept.failed.items()))
        landed[3].gaps.append(
            f"{len(swept.failed)} of {asked} accounts did not answer; {account}: {reason}"
        )
    return landed


def _land(table: Table, rows: list[dict], stage: Path, lake: Path, part: str) -> Landed:
    batch = pa.Table.from_pylist(rows, table.schema)
    files = in_lake(land(stage, table, batch, part), stage, lake) if rows else []
    return Landed(table.name, files, len(rows))


def _of(source: str, known_ts: datetime) -> dict[str, Any]:
    """Return the columns that say where a row came from; an own sweep is known at once."""
    return {"source": source, "known_ts": known_ts}


def _account(account: str, state: State, scope: str, sweep_ts: datetime) -> dict[str, Any]:
    distances = [
        abs(row["liquidation_px"] / row["mark_px"] - 1) * 100
        for row in state.positions
        if row["liquidation_px"]
    ]
    return {
        "state_ts": state.time_ts,
        "scope": scope,
        "account": account.lower(),
        "sweep_ts": sweep_ts,
        "account_value": state.account_value,
        "positions": len(state.positions),
        "notional": sum(row["notional"] for row in state.positions),
        "nearest_pct": min(distances, default=None),
    }


def _summary(
    swept: Swept,
    moments: list[datetime],
    at: datetime,
    scope: str,
    asked: int,
    skipped: int,
) -> dict[str, Any]:
    held = [row for state in swept.states.values() for row in state.positions]
    priced = sum(row["liquidation_px"] is not None for row in held)
    return {
        "snapshot_ts": at,
        "started_ts": min(moments, default=None),
        "scope": scope,
        "complete": False,
        "trusted": len(swept.failed) <= TRUSTED_BELOW * asked,
        "accounts_asked": asked,
        "accounts_failed": len(swept.failed),
        "accounts_skipped": skipped,
        "accounts": sum(bool(state.positions) for state in swept.states.values()),
        "positions": len(held),
        "px_venue": priced,
        "px_computed": 0,
        "px_never": 0,
        "px_unknown": len(held) - priced,
    }
