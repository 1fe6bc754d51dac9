"""This module knows what a question costs.

Hyperliquid docs, "Rate limits and user limits" (read 2026-08-22): 1200 a minute and address.
Most questions weigh 20, a few 2, one 60; lists weigh 1 more for every 20 items, candles for
every 60.  ``batchClearinghouseStates`` is not documented; it is taken to weigh 20.
"""

import math
from collections.abc import Mapping
from typing import Any

PER_MINUTE = 1200
_LIGHT, _USUAL, _HEAVY = 2, 20, 60
_WEIGHTS = {
    **dict.fromkeys(
        (
            "l2Book",
            "allMids",
            "clearinghouseState",
            "orderStatus",
            "spotClearinghouseState",
            "exchangeStatus",
        ),
        _LIGHT,
    ),
    "userRole": _HEAVY,
}
_BY_TWENTY = frozenset(
    {
        "recentTrades",
        "historicalOrders",
        "userFills",
        "userFillsByTime",
        "fundingHistory",
        "userFunding",
        "userNonFundingLedgerUpdates",
        "nonUserFundingUpdates",
        "twapHistory",
        "userTwapSliceFills",
        "userTwapSliceFillsByTime",
    }
)


def base_weight(body: Mapping[str, Any]) -> int:
    """Return what a question weighs before its answer is known.

    >>> base_weight({"type": "l2Book"}), base_weight({"type": "meta"})
    (2, 20)
    """
    return _WEIGHTS.get(body.get("type", ""), _USUAL)


def weight_of_items(body: Mapping[str, Any], items: int) -> int:
    """Return what the items of an answer weigh on top.

    >>> weight_of_items({"type": "userFills"}, 2000), weight_of_items({"type": "meta"}, 3)
    (100, 0)
    >>> weight_of_items({"type": "candleSnapshot"}, 61)
    2
    """
    if body.get("type") == "candleSnapshot":
        return math.ceil(items / 60)
    return math.ceil(items / 20) if body.get("type") in _BY_TWENTY else 0
