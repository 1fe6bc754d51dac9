"""This module sweeps the venue: it asks accounts for their positions, and lands the answers.

A sweep takes minutes, and each account's answer is of its own moment; so each is landed with
its own, and a reader may merge the newest of each.  What was asked, answered, failed and left
out stands in ``snapshots``; with too many failures it is landed, but not trusted.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.landed import Landed
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.states import State
from pipelines.steps.instrument_news import newest_rules, news
from pipelines.steps.land_rows import land_rows
from pipelines.steps.sweep_asking import FIRST_DEX, Progress, Swept, gather
from pipelines.steps.sweep_modes import Modes
from warehouse.contracts.tables import (
    ACCOUNTS,
    ASSET_CONTEXTS,
    INSTRUMENTS,
    POSITIONS,
    SNAPSHOTS,
)
from warehouse.store import Origin

SOURCE = "info"
TRUSTED_BELOW = 0.3  # share of accounts that may fail


def sweep(
    client_of: Callable[[], InfoClient],
    lake: Path | str,
    accounts: Sequence[str],
    *,
    skipped: int = 0,
    dex: str = "",
    modes: Modes | None = None,
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
    modes
        What is known of how accounts keep their collateral; of those who pool it in spot, the
        sweep of the first dex asks for that too.
    source
        What the rows say of where they came from.
    progress
        Called with what is done, how many are done, and of how many.
    now
        The clock.

    Returns
    -------
    list of Landed
        Of instruments (those whose rules are not the newest the lake knows), contexts,
        positions, accounts and the snapshot.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    SourceError
        If the contexts of the dex are not as documented.
    """
    known = modes or Modes()
    swept = asyncio.run(gather(client_of, list(accounts), dex, known, progress, now))
    if swept.instruments:
        asked_ts = swept.instruments[0]["effective_ts"]
        rules = newest_rules(lake, source, asked_ts)
        swept.instruments = news(swept.instruments, rules)
    return _landed(swept, lake, dex, source, len(accounts), skipped, now())


def _landed(
    swept: Swept,
    lake: Path | str,
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
            _account(account, state, scope, at)
            | swept.about.get(account, {})
            | _of(source, state.time_ts)
            for account, state in swept.states.items()
        ],
        SNAPSHOTS: [_summary(swept, moments, at, scope, asked, skipped) | _of(source, at)],
    }
    part = f"{source}-{scope.lower()}-{int(ended.timestamp() * 1000)}"
    landed = land_rows(lake, rows, part, [Origin.of(f"{swept.url}/info")], lambda: ended)
    landed[2].unknown_fields = swept.unknown
    if swept.failed:
        account, reason = next(iter(swept.failed.items()))
        landed[3].gaps.append(
            f"{len(swept.failed)} of {asked} accounts did not answer; {account}: {reason}"
        )
    return landed


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
        "notional": sum(abs(row["size"]) * row["mark_px"] for row in state.positions),
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
