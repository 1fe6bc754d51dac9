"""Adapters of what the venue answers and tells, and the same read slowly."""

import json
from collections import Counter

import orjson

from pipelines.sources.errors import SourceError
from pipelines.sources.info.account_fills import to_account_fills
from pipelines.sources.info.books import to_book
from pipelines.sources.info.dexes import to_dexes
from pipelines.sources.info.leaderboard import to_accounts
from pipelines.sources.info.metas import to_contexts, to_meta
from pipelines.sources.info.modes import MODES, to_mode, to_spot
from pipelines.sources.info.series import to_candles, to_funding
from pipelines.sources.info.states import to_state
from pipelines.sources.info.trades import to_heard, to_trades
from tests.hostile.adapters_of_files import book_row, position
from tests.hostile.driver import KNOWN, Adapter
from tests.hostile.mutations import json_mutation
from tests.hostile.plain import moment, or_none, parsed
from tests.pipelines import test_info_books as books_data
from tests.pipelines.test_info_answers import CONTEXT, META, STATE
from tests.pipelines.test_info_hostile import ACCOUNT, BAR, FILL, RATE, TRADE
from tests.pipelines.test_info_modes import USDC
from tests.reference.node_fills import to_row
from warehouse.contracts.tables import (
    ASSET_CONTEXTS,
    CANDLES,
    FILLS,
    FUNDING,
    INSTRUMENTS,
    ORDER_BOOKS,
    POSITIONS,
)

MORE = {"source": "test", "known_ts": KNOWN}
SWEPT = MORE | {"snapshot_ts": KNOWN, "scope": "hyperliquid", "liquidation_px_source": None}
FULL = CONTEXT | {
    "premium": "0.0003",
    "midPx": "100.5",
    "impactPxs": ["100.4", "100.6"],
    "prevDayPx": "98.0",
    "dayNtlVlm": "5000.5",
}


def asked(translate):
    """Return a reader of an answer's bytes; the client asks again where they are no JSON."""

    def read(body):
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise SourceError("the answer is no JSON") from error
        return translate(answer)

    return read


def meta_slowly(body):
    return _instruments(parsed(body))


def _instruments(meta):
    tables = {number: table["marginTiers"] for number, table in meta["marginTables"]}
    rows = []
    for each in meta["universe"]:
        most = each["maxLeverage"]
        lone = {"lowerBound": "0", "maxLeverage": each.get("marginTableId") or most}
        tiers = (
            tables[each["marginTableId"]] if (each.get("marginTableId") or 0) >= 50 else [lone]
        )
        if not each.get("isDelisted"):
            rows.append(
                {
                    "coin": each["name"],
                    "max_leverage": float(most),
                    "size_decimals": each["szDecimals"],
                    "margin_tiers": [
                        {
                            "lower_bound": float(tier["lowerBound"]),
                            "max_leverage": float(tier["maxLeverage"]),
                        }
                        for tier in tiers
                    ],
                }
            )
    return rows


def contexts_slowly(body):
    meta, contexts = parsed(body)
    names = {
        "mark_px": "markPx",
        "oracle_px": "oraclePx",
        "open_interest": "openInterest",
        "funding_rate": "funding",
        "premium": "premium",
        "mid_px": "midPx",
        "day_notional_volume": "dayNtlVlm",
    }
    rows = []
    for coin, each in zip(meta["universe"], contexts, strict=True):
        bid, ask = each.get("impactPxs") or (None, None)
        row = {ours: or_none(each.get(name)) for ours, name in names.items()}
        row |= {
            "coin": coin["name"],
            "impact_bid_px": or_none(bid),
            "impact_ask_px": or_none(ask),
        }
        if not coin.get("isDelisted"):
            rows.append(row | {"prev_day_px": or_none(each.get("prevDayPx")) or None})
    return rows


def contexts(answer):
    meta, rows = to_contexts(answer, KNOWN)
    return [(ASSET_CONTEXTS, rows), (INSTRUMENTS, meta.instruments)]


def state_slowly(body):
    state = parsed(body)
    value = float(state["marginSummary"]["accountValue"])
    held = [each["position"] for each in state["assetPositions"]]
    return [
        position(each) | {"account": ACCOUNT, "account_value": value}
        for each in held
        if float(each["szi"]) != 0
    ]


def candles_slowly(body):
    rows = []
    for bar in parsed(body):
        names = {"open_px": "o", "high_px": "h", "low_px": "l", "close_px": "c"}
        row = {ours: float(bar[name]) for ours, name in names.items()}
        row |= {"coin": bar["s"], "interval": bar["i"], "volume": or_none(bar.get("v"))}
        if moment(bar["T"]) < KNOWN:
            rows.append(row | {"start_ts": moment(bar["t"]), "known_ts": moment(bar["T"] + 1)})
    return rows


