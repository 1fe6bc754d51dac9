"""This module states accounts as the venue's clearinghouse does.

Hyperliquid docs, "Margining" and "Info endpoint: perpetuals" (read 2026-08-22).  Everything but
the liquidation price and the maintenance margin is worked out in whole micro-USDC: an account's
value is its raw USD and the sum of sizes times marks.
"""

from typing import Any, NamedTuple

import numpy as np

from pipelines.simulator.serve.numbers import (
    liquidation_text,
    px_text,
    real_text,
    size_text,
    usd_text,
)
from pipelines.simulator.serve.venue import Venue


class _Sums(NamedTuple):
    value: int = 0  # of positions, signed
    notional: int = 0
    used: int = 0
    raw: int = 0

    def with_(self, value: int, used: int, raw: int = 0) -> "_Sums":
        return _Sums(
            self.value + value, self.notional + abs(value), self.used + used, self.raw + raw
        )

    def summary(self) -> dict[str, str]:
        return {
            "accountValue": usd_text(self.raw + self.value),
            "totalNtlPos": usd_text(self.notional),
            "totalRawUsd": usd_text(self.raw),
            "totalMarginUsed": usd_text(self.used),
        }


def clearinghouse_state(venue: Venue, account: int | None) -> dict[str, Any]:
    """Return the answer to ``clearinghouseState``; None: an address that never had any."""
    cross, isolated, needed, positions = _Sums(), _Sums(), 0.0, []
    if account is not None:
        holder = venue.moment.accounts[account]
        cross = _Sums(raw=int(holder["cash"]))
        stated = _stated(venue, account)
        slots = venue.moment.slots[holder["first"] : holder["end"]]
        held = slots[slots["size"] != 0]
        for slot in held[np.argsort(held["coin"])]:
            px, maintenance = stated[int(slot["coin"])]
            value = int(slot["size"] * venue.moment.coins["mark"][slot["coin"]])
            if slot["isolated"]:
                used = int(slot["margin"]) + value
                isolated = isolated.with_(value, used, int(slot["margin"]))
            else:
                used = _divided(abs(value), int(slot["leverage"]))
                cross = cross.with_(value, used)
                needed += maintenance
            positions.append(_position(venue, slot, value, used, px))
    whole = _Sums(*(a + b for a, b in zip(cross, isolated, strict=True)))
    free = max(0, cross.raw + cross.value - cross.used)
    return {
        "marginSummary": whole.summary(),
        "crossMarginSummary": cross.summary(),
        "crossMaintenanceMarginUsed": real_text(needed, 6),
        "withdrawable": usd_text(free),
        "assetPositions": positions,
        "time": venue.ms,
    }


def _stated(venue: Venue, account: int) -> dict[int, tuple[float | None, float]]:
    """Return liquidation price and maintenance margin, USD, by coin."""
    low, high = venue.first_position[account : account + 2].tolist()
    rows = venue.positions.slice(low, high - low)
    prices, maintenance = rows["liquidation_px"].to_list(), rows["maintenance"].to_list()
    return dict(zip(rows["coin"].to_list(), zip(prices, maintenance, strict=True), strict=True))


def _position(
    venue: Venue, slot: np.void, value: int, used: int, px: float | None
) -> dict[str, Any]:
    c = int(slot["coin"])
    places = venue.listing.size_decimals[c]
    paid = int(slot["size"] * slot["entry"])
    leverage: dict[str, Any] = {"type": "cross", "value": int(slot["leverage"])}
    if slot["isolated"]:
        leverage = {
            "type": "isolated",
            "value": int(slot["leverage"]),
            "rawUsd": usd_text(slot["margin"]),
        }
    # On the margin at entry: the documented sample is reproduced by that.
    earned = (value - paid) * int(slot["leverage"]) / max(1, abs(paid))
    return {
        "type": "oneWay",
        "position": {
            "coin": venue.listing.names[c],
            "szi": size_text(slot["size"], places),
            "leverage": leverage,
            "entryPx": px_text(slot["entry"], places),
            "positionValue": usd_text(abs(value)),
            "unrealizedPnl": usd_text(value - paid),
            "returnOnEquity": real_text(earned, 8),
            "liquidationPx": liquidation_text(px),
            "marginUsed": usd_text(used),
            "maxLeverage": int(slot["max_leverage"]),
            "cumFunding": {
                "allTime": usd_text(slot["funding_ever"]),
                "sinceOpen": usd_text(slot["funding"]),
                "sinceChange": usd_text(slot["funding_changed"]),
            },
        },
    }


def _divided(micro: int, by: int) -> int:
    """Return a whole number divided, rounded to the nearest."""
    return (2 * micro + by) // (2 * by)
