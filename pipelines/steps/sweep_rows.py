"""This module makes the rows of a slice of a sweep, and says in ``snapshots`` what it is of.

A slice is a snapshot of its own, which tells of the accounts that it asked; who was asked in
another slice, or not at all, is skipped by it.  An answer that the lake holds already is left
out, and its account is skipped too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.sources.info.states import State
from pipelines.steps.sweep_asking import FIRST_DEX, Swept
from pipelines.steps.sweep_held import Held
from warehouse.contracts.table import Table
from warehouse.contracts.tables import (
    ACCOUNTS,
    ASSET_CONTEXTS,
    INSTRUMENTS,
    POSITIONS,
    SNAPSHOTS,
)

TRUSTED_BELOW = 0.3  # share of accounts that may fail


class Slice(NamedTuple):
    """What a slice is of.

    Attributes
    ----------
    source, scope
        Of its rows.
    known
        Accounts that the sweep knows of on this dex, asked or not.
    ended
        When it ended, by the sweep's clock.
    """

    source: str
    scope: str
    known: int
    ended: datetime

    @property
    def part(self) -> str:
        """Return the name of its part."""
        ms = int(self.ended.timestamp() * 1000)
        return f"{self.source}-{self.scope.lower()}-{ms}"


def scope_of(dex: str) -> str:
    """Return the scope of a dex.

    >>> scope_of(""), scope_of("xyz")
    ('hyperliquid', 'xyz')
    """
    return dex or FIRST_DEX


def rows_of(swept: Swept, held: Held, about: Slice) -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of a slice by table.  Pure.

    There is no snapshot if all that was answered is held already: it is that of then.
    """
    source = about.source
    states = {
        account: state
        for account, state in swept.states.items()
        if not held.has(account, state.time_ts)
    }
    moments = [state.time_ts for state in states.values()]
    at = held.free(max(moments)) if moments else about.ended
    silent = bool(swept.states) and not states and not swept.failed
    return {
        INSTRUMENTS: [row | _of(source, row["effective_ts"]) for row in swept.instruments],
        ASSET_CONTEXTS: [row | _of(source, row["context_ts"]) for row in swept.contexts],
        POSITIONS: [
            row
            | _of(source, state.time_ts)
            | {
                "snapshot_ts": state.time_ts,
                "scope": about.scope,
                "liquidation_px_source": "venue" if row["liquidation_px"] else None,
            }
            for state in states.values()
            for row in state.positions
        ],
        ACCOUNTS: [
            _account(account, state, about.scope, at)
            | swept.about.get(account, {})
            | _of(source, state.time_ts)
            for account, state in states.items()
        ],
        SNAPSHOTS: []
        if silent
        else [_summary(states, len(swept.failed), moments, at, about) | _of(source, at)],
    }


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
    states: Mapping[str, State],
    failed: int,
    moments: list[datetime],
    at: datetime,
    about: Slice,
) -> dict[str, Any]:
    positions = [row for state in states.values() for row in state.positions]
    priced = sum(row["liquidation_px"] is not None for row in positions)
    asked = len(states) + failed
    return {
        "snapshot_ts": at,
        "started_ts": min(moments, default=None),
        "scope": about.scope,
        "complete": False,
        "trusted": failed <= TRUSTED_BELOW * asked,
        "accounts_asked": asked,
        "accounts_failed": failed,
        "accounts_skipped": about.known - asked,
        "accounts": sum(bool(state.positions) for state in states.values()),
        "positions": len(positions),
        "px_venue": priced,
        "px_computed": 0,
        "px_never": 0,
        "px_unknown": len(positions) - priced,
    }
