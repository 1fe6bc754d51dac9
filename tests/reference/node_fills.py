"""Node fills the slow way: plain json, one dict after the other."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

FILL = {
    *("coin", "px", "sz", "side", "time", "startPosition", "dir", "closedPnl", "hash", "oid"),
    *("crossed", "fee", "tid", "cloid", "feeToken", "twapId", "builder", "builderFee"),
    *("deployerFee", "liquidation"),
}
BLOCK = {"local_time", "block_time", "block_number", "events"}
LIQUIDATION = {"liquidatedUser", "markPx", "method"}
GRAIN = ("time_ts", "coin", "trade_id", "account", "is_buy")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_rows(body):
    """Return the rows of one file, and how often each unknown field came."""
    rows, unknown = [], Counter()
    for line in body.splitlines():
        block = json.loads(line)
        for name in block:
            if name not in BLOCK:
                unknown[f"block.{name}"] += 1
        for user, fill in block["events"]:
            liquidation = fill.get("liquidation")
            for name in fill:
                if name not in FILL:
                    unknown[name] += 1
            for name in liquidation or {}:
                if name not in LIQUIDATION:
                    unknown[f"liquidation.{name}"] += 1
            rows.append(to_row(user, fill, liquidation))
    return rows, unknown


def to_row(user, fill, liquidation):
    method = account = mark = None
    if liquidation is not None:
        method = liquidation["method"]
        account = liquidation.get("liquidatedUser")
        mark = liquidation.get("markPx")
    if fill["dir"] == "Auto-Deleveraging":
        method = "adl"
    return {
        "time_ts": EPOCH + timedelta(milliseconds=fill["time"]),
        "coin": fill["coin"],
        "account": user.lower(),
        "px": float(fill["px"]),
        "size": float(fill["sz"]),
        "is_buy": fill["side"] == "B",
        "start_position": float(fill["startPosition"]),
        "direction": fill["dir"],
        "closed_pnl": float(fill["closedPnl"]),
        "fee": float(fill["fee"]),
        "fee_token": fill["feeToken"],
        "trade_id": fill["tid"],
        "order_id": fill["oid"],
        "is_taker": fill["crossed"],
        "liquidation_method": method,
        "liquidated_account": None if account is None else account.lower(),
        "liquidation_mark_px": None if mark is None else float(mark),
    }


def landed(bodies, source):
    """Return the rows of a lake into which all files were landed, and what was dropped.

    ``bodies`` is hour -> lines.  Of rows that share a grain the first known is kept.
    """
    kept, duplicates, disagreeing = {}, 0, 0
    for hour in sorted(bodies):
        for row in to_rows(bodies[hour])[0]:
            key = tuple(row[name] for name in GRAIN)
            if key in kept:
                duplicates += 1
                first = kept[key]
                disagreeing += any(row[name] != first[name] for name in row)
            else:
                known = max(hour + timedelta(hours=2, minutes=2), row["time_ts"])
                kept[key] = row | {"source": source, "known_ts": known}
    return list(kept.values()), duplicates, disagreeing
