"""This module translates public trades: who traded what, without a word on liquidations.

``recentTrades`` and the WebSocket's ``trades`` hold the same rows.  Hyperliquid docs,
"WebSocket: subscriptions" (read 2026-08-22): ``users`` are buyer and seller, and a trade is
unique by its block's time, coin and ``tid``.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from pipelines.sources.info.dexes import dex_of
from pipelines.sources.info.fields import objects, shown
from pipelines.sources.info.leaderboard import ADDRESS


class Trade(NamedTuple):
    """One trade.

    Attributes
    ----------
    coin, time_ts, trade_id
        Which it is.
    notional
        px times size, USD.
    accounts
        Buyer and seller, lower case.
    """

    coin: str
    time_ts: datetime
    trade_id: int
    notional: float
    accounts: tuple[str, str]


class Trader(NamedTuple):
    """What was heard of one account.

    Attributes
    ----------
    first_ts, last_ts
        Of its trades.
    notional
        Sum of |px x size| over its trades, USD.
    dexes
        Where it traded; the first dex is nameless.
    """

    first_ts: datetime
    last_ts: datetime
    notional: float
    dexes: frozenset[str]


def to_trades(answer: Any, where: str) -> list[Trade]:
    """Translate a list of public trades.  Pure.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or a trade has not two addresses.

    Examples
    --------
    >>> trade, = to_trades([{"coin": "BTC", "side": "B", "px": "100.5", "sz": "2", "tid": 7,
    ...     "time": 1767571200000, "users": ["0x" + "AB" * 20, "0x" + "cd" * 20]}], "trades")
    >>> trade.notional, trade.accounts[0][:6]
    (201.0, '0xabab')
    """
    trades = []
    for each in objects(answer, where):
        users = each.value.get("users")
        if not isinstance(users, list) or len(users) != 2 or not all(map(_is_address, users)):
            raise each.wrong("users", "two addresses", users)
        px, size = each.decimal("px"), each.decimal("sz")
        for name, value in (("px", px), ("sz", size)):
            if value < 0:
                raise each.wrong(name, "0 or more", value)
        trades.append(
            Trade(
                each.text("coin"),
                each.moment("time"),
                each.integer("tid"),
                px * size,
                (users[0].lower(), users[1].lower()),
            )
        )
    return trades


def to_heard(text: str | bytes, unknown: Counter[str]) -> list[Trade]:
    """Translate one message to its trades; what it is instead is counted in ``unknown``.

    Raises
    ------
    SourceError
        If a trade is not as documented.

    Examples
    --------
    >>> unknown = Counter()
    >>> to_heard('{"channel":"pong"}', unknown), to_heard('{"channel":"sky"}', unknown)
    ([], [])
    >>> dict(unknown)
    {"channel 'sky'": 1}
    """
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        unknown["no JSON"] += 1
        return []
    channel = message.get("channel") if isinstance(message, dict) else None
    if channel == "trades":
        return to_trades(message.get("data"), "trades")
    if channel == "error":
        unknown[f"error {shown(message.get('data'))}"] += 1
    elif channel not in ("pong", "subscriptionResponse"):
        unknown[f"channel {shown(channel)}"] += 1
    return []


def traders_of(trades: Iterable[Trade]) -> dict[str, Trader]:
    """Return what trades tell of each account that took part."""
    found: dict[str, Trader] = {}
    for trade in trades:
        dex = frozenset({dex_of(trade.coin)})
        for account in set(trade.accounts):
            new = Trader(trade.time_ts, trade.time_ts, trade.notional, dex)
            found[account] = merged(found[account], new) if account in found else new
    return found


def merged(one: Trader, other: Trader) -> Trader:
    """Return what two hearings tell of the same account."""
    return Trader(
        min(one.first_ts, other.first_ts),
        max(one.last_ts, other.last_ts),
        one.notional + other.notional,
        one.dexes | other.dexes,
    )


def _is_address(value: object) -> bool:
    return isinstance(value, str) and ADDRESS.fullmatch(value) is not None
