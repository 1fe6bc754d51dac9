"""Adapters of snapshots, books and market files, and the same read slowly."""

import io
from datetime import UTC, datetime

import lz4.frame
import orjson
import polars as pl

from pipelines.sources import (
    artemis_balance_lines,
    artemis_balances,
    asset_ctxs,
    l2_books,
    market_files,
    reservoir,
)
from pipelines.sources.hourly_files import unpacked
from tests.hostile.adapters_of_fills import One
from tests.hostile.driver import Adapter
from tests.hostile.mutations import csv_mutation, harmed, json_mutation
from tests.hostile.parquet_mutations import parquet_mutation
from tests.hostile.plain import Sheet, above_zero, csv_rows, iso, moment, or_none, parsed
from tests.pipelines import data_asset_ctxs as contexts_data
from tests.pipelines import data_l2_books as books_data
from tests.pipelines import data_reservoir as reservoir_data
from tests.pipelines import test_artemis_balances as balances_data
from tests.pipelines import test_market_files as market_data
from warehouse.contracts.tables import (
    ASSET_CONTEXTS,
    CANDLES,
    FUNDING,
    INSTRUMENTS,
    ORDER_BOOKS,
    POSITIONS,
)

SOURCE = {"source": "test"}
HELD = SOURCE | {"liquidation_px_source": None}
AT = datetime(2026, 1, 2, 18, 30, 15, tzinfo=UTC)
FILE = reservoir.SnapshotFile("f.parquet", "hyperliquid", AT)
SNAPSHOT = pl.DataFrame(
    [reservoir_data.record(), reservoir_data.record(2, "ETH", -2.0, liquidation_price=None)],
    schema_overrides=reservoir_data.SCHEMA,
).to_arrow()


def snapshot(body):
    return [(POSITIONS, reservoir.read(One(body), FILE).positions.to_arrow())]


def marks(sheet, notional, size):
    both = zip(sheet.numbers(notional), sheet.numbers(size), strict=True)
    return [value / abs(held) for value, held in both]


def snapshot_slowly(body):
    sheet = Sheet(body)
    return sheet.rows(
        account=[each.lower() for each in sheet.texts("user")],
        coin=sheet.texts("market"),
        size=sheet.numbers("size"),
        mark_px=marks(sheet, "notional", "size"),
        entry_px=[above_zero(each) for each in sheet.numbers("entry_price")],
        liquidation_px=[above_zero(each) for each in sheet.numbers("liquidation_price")],
        leverage=[above_zero(each) for each in sheet.numbers("leverage")],
        leverage_type=sheet.texts("leverage_type"),
        account_value=sheet.numbers("account_value"),
        funding_pnl=sheet.numbers("funding_pnl"),
        account_mode=sheet.texts("account_mode"),
    )


BALANCES = b"\n".join(
    orjson.dumps(each)
    for each in (
        {"_metadata": True},
        balances_data.line(1, {}, {"coin": "ETH", "szi": "0.0"}),
        balances_data.wrapped(
            2, {"coin": "SOL", "liquidationPx": None}, timestamp="2026-01-27"
        ),
    )
)


def balances(body):
    lines = artemis_balances.lines(io.BytesIO(body), balances_data.PATH)
    read = artemis_balance_lines.to_balances(lines, balances_data.PATH, balances_data.END)
    return [(POSITIONS, read.positions)]


def balances_slowly(body):
    lines = [parsed(line) for line in body.removesuffix(b"\n").split(b"\n")] if body else []
    rows = []
    for line in lines:
        if line.get("_metadata"):
            continue
        inner = (line["response"] or {}).get("perpetual") if "response" in line else line
        for each in (inner or {}).get("assetPositions") or []:
            held = each["position"]
            if float(held["szi"]) != 0:
                rows.append(
                    position(held) | {"account": line.get("user", line.get("address")).lower()}
                )
    return rows


def position(held):
    return {
        "coin": held["coin"],
        "size": float(held["szi"]),
        "mark_px": float(held["positionValue"]) / abs(float(held["szi"])),
        "entry_px": above_zero(held.get("entryPx")),
        "liquidation_px": above_zero(held.get("liquidationPx")),
        "leverage": float(held["leverage"]["value"]),
        "leverage_type": held["leverage"]["type"],
        "margin_used": or_none(held.get("marginUsed")),
    }


CONTEXTS = contexts_data.body_of(
    contexts_data.line(), contexts_data.line(coin="SOL", mid_px="", prev_day_px="0.0")
)


def contexts(body):
    return [(ASSET_CONTEXTS, asset_ctxs.to_contexts(body, contexts_data.PATH)[0].to_arrow())]


def contexts_slowly(body):
    head, *lines = body.decode("ascii").replace("\r\n", "\n").removesuffix("\n").split("\n")
    rows = []
    for line in lines:
        given = dict(zip(head.split(","), line.split(","), strict=True))
        row = {
            ours: or_none(given[name])
            for name, ours in contexts_data.COLUMNS.items()
            if name != "coin"
        }
        row |= {"coin": given["coin"], "context_ts": iso(given["time"])}
        rows.append(row | {"prev_day_px": row["prev_day_px"] or None})
    return rows


