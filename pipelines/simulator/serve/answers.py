"""This module answers requests for information: the venue's state and a body in, JSON out.

What the venue says of a coin or dex that does not exist is not documented: here ``l2Book`` is
null, and everything else fails.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from pipelines.simulator.serve import bodies
from pipelines.simulator.serve.bodies import BadBody, NoAnswer
from pipelines.simulator.serve.book import l2_book
from pipelines.simulator.serve.candles import candle_rows
from pipelines.simulator.serve.fills import fills_by_time, newest_fills, recent_trades
from pipelines.simulator.serve.listing import margin_table, meta
from pipelines.simulator.serve.markets import all_mids, asset_contexts, funding_history
from pipelines.simulator.serve.states import clearinghouse_state
from pipelines.simulator.serve.venue import Venue

_USDC = {
    "name": "USDC",
    "szDecimals": 8,
    "weiDecimals": 8,
    "index": 0,
    "tokenId": f"0x{0:032x}",
    "isCanonical": True,
}


class Answer(NamedTuple):
    """What is said to a request, and of what type the request was."""

    kind: str
    value: Any


def kind_of(body: object) -> str:
    """Return the type of a request.

    Raises
    ------
    BadBody
        If it has none that this venue knows.
    """
    if not isinstance(body, dict):
        raise BadBody
    kind = bodies.field(body, "type", str)
    if kind not in ANSWERS:
        raise BadBody
    return kind


def answer(venue: Venue, body: object) -> Answer:
    """Answer a request.

    Parameters
    ----------
    venue
        What the venue knows.
    body
        The request's, as parsed from JSON.

    Raises
    ------
    BadBody
        If its type is not known, or a field is missing or of another kind.
    NoAnswer
        If it asks for a coin, dex or table that does not exist.
    """
    kind = kind_of(body)
    return Answer(kind, ANSWERS[kind](venue, body))


def _meta(venue: Venue, body: dict[str, Any]) -> Any:
    bodies.first_dex(body)
    return _first_meta(venue, body)


def _first_meta(venue: Venue, body: dict[str, Any]) -> Any:
    return meta(venue.listing, venue.contexts["listed"].tolist())


def _contexts(venue: Venue, body: dict[str, Any]) -> Any:
    return [_meta(venue, body), asset_contexts(venue)]


def _mids(venue: Venue, body: dict[str, Any]) -> Any:
    bodies.first_dex(body)
    return all_mids(venue)


def _state(venue: Venue, body: dict[str, Any]) -> Any:
    account = _account(venue, body)
    bodies.first_dex(body)
    return clearinghouse_state(venue, account)


def _states(venue: Venue, body: dict[str, Any]) -> Any:
    asked = bodies.users(body)
    bodies.first_dex(body)
    accounts = (venue.listing.account_of.get(user) for user in asked)
    return [None if one is None else clearinghouse_state(venue, one) for one in accounts]


def _fills(venue: Venue, body: dict[str, Any]) -> Any:
    together = bool(bodies.maybe(body, "aggregateByTime", bool))
    return newest_fills(venue, _account(venue, body), together)


def _fills_by_time(venue: Venue, body: dict[str, Any]) -> Any:
    together = bool(bodies.maybe(body, "aggregateByTime", bool))
    account = _account(venue, body)
    return fills_by_time(venue, account, *bodies.times(body), together)


def _candles(venue: Venue, body: dict[str, Any]) -> Any:
    asked = bodies.field(body, "req", dict)
    interval, (since, until) = bodies.interval(asked), bodies.times(asked)
    c = _coin(venue, asked)
    name, places = venue.listing.names[c], venue.listing.size_decimals[c]
    return candle_rows(venue.candles[interval], c, name, places, since, until)


def _funding(venue: Venue, body: dict[str, Any]) -> Any:
    since, until = bodies.times(body)
    return funding_history(venue, _coin(venue, body), since, until)


def _book(venue: Venue, body: dict[str, Any]) -> Any:
    figures, mantissa = bodies.rounding(body)
    c = venue.listing.coin_of.get(bodies.field(body, "coin", str))
    return None if c is None else l2_book(venue, c, figures, mantissa)


def _trades(venue: Venue, body: dict[str, Any]) -> Any:
    return recent_trades(venue, _coin(venue, body))


def _table(venue: Venue, body: dict[str, Any]) -> Any:
    table = margin_table(venue.listing, bodies.field(body, "id", int))
    if table is None:
        raise NoAnswer(body["id"])
    return table


def _mode(venue: Venue, body: dict[str, Any]) -> Any:
    bodies.address(body.get("user"))
    return "default"


def _balances(venue: Venue, body: dict[str, Any]) -> Any:
    bodies.address(body.get("user"))
    return {"balances": []}


def _account(venue: Venue, body: dict[str, Any]) -> int | None:
    return venue.listing.account_of.get(bodies.address(body.get("user")))


def _coin(venue: Venue, body: dict[str, Any]) -> int:
    name = bodies.field(body, "coin", str)
    if name not in venue.listing.coin_of:
        raise NoAnswer(name)
    return venue.listing.coin_of[name]


ANSWERS: dict[str, Callable[[Venue, dict[str, Any]], Any]] = {
    "meta": _meta,
    "metaAndAssetCtxs": _contexts,
    "allPerpMetas": lambda venue, body: [_first_meta(venue, body)],
    "allMids": _mids,
    "clearinghouseState": _state,
    "batchClearinghouseStates": _states,
    "userFills": _fills,
    "userFillsByTime": _fills_by_time,
    "candleSnapshot": _candles,
    "fundingHistory": _funding,
    "l2Book": _book,
    "recentTrades": _trades,
    "marginTable": _table,
    "perpDexs": lambda venue, body: [None],
    "spotMeta": lambda venue, body: {"tokens": [_USDC], "universe": []},
    "spotClearinghouseState": _balances,
    "userAbstraction": _mode,
    "exchangeStatus": lambda venue, body: {"time": venue.ms, "specialStatuses": None},
}
