"""This module finds accounts to ask: from the leaderboard, and from who traded just now."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.fields import objects
from pipelines.sources.info.leaderboard import ADDRESS, to_accounts
from pipelines.sources.info.metas import to_meta
from pipelines.steps.staging import in_lake, staged
from warehouse.contracts.tables import ACCOUNTS
from warehouse.store import land

LEADERBOARD, TRADES = "leaderboard", "recent_trades"
ANY_DEX = "all"
# The vault that takes over what the book cannot, and its children (as documented and seen).
VAULTS = (
    "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303",
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
)


def discover(
    client_of: Callable[[], InfoClient],
    lake: Path,
    leaderboard: str | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    simulated: bool = False,
) -> Landed:
    """Land the accounts that can be found now; what they hold is not asked.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    lake
        Folder of the lake.
    leaderboard
        URL of the leaderboard's file; None: it is not read.
    now
        The clock.
    simulated
        Whether the venue is made up: its rows say so.

    Raises
    ------
    UnreachableError
        If the venue does not answer.
    SourceError
        If an answer is not as documented.
    """
    worth, traded = asyncio.run(_find(client_of, leaderboard, now))
    at = now()
    sources = ("simulated", "simulated") if simulated else (LEADERBOARD, TRADES)
    rows = [_row(sources[0], account, at, value) for account, value in worth.items()]
    seen = {*traded, *VAULTS} - (worth.keys() if simulated else set())
    rows += [_row(sources[1], account, at, None) for account in seen]
    part = f"discovered-{int(at.timestamp() * 1000)}"
    with staged(Path(lake)) as stage:
        batch = pa.Table.from_pylist(rows, ACCOUNTS.schema)
        files = in_lake(land(stage, ACCOUNTS, batch, part), stage, Path(lake))
    return Landed(ACCOUNTS.name, files, len(rows))


async def _find(
    client_of: Callable[[], InfoClient], leaderboard: str | None, now: Callable[[], datetime]
) -> tuple[dict[str, float], set[str]]:
    async with client_of() as client:
        worth = to_accounts(await client.file(leaderboard)) if leaderboard else {}
        meta = to_meta(await client.ask({"type": "meta"}), now())
        questions = [
            client.ask({"type": "recentTrades", "coin": row["coin"]})
            for row in meta.instruments
        ]
        answers = await asyncio.gather(*questions)
    return worth, {one for answer in answers for one in traders(answer)}


def traders(answer: Any) -> set[str]:
    """Return the accounts of ``recentTrades``.  Pure.

    >>> sorted(traders([{"users": ["0x" + "AB" * 20, "0x" + "cd" * 20]}]))[0][:6]
    '0xabab'
    """
    found = set()
    for each in objects(answer, "recentTrades"):
        users = each.value.get("users")
        for user in users if isinstance(users, list) else [None]:
            if not isinstance(user, str) or not ADDRESS.fullmatch(user):
                raise each.wrong("users", "two addresses", users)
            found.add(user.lower())
    return found


def _row(source: str, account: str, at: datetime, value: float | None) -> dict[str, Any]:
    return {
        "state_ts": at,
        "source": source,
        "scope": ANY_DEX,
        "account": account,
        "account_value": value,
        "known_ts": at,
    }
