"""This module lands accounts that may be asked: from the leaderboard, and from who trades.

A row for a trader is of the dex it traded on: there it may hold something.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.landed import Landed
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.dexes import to_dexes
from pipelines.sources.info.trades import Trader
from pipelines.steps.find_accounts import Found, find
from pipelines.steps.land_rows import land_rows
from pipelines.steps.sweep_asking import FIRST_DEX
from warehouse.catalog import open_lake
from warehouse.contracts.tables import ACCOUNTS
from warehouse.store import Lake, NoLake, Origin

LEADERBOARD, TRADES, HEARD, DOCUMENTED = "leaderboard", "recent_trades", "trades", "documented"
SIMULATED = "simulated"
DAY = timedelta(days=1)
ALIKE = 0.1  # share by which a worth may differ and say nothing new
ANY_DEX = "all"
# The vault that takes over what the book cannot, and its children (as documented and seen).
VAULTS = (
    "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303",
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
)


def ask_dexes(client_of: Callable[[], InfoClient]) -> list[str]:
    """Return the names of the venue's perp dexes; the first one has none."""

    async def ask() -> list[str]:
        async with client_of() as client:
            return to_dexes(await client.ask({"type": "perpDexs"}))

    return asyncio.run(ask())


def discover(
    client_of: Callable[[], InfoClient],
    lake: Lake | Path | str,
    leaderboard: str | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    simulated: bool = False,
    dexes: Sequence[str] = ("",),
    seconds: float | None = None,
) -> Landed:
    """Land the accounts that can be found now; what they hold is not asked.

    What was said of an account within a day, at about the same worth, is not said again: an
    hourly job would else land the whole leaderboard each time.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    lake
        Folder or URL of the lake.
    leaderboard
        URL of the leaderboard's file; None: it is not read.
    now
        The clock.
    simulated
        Whether the venue is made up: its rows say so.
    dexes
        Where to look for trades; the first dex has no name.
    seconds
        How long to listen to trades; None: not at all.

    Raises
    ------
    UnreachableError
        If the venue does not answer.
    SourceError
        If the first dex's coins or the leaderboard are not as documented; other dexes, and
        trades, are left out and named in ``gaps``.
    """
    found = asyncio.run(find(client_of, leaderboard, now, dexes, seconds))
    at = now()
    rows = not_said(rows_of(found, at, simulated), said_lately(lake, at))
    part = f"discovered-{int(at.timestamp() * 1000)}"
    origins = [Origin.of(url) for url in found.urls]
    (landed,) = land_rows(lake, {ACCOUNTS: rows}, part, origins, lambda: at)
    landed.unknown_fields, landed.gaps = dict(found.unknown), found.gaps
    return landed


def said_lately(lake: Lake | Path | str, at: datetime) -> dict[tuple[str, str, str], Any]:
    """Return source, scope and account of what was landed within a day -> its worth."""
    try:
        con = open_lake(lake)
    except NoLake:
        return {}
    with con:
        rows = con.sql(
            "select source, scope, account, arg_max(account_value, state_ts) from accounts "
            "where day >= $day and state_ts > $since and state_ts <= $at and sweep_ts is null "
            "group by all",
            params={"day": (at - DAY).date(), "since": at - DAY, "at": at},
        ).fetchall()
    return {row[:3]: row[3] for row in rows}


def not_said(
    rows: list[dict[str, Any]], said: Mapping[tuple[str, str, str], Any]
) -> list[dict[str, Any]]:
    """Return the rows that say something new.  Pure.

    >>> row = {"source": "board", "scope": "all", "account": "0x1", "account_value": 100.0}
    >>> held = {("board", "all", "0x1"): 95.0}
    >>> not_said([row], held), len(not_said([row | {"account_value": 200.0}], held))
    ([], 1)
    """
    return [
        row
        for row in rows
        if (key := (row["source"], row["scope"], row["account"])) not in said
        or not _alike(row["account_value"], said[key])
    ]


def _alike(value: float | None, before: float | None) -> bool:
    if value is None or before is None:
        return value is before
    return abs(value - before) <= ALIKE * abs(before)


def rows_of(found: Found, at: datetime, simulated: bool) -> list[dict[str, Any]]:
    """Return what was found as rows of ``accounts``: one a source, dex and account.  Pure.

    Of a simulated venue all rows have one source: what the leaderboard says then goes first.
    """
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add(source: str, scope: str, account: str, value: float | None = None) -> None:
        source = SIMULATED if simulated else source
        row = {
            "state_ts": at,
            "source": source,
            "scope": scope,
            "account": account,
            "account_value": value,
            "known_ts": at,
        }
        rows.setdefault((source, scope, account), row)

    for account, value in found.worth.items():
        add(LEADERBOARD, ANY_DEX, account, value)
    for source, traders in ((TRADES, found.traded), (HEARD, found.heard)):
        for account, scope in _places(traders):
            add(source, scope, account)
    for account in VAULTS:
        add(DOCUMENTED, ANY_DEX, account)
    return list(rows.values())


def _places(traders: Mapping[str, Trader]) -> Iterable[tuple[str, str]]:
    return (
        (account, dex or FIRST_DEX)
        for account, trader in traders.items()
        for dex in sorted(trader.dexes)
    )
