"""This module reads what WebSocket clients ask for, and words what they are told.

Hyperliquid docs, "WebSocket" (read 2026-08-22).  The errors are worded as the venue's were seen
to be; those about limits are not documented, and are ours.
"""

from functools import cache
from typing import Any, NamedTuple

import orjson

from pipelines.simulator.serve import bodies
from pipelines.simulator.serve.bodies import BadBody
from pipelines.simulator.serve.book import l2_book
from pipelines.simulator.serve.fills import latest_trades, replayed_trades
from pipelines.simulator.serve.markets import all_mids, asset_contexts
from pipelines.simulator.serve.venue import Venue

PONG = b'{"channel":"pong"}'


class Topic(NamedTuple):
    """What can be subscribed to; equal ones are the same subscription."""

    kind: str
    coin: str | None = None
    figures: int | None = None
    mantissa: int | None = None
    fast: bool = False

    def told(self) -> dict[str, Any]:
        """Return it as the venue repeats it to the client."""
        if self.coin is None:
            return {"type": self.kind}
        if self.kind != "l2Book":
            return {"type": self.kind, "coin": self.coin}
        return {
            "type": self.kind,
            "coin": self.coin,
            "nSigFigs": self.figures,
            "mantissa": self.mantissa,
            "fast": self.fast,
        }


class Request(NamedTuple):
    """A client's message: ``ping``, or ``subscribe`` and ``unsubscribe`` with a topic."""

    method: str
    topic: Topic | None


def parse_request(text: str | bytes) -> Request:
    """Read a client's message.

    Raises
    ------
    BadBody
        If it is not one.

    >>> parse_request('{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}')
    Request(method='subscribe', topic=Topic(kind='trades', coin='BTC', figures=None, \
mantissa=None, fast=False))
    """
    try:
        body = orjson.loads(text)
    except ValueError:
        raise BadBody from None
    if not isinstance(body, dict):
        raise BadBody
    method = body.get("method")
    if method == "ping":
        return Request("ping", None)
    if method not in ("subscribe", "unsubscribe"):
        raise BadBody
    return Request(method, _topic(bodies.field(body, "subscription", dict)))


def _topic(asked: dict[str, Any]) -> Topic:
    kind = bodies.field(asked, "type", str)
    if kind == "allMids":
        if bodies.maybe(asked, "dex", str):
            raise BadBody
        return Topic(kind)
    if kind in ("trades", "activeAssetCtx"):
        return Topic(kind, bodies.field(asked, "coin", str))
    if kind == "l2Book":
        figures, mantissa = bodies.rounding(asked)
        fast = bool(bodies.maybe(asked, "fast", bool))
        return Topic(kind, bodies.field(asked, "coin", str), figures, mantissa, fast)
    raise BadBody


def message(channel: str, value: Any) -> bytes:
    """Return what is sent to clients."""
    return orjson.dumps({"channel": channel, "data": value})


def error_of(text: str | bytes) -> bytes:
    """Return the answer to a message that makes no sense."""
    shown = text if isinstance(text, str) else text.decode(errors="replace")
    return message("error", f"Error parsing JSON into valid websocket request: {shown}")


def refusal(why: str, topic: Topic) -> bytes:
    """Return the answer to a subscription that cannot be."""
    return message("error", f"{why}: {orjson.dumps(topic.told()).decode()}")


def confirmation(request: Request) -> bytes:
    """Return the answer to a subscription that was made or ended."""
    told = {"method": request.method, "subscription": request.topic and request.topic.told()}
    return message("subscriptionResponse", told)


def first_message(venue: Venue, topic: Topic) -> bytes | None:
    """Return what a new subscriber is told at once; None: nothing."""
    if topic.kind == "trades":
        trades = replayed_trades(venue, venue.listing.coin_of[topic.coin])
        return message("trades", trades) if trades else None
    return messages(venue, [topic], 0)[topic]


def messages(venue: Venue, topics: list[Topic], count: int) -> dict[Topic, bytes | None]:
    """Return what subscribers are told after a minute; None: nothing happened to it.

    Parameters
    ----------
    venue
        After the minute.
    topics
        What is subscribed to; their coins exist.
    count
        Trades of the minute.
    """
    contexts = cache(lambda: asset_contexts(venue))
    out: dict[Topic, bytes | None] = {}
    for topic in topics:
        c = venue.listing.coin_of.get(topic.coin or "", -1)
        value: Any
        if topic.kind == "trades":
            value = latest_trades(venue, c, count) if count else []
        elif topic.kind == "l2Book":
            value = l2_book(venue, c, topic.figures, topic.mantissa)
        elif topic.kind == "activeAssetCtx":
            value = {"coin": topic.coin, "ctx": contexts()[c]}
        else:
            value = {"mids": all_mids(venue)}
        out[topic] = message(topic.kind, value) if value != [] else None
    return out