def funding_slowly(body):
    return [
        {
            "coin": each["coin"],
            "rate": float(each["fundingRate"]),
            "time_ts": moment(each["time"]),
        }
        for each in parsed(body)
    ]


def trades(trades):
    return [(None, [trade._asdict() for trade in trades])]


def trades_slowly(given):
    return [
        {
            "coin": each["coin"],
            "time_ts": moment(each["time"]),
            "trade_id": each["tid"],
            "notional": float(each["px"]) * float(each["sz"]),
            "accounts": tuple(user.lower() for user in each["users"]),
        }
        for each in given
    ]


def heard(body):
    unknown = Counter()
    told = trades(to_heard(body, unknown))
    assert unknown.total() <= 1
    assert all(name.isprintable() for name in unknown)
    return told


def heard_slowly(body):
    try:
        message = orjson.loads(body)
    except ValueError:
        return []
    told = isinstance(message, dict) and message.get("channel") == "trades"
    return trades_slowly(message["data"]) if told else []


def fills_slowly(body):
    return [to_row(ACCOUNT, fill, fill.get("liquidation")) for fill in parsed(body)]


def board_slowly(body):
    rows = parsed(body)["leaderboardRows"]
    return [
        {"account": account, "value": value}
        for account, value in {
            each["ethAddress"].lower(): float(each["accountValue"]) for each in rows
        }.items()
    ]


def board(answer):
    found = to_accounts(answer).items()
    return [(None, [{"account": account, "value": value} for account, value in found])]


def spot_slowly(body):
    held = parsed(body)["balances"]
    return [{"usdc": sum(float(each["total"]) for each in held if each["token"] == 0)}]


def lone(**values):
    return [(None, [values])]


def dexes_slowly(body):
    return [{"dex": each["name"] if each else ""} for each in parsed(body)]


def of(answer, translate, slowly, more=MORE, contract=False):
    return Adapter(
        json.dumps(answer).encode(), json_mutation, asked(translate), slowly, more, contract
    )


LATER = BAR | {"t": 60_000, "T": 119_999, "o": "2.5", "h": "3.0", "v": None}
PURR = {"coin": "PURR", "token": 1, "total": "2000", "hold": "100"}
SECOND = TRADE | {"tid": 8, "coin": "xyz:TSLA", "side": "A"}
MESSAGE = {"channel": "trades", "data": [TRADE, SECOND]}
BOARD = {"leaderboardRows": [{"ethAddress": ACCOUNT, "accountValue": "1.5", "prize": 0}] * 2}

ADAPTERS = {
    "meta": of(
        META, lambda answer: [(INSTRUMENTS, to_meta(answer, KNOWN).instruments)], meta_slowly
    ),
    "contexts": of([META, [FULL, FULL | {"impactPxs": None}]], contexts, contexts_slowly),
    "state": of(
        STATE,
        lambda answer: [(POSITIONS, to_state(answer, ACCOUNT).positions)],
        state_slowly,
        SWEPT,
    ),
    "spot": of(
        {"balances": [USDC, PURR]},
        lambda answer: lone(usdc=float(to_spot(answer, ACCOUNT).usdc)),
        lambda body: [{"usdc": float(row["usdc"])} for row in spot_slowly(body)],
    ),
    "mode": of(
        "unifiedAccount",
        lambda answer: lone(word=to_mode(answer, ACCOUNT).word),
        lambda body: [{"word": MODES.get(parsed(body))}],
    ),
    "candleSnapshot": of(
        [BAR, LATER],
        lambda answer: [(CANDLES, to_candles(answer, "BTC", "1m", KNOWN))],
        candles_slowly,
    ),
    "fundingHistory": of(
        [RATE, RATE | {"time": 3_600_001}],
        lambda answer: [(FUNDING, to_funding(answer, "BTC"))],
        funding_slowly,
    ),
    "userFillsByTime": of(
        [FILL, FILL | {"tid": 10, "liquidation": None}],
        lambda answer: [(FILLS, to_account_fills(answer, ACCOUNT)[0])],
        fills_slowly,
        contract=True,
    ),
    "recentTrades": of(
        [TRADE, SECOND],
        lambda answer: trades(to_trades(answer, "recentTrades BTC")),
        lambda body: trades_slowly(parsed(body)),
    ),
    "messages": Adapter(json.dumps(MESSAGE).encode(), json_mutation, heard, heard_slowly, MORE),
    "l2Book": of(
        books_data.book(),
        lambda answer: [(ORDER_BOOKS, [to_book(answer, "SOL")])],
        lambda body: [book_row(parsed(body))],
    ),
    "leaderboard": of(BOARD, board, board_slowly),
    "perpDexs": of(
        [None, {"name": "xyz", "fullName": "XYZ"}],
        lambda answer: [(None, [{"dex": name} for name in to_dexes(answer)])],
        dexes_slowly,
    ),
}