def packed(body):
    return contexts(unpacked(body, contexts_data.PATH))


BOOKS = books_data.body_of(
    *(books_data.line(books_data.START + 20_000 * n) for n in range(4)),
    books_data.line(books_data.START + 130_000, levels=[[], books_data.LEVELS[1]]),
)


def books(body):
    return [(ORDER_BOOKS, l2_books.to_books(body, books_data.PATH)[0])]


def books_slowly(body):
    first = {}
    for line in body.splitlines():
        book = parsed(line)["raw"]["data"]
        minute = book["time"] // 60_000
        if minute not in first or book["time"] < first[minute]["time"]:
            first[minute] = book
    return [book_row(each) for each in sorted(first.values(), key=lambda book: book["time"])]


def book_row(book):
    sides = [
        [
            {"px": float(level["px"]), "size": float(level["sz"]), "orders": level.get("n")}
            for level in side
        ]
        for side in book["levels"]
    ]
    at = moment(book["time"])
    return {"coin": book["coin"], "book_ts": at, "bids": sides[0], "asks": sides[1]}


def once(rows):
    """Return rows of plain values, each once, in their order."""
    return [dict(each) for each in dict.fromkeys(tuple(row.items()) for row in rows)]


def market(table, read):
    return lambda body: [(table, read(One(body)).rows.to_arrow())]


def universe(body):
    contexts, instruments = market_files.read_universe(One(body))
    return [
        (ASSET_CONTEXTS, contexts.rows.to_arrow()),
        (INSTRUMENTS, instruments.rows.to_arrow()),
    ]


def keys(sheet, time):
    return {
        time: sheet.instants("timestamp"),
        "venue": [each.lower() for each in sheet.texts("venue")],
        "coin": sheet.texts("coin"),
    }


def candles_slowly(body):
    sheet = Sheet(body)
    columns = {"open_px": "o", "high_px": "h", "low_px": "l", "close_px": "c", "volume": "v"}
    numbers = {ours: sheet.numbers(name) for ours, name in columns.items()}
    return once(sheet.rows(**keys(sheet, "start_ts"), **numbers))


def funding_slowly(body):
    sheet = Sheet(body)
    return once(sheet.rows(**keys(sheet, "time_ts"), rate=sheet.numbers("funding_rate")))


def interest_slowly(body):
    sheet = Sheet(body)
    held = sheet.numbers("oi_usd")
    return once(sheet.rows(**keys(sheet, "context_ts"), open_interest_notional=held))


def universe_slowly(body):
    columns = {
        "mark_px": "markPx",
        "oracle_px": "indexPx",
        "open_interest": "openInterestCoins",
        "open_interest_notional": "openInterest",
    }
    return once(
        {ours: or_none(row[name]) for ours, name in columns.items()}
        | {"coin": row["name"], "context_ts": iso(row["ts"])}
        | {"day_notional_volume": or_none(row.get("volume24h"))}
        for row in csv_rows(body)
    )


HOURS = market_data.HOURS
INTEREST = pl.DataFrame(
    {"timestamp": HOURS, "venue": "Hyperliquid", "coin": "BTC", "oi_usd": 7.0}
)
LATER = market_data.READING.replace("22:10", "23:10").replace(",40,", ",20,")
UNIVERSE = market_data.universe(market_data.READING, LATER).encode()

ADAPTERS = {
    "reservoir": Adapter(SNAPSHOT, parquet_mutation, snapshot, snapshot_slowly, HELD),
    "artemis_balances": Adapter(BALANCES, json_mutation, balances, balances_slowly, HELD),
    "asset_ctxs": Adapter(CONTEXTS, csv_mutation, contexts, contexts_slowly, SOURCE),
    "asset_ctxs packed": Adapter(
        lz4.frame.compress(CONTEXTS),
        harmed,
        packed,
        lambda body: contexts_slowly(unpacked(body, "")),
        SOURCE,
    ),
    "l2_books": Adapter(BOOKS, json_mutation, books, books_slowly, SOURCE),
    "candles": Adapter(
        market_data.candles().to_arrow(),
        parquet_mutation,
        market(CANDLES, market_files.read_candles),
        candles_slowly,
        SOURCE,
        True,
    ),
    "funding": Adapter(
        market_data.funding().to_arrow(),
        parquet_mutation,
        market(FUNDING, market_files.read_funding),
        funding_slowly,
        SOURCE,
        True,
    ),
    "open_interest": Adapter(
        INTEREST.to_arrow(),
        parquet_mutation,
        market(ASSET_CONTEXTS, market_files.read_open_interest),
        interest_slowly,
        SOURCE,
        True,
    ),
    "universe": Adapter(UNIVERSE, csv_mutation, universe, universe_slowly, SOURCE, True),
}
