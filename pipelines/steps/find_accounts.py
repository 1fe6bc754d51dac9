"""This module finds accounts: on the leaderboard, in the newest trades, by listening."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.leaderboard import to_accounts
from pipelines.sources.info.metas import to_meta
from pipelines.sources.info.trades import Trade, Trader, to_trades, traders_of
from pipelines.sources.live_trades import listen, socket_of


@dataclass
class Found:
    """What was found, before it is landed.

    Attributes
    ----------
    worth
        Account -> value by the leaderboard, USD.
    traded, heard
        Account -> its trades: the newest of each coin, and those listened to.
    unknown
        Messages and errors of the WebSocket that are not known -> how often.
    gaps
        What could not be asked or listened to, one sentence each.
    urls
        What was asked.
    """

    worth: dict[str, float] = field(default_factory=dict)
    traded: dict[str, Trader] = field(default_factory=dict)
    heard: dict[str, Trader] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


async def find(
    client_of: Callable[[], InfoClient],
    leaderboard: str | None,
    now: Callable[[], datetime],
    dexes: Sequence[str] = ("",),
    seconds: float | None = None,
) -> Found:
    """Return what the leaderboard, the newest trades of each coin and listening tell.

    Parameters
    ----------
    client_of
        Makes the client.
    leaderboard
        URL of the leaderboard's file; None: it is not read.
    now
        The clock.
    dexes
        Whose coins; the first dex has no name.
    seconds
        How long to listen; None: not at all.

    Raises
    ------
    UnreachableError
        If the venue does not say what it lists.
    SourceError
        If the leaderboard, or the first dex's coins, are not as documented.
    """
    found = Found()
    async with client_of() as client:
        found.urls.append(f"{client.base_url}/info")
        if leaderboard:
            found.urls.append(leaderboard)
            found.worth = to_accounts(await client.file(leaderboard))
        coins = []
        for dex in dexes:
            try:
                body = {"type": "meta"} | ({"dex": dex} if dex else {})
                meta = to_meta(await client.ask(body), now())
            except SourceError as error:
                if not dex or isinstance(error, UnreachableError):
                    raise
                found.gaps.append(f"dex {dex}: {error}")
                continue
            coins += [row["coin"] for row in meta.instruments]
        trades = await asyncio.gather(*(_trades(client, coin, found) for coin in coins))
        found.traded = traders_of(trade for coin in trades for trade in coin)
        if seconds:
            await _hear(client.base_url, coins, seconds, found)
    return found


async def _trades(client: InfoClient, coin: str, found: Found) -> list[Trade]:
    """Return the newest trades of a coin; without a good answer a gap is noted."""
    try:
        answer = await client.ask({"type": "recentTrades", "coin": coin})
        return to_trades(answer, f"recentTrades {coin}")
    except SourceError as error:
        found.gaps.append(f"{coin}: no trades: {error}")
        return []


async def _hear(url: str, coins: list[str], seconds: float, found: Found) -> None:
    """Listen, and note who was heard; a WebSocket that does not work is a gap."""
    found.urls.append(socket_of(url))
    try:
        heard = await listen(url, coins, seconds)
    except SourceError as error:
        found.gaps.append(f"trades were not listened to: {error}")
        return
    found.heard, found.unknown = heard.traders, heard.unknown
    if heard.left_out:
        found.gaps.append(
            f"{len(heard.left_out)} coins were not listened to, {heard.left_out[0]} the first: "
            "the venue allows 1,000 subscriptions"
        )
    if heard.connections > 1:
        found.gaps.append(f"the WebSocket was lost {heard.connections - 1} times")
