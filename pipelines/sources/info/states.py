"""This module translates ``clearinghouseState``: one account's positions on one dex.

Hyperliquid docs, "Perpetuals: retrieve user's perpetuals account summary" (read 2026-08-22).
The mark the venue used is ``positionValue / |szi|``; ``liquidationPx`` is null where there is
none; ``leverage.rawUsd`` is given for isolated positions only.
"""

from datetime import datetime
from typing import Any, NamedTuple

from pipelines.sources.info.fields import Fields

KNOWN = frozenset(
    {
        "assetPositions",
        "crossMaintenanceMarginUsed",
        "crossMarginSummary",
        "marginSummary",
        "time",
        "withdrawable",
    }
)
KNOWN_OF_POSITION = frozenset(
    {
        "coin",
        "cumFunding",
        "entryPx",
        "leverage",
        "liquidationPx",
        "marginUsed",
        "maxLeverage",
        "maxTradeSzs",
        "positionValue",
        "returnOnEquity",
        "szi",
        "unrealizedPnl",
    }
)
LEVERAGE_TYPES = ("cross", "isolated")


class State(NamedTuple):
    """One account at one moment.

    Attributes
    ----------
    time_ts
        The venue's own time of the answer.
    account_value
        USD, isolated margin included.
    positions
        Rows of ``positions``, but for the columns that a sweep adds.
    unknown
        Fields that are not known, by name.
    """

    time_ts: datetime
    account_value: float
    positions: list[dict[str, Any]]
    unknown: set[str]


def to_state(answer: Any, account: str) -> State:
    """Translate one answer.  Pure.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, naming account and field.

    Examples
    --------
    >>> position = {
    ...     "coin": "ETH", "szi": "0.0335", "entryPx": "2986.3", "positionValue": "100.02765",
    ...     "liquidationPx": "2866.26936529", "marginUsed": "4.967826", "maxLeverage": 50,
    ...     "leverage": {"type": "isolated", "value": 20, "rawUsd": "-95.059824"},
    ... }
    >>> state = to_state(
    ...     {
    ...         "assetPositions": [{"position": position, "type": "oneWay"}],
    ...         "marginSummary": {"accountValue": "13109.482328"}, "time": 1708622398623,
    ...     },
    ...     "0x" + "ab" * 20,
    ... )
    >>> row = state.positions[0]
    >>> row["coin"], row["size"], round(row["mark_px"], 2), row["leverage_type"]
    ('ETH', 0.0335, 2985.9, 'isolated')
    >>> row["liquidation_px"], row["margin_used"], state.account_value
    (2866.26936529, 4.967826, 13109.482328)
    """
    fields = Fields(answer, f"clearinghouseState {account}")
    at, value = fields.moment("time"), fields.object("marginSummary").decimal("accountValue")
    rows, unknown = to_positions(fields, account, value)
    return State(at, value, rows, unknown | (set(fields.value) - KNOWN))


def to_positions(
    fields: Fields, account: str, account_value: float | None
) -> tuple[list[dict[str, Any]], set[str]]:
    """Translate ``assetPositions`` alone, for who gives them without the rest.  Pure.

    Parameters
    ----------
    fields
        The object that holds them.
    account
        Whose they are.
    account_value
        USD; None where it is not given.

    Returns
    -------
    list
        Rows of ``positions``, but for the columns that a sweep adds.
    set
        Fields that are not known, by name.

    Raises
    ------
    SourceError
        If a field is missing or mistyped.
    """
    rows: dict[str, dict[str, Any]] = {}
    unknown: set[str] = set()
    for each in fields.objects("assetPositions"):
        held = each.object("position")
        unknown |= {f"position.{name}" for name in set(held.value) - KNOWN_OF_POSITION}
        if row := _position(held, account, account_value):
            if row["coin"] in rows:
                raise held.wrong("coin", "there once", row["coin"])
            rows[row["coin"]] = row
    return list(rows.values()), unknown


def _position(held: Fields, account: str, account_value: float | None) -> dict[str, Any] | None:
    """Return one position's row; None where its size is 0."""
    size = held.decimal("szi")
    if size == 0:
        return None
    value, leverage = held.above_zero("positionValue"), held.object("leverage")
    kind = leverage.text("type")
    if kind not in LEVERAGE_TYPES:
        raise leverage.wrong("type", " or ".join(LEVERAGE_TYPES), kind)
    funding = held.value.get("cumFunding")
    paid = Fields(funding, f"{held.where} cumFunding") if funding is not None else None
    since_open = paid.maybe_decimal("sinceOpen") if paid else None
    return {
        "coin": held.named("coin"),
        "account": account.lower(),
        "size": size,
        "entry_px": _above_zero(held.maybe_decimal("entryPx")),
        "mark_px": value / abs(size),
        "liquidation_px": _above_zero(held.maybe_decimal("liquidationPx")),
        "leverage": float(leverage.count("value")),
        "leverage_type": kind,
        "max_leverage": _most(held),
        "margin_used": held.maybe_decimal("marginUsed"),
        "account_value": account_value,
        # What the venue calls funding is what was paid; ours is what was gained.
        "funding_pnl": None if since_open is None else -since_open,
    }


def _above_zero(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _most(held: Fields) -> float | None:
    return None if held.value.get("maxLeverage") is None else float(held.count("maxLeverage"))
