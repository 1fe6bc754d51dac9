import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from pipelines.sources.made_trade_ids import made_trade_id
from pipelines.sources.node_trade_rows import to_fills
from tests.pipelines.data_fills import OTHER, USER, above_zero, body_of, decimals, users

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


MICROSECOND = timedelta(microseconds=1)


def side(**changes):
    whole = {"user": USER, "start_pos": "0.0", "oid": 11, "twap_id": None, "cloid": None}
    whole |= changes
    return {name: value for name, value in whole.items() if value is not ...}


def trade(buyer=None, seller=None, **changes):
    """Return one trade; a field given as ``...`` is left out."""
    whole = {
        "coin": "AAVE",
        "side": "B",
        "time": "2025-05-25T13:59:59.974190721",
        "px": "264.56",
        "sz": "0.06",
        "hash": "0x84a0",
        "trade_dir_override": "Na",
        "side_info": [
            side(**(buyer or {})),
            side(**{"user": OTHER, "oid": 12} | (seller or {})),
        ],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def rows_of(*trades):
    return to_fills(body_of(map(json.dumps, trades)), "13.lz4")[0].to_pylist()


def word_of(coin, start, size, is_buy):
    """Say what a fill does, one case after the other."""
    if coin.startswith("@") or "/" in coin:
        return "Buy" if is_buy else "Sell"
    if size <= 0:
        return None
    end = start + size if is_buy else start - size
    if is_buy:
        if start >= 0:
            return "Open Long"
        return "Close Short" if end <= 0 else "Short > Long"
    if start <= 0:
        return "Open Short"
    return "Close Long" if end >= 0 else "Long > Short"


def moment_of(text):
    whole, _, rest = text.partition(".")
    time = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return time + int(rest.ljust(9, "0")) // 1000 * MICROSECOND


def plain(body):
    """Read trades the slow way."""
    rows, unknown = [], Counter()
    known = {*("coin", "side", "time", "px", "sz", "hash"), "trade_dir_override", "side_info"}
    for line in body.splitlines():
        given = json.loads(line)
        unknown.update(given.keys() - known)
        both, time = given["side_info"], moment_of(given["time"])
        size, forced = float(given["sz"]), given["trade_dir_override"] == "LiquidatedMarket"
        pair = []
        for place, each in enumerate(both):
            odd = each.keys() - {"user", "start_pos", "oid", "twap_id", "cloid"}
            unknown.update(f"side_info.{name}" for name in odd)
            start, is_buy = float(each["start_pos"]), place == 0
            word = word_of(given["coin"], start, size, is_buy)
            if both[0]["user"].lower() == both[1]["user"].lower():
                word = None
            if given["trade_dir_override"] == "NetChildVaultPositions":
                word = "Net Child Vaults"
            pair.append(
                {
                    "time_ts": time,
                    "coin": given["coin"],
                    "account": each["user"].lower(),
                    "px": float(given["px"]),
                    "size": size,
                    "is_buy": is_buy,
                    "start_position": start,
                    "direction": word,
                    "closed_pnl": None,
                    "fee": None,
                    "fee_token": None,
                    "trade_id": made_trade_id(
                        *(one["oid"] for one in both),
                        (time - EPOCH) // MICROSECOND,
                        given["coin"],
                    ),
                    "order_id": each["oid"],
                    "is_taker": is_buy == (given["side"] == "B"),
                    "liquidation_method": "market" if forced else None,
                    "liquidated_account": None,
                    "liquidation_mark_px": None,
                }
            )
        taker = next(row for row in pair if row["is_taker"])
        if forced and (taker["direction"] or "").startswith("Close "):
            for row in pair:
                row["liquidated_account"] = taker["account"]
        rows += pair
    return rows, unknown


sides = st.fixed_dictionaries(
    {
        "user": users,
        "start_pos": decimals | st.sampled_from(["0.0", "-0.5", "0.5"]),
        "oid": st.integers(-(2**63), 2**63 - 1),
    },
    optional={"twap_id": st.none() | st.integers(), "cloid": st.none(), "mood": st.integers()},
)


trades = st.fixed_dictionaries(
    {
        "coin": st.sampled_from(["BTC", "xyz:TSLA", "@107", "PURR/USDC", "ÉTH"]),
        "side": st.sampled_from("AB"),
        "time": st.sampled_from(
            [
                "2025-05-25T13:59:59.974190721",
                "2025-03-22T10:00:00",
                "2025-06-21T23:59:59.9",
                "1970-01-01T00:00:00.000000999",
            ]
        ),
        "px": above_zero,
        "sz": above_zero | st.sampled_from(["0.5", "0.0"]),
        "trade_dir_override": st.sampled_from(
            ["Na", "LiquidatedMarket", "NetChildVaultPositions"]
        ),
        "side_info": st.lists(sides, min_size=2, max_size=2),
    },
    optional={"hash": st.text(max_size=3), "shard": st.integers()},
)


files = st.lists(trades, max_size=4)
