"""This module listens to public trades over WebSocket, to learn who trades just now.

Hyperliquid docs, "WebSocket" and "Rate limits" (read 2026-08-22): 1,000 subscriptions, 30 new
connections and 2,000 messages a minute and address; the server hangs up after 60 s in which it
sent nothing, which a ``ping`` prevents.  A new subscriber is told the trades of the last
seconds (6 s were seen) again, so a trade is counted once by its time, coin and ``tid``.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from pipelines.sources.errors import SourceError, UnreachableError, public
from pipelines.sources.info.trades import Trade, Trader, merged, to_heard, traders_of

SUBSCRIPTIONS = 1_000
PING_EVERY = 50.0  # s
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0  # s; 2 s, doubled, is below 30 connections a minute
LARGEST_MESSAGE = 16 * 2**20  # bytes
REMEMBERED = 200_000  # trades; far more than the seconds that are told again hold
PING = orjson.dumps({"method": "ping"}).decode()


class Heard(NamedTuple):
    """What listening brought.

    Attributes
    ----------
    traders
        By account.
    trades
        How many different ones.
    repeated
        How many were told again.
    connections
        How often it connected; all but the first after a loss.
    unknown
        Messages and errors that are not known -> how often they came.
    left_out
        Coins beyond the venue's limit of subscriptions.
    """

    traders: dict[str, Trader]
    trades: int
    repeated: int
    connections: int
    unknown: Counter[str]
    left_out: list[str]


async def listen(
    url: str,
    coins: Sequence[str],
    seconds: float,
    *,
    say: Callable[[str], None] = lambda line: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ping_every: float = PING_EVERY,
    seed: int | None = None,
) -> Heard:
    """Listen to the trades of ``coins`` and return who took part.

    Parameters
    ----------
    url
        The venue's API, ``http…``, or its WebSocket, ``ws…``.
    coins
        What to listen to; the first 1,000.
    seconds
        For how long, lost connections included.
    say
        Called with a line when a connection is lost.
    sleep, ping_every, seed
        For tests: how to wait for the next attempt, s between pings, and the jitter's seed.

    Raises
    ------
    SourceError
        If a trade is not as documented.
    UnreachableError
        If there was no connection in all the time.
    """
    ear = _Ear(list(coins[:SUBSCRIPTIONS]), ping_every)
    address, wait, trouble = socket_of(url), FIRST_WAIT, "no time"
    jitter = random.Random(seed)
    try:
        async with asyncio.timeout(seconds):
            while True:
                before = ear.trades
                try:
                    async with connect(address, max_size=LARGEST_MESSAGE) as socket:
                        await ear.hear(socket)
                    trouble = "the venue hung up"
                except (WebSocketException, OSError) as error:
                    if isinstance(error, InvalidURI):
                        raise SourceError(f"{public(address)}: is no WebSocket URL") from error
                    trouble = f"connection failed ({type(error).__name__})"
                    if isinstance(error, InvalidHandshake):
                        trouble = "the venue refused the connection"
                # Trades were heard: the venue is well, and the next wait is short again.
                wait = FIRST_WAIT if ear.trades > before else min(LONGEST_WAIT, 2 * wait)
                say(f"{public(address)}: {trouble}; connects again")
                await sleep(wait * (0.5 + jitter.random()))
    except TimeoutError:
        if not ear.connections:
            raise UnreachableError(f"{public(address)}: {trouble}, for {seconds:g} s") from None
    return ear.heard(list(coins[SUBSCRIPTIONS:]))


def socket_of(url: str) -> str:
    """Return the address of a venue's WebSocket.

    >>> socket_of("https://api.hyperliquid.xyz"), socket_of("ws://127.0.0.1:3001/ws")
    ('wss://api.hyperliquid.xyz/ws', 'ws://127.0.0.1:3001/ws')
    """
    if url.startswith(("ws://", "wss://")):
        return url
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"venue {public(url)}: must be an http:// or https:// URL")
    return f"ws{url.removeprefix('http').rstrip('/')}/ws"


class _Ear:
    """What has been heard so far, over all connections."""

    def __init__(self, coins: list[str], ping_every: float) -> None:
        self.coins, self.ping_every = coins, ping_every
        self.traders: dict[str, Trader] = {}
        self.repeated = self.connections = self.trades = 0
        self.unknown: Counter[str] = Counter()
        self._recent: dict[tuple[Any, ...], None] = {}

    async def hear(self, socket: ClientConnection) -> None:
        """Subscribe, and take in what is told until the connection ends."""
        self.connections += 1
        for coin in self.coins:
            topic = {"type": "trades", "coin": coin}
            await socket.send(
                orjson.dumps({"method": "subscribe", "subscription": topic}).decode()
            )
        pinger = asyncio.create_task(self._ping(socket))
        try:
            async for text in socket:
                self.take(to_heard(text, self.unknown))
        finally:
            pinger.cancel()
            await asyncio.wait([pinger])

    async def _ping(self, socket: ClientConnection) -> None:
        try:
            while True:
                await asyncio.sleep(self.ping_every)
                await socket.send(PING)
        except WebSocketException:
            return  # whoever listens notices too

    def take(self, trades: list[Trade]) -> None:
        """Count trades that were not told before."""
        new = []
        for trade in trades:
            key = (trade.time_ts, trade.coin, trade.trade_id)
            if key in self._recent:
                self.repeated += 1
                continue
            self._recent[key] = None
            new.append(trade)
        while len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        self.trades += len(new)
        for account, trader in traders_of(new).items():
            known = self.traders.get(account)
            self.traders[account] = merged(known, trader) if known else trader

    def heard(self, left_out: list[str]) -> Heard:
        return Heard(
            self.traders, self.trades, self.repeated, self.connections, self.unknown, left_out
        )
