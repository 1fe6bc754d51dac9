"""Adapters of what others exported, and the same read slowly."""

import json
import tomllib
from datetime import timedelta

import pyarrow as pa

from pipelines.sources.imports import hypertracker, kiyotaka
from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import to_mapping
from tests.hostile.driver import KNOWN, Adapter
from tests.hostile.mutations import csv_mutation, json_mutation, toml_mutation
from tests.hostile.parquet_mutations import parquet_mutation
from tests.hostile.plain import EPOCH, Sheet, above_zero, csv_rows, parsed
from tests.pipelines import data_mapping as mapping_data
from tests.pipelines import test_hypertracker as tracker_data
from tests.pipelines import test_kiyotaka as levels_data
from tests.rows import account

WRITTEN = mapping_data.csv(
    mapping_data.line(),
    mapping_data.line(wallet=account(2), asset="xyz:TSLA", side="SELL", qty="3.5", usd="1e5"),
)
HOW = mapping_data.mapping()
BY = ("coin", "account", "snapshot_ts", "size", "mark_px")
TYPED = to_mapping(
    'table = "positions"\nsource = "typed"\nformat = "parquet"\n[columns]\n'
    'coin = "asset"\naccount = "wallet"\nsize = "qty"\nnotional = "usd"\n'
    'snapshot_ts = "time"\nscope = { value = "hyperliquid" }\n'
    'liquidation_px = { column = "liq", positive_or_missing = true }\n'
    'known_ts = { delay = "1h", after = "snapshot_ts" }\n'
)
SHEET = pa.table(
    {
        "time": pa.array([mapping_data.AT] * 2, pa.timestamp("us", "UTC")),
        "wallet": [account(1), account(2)],
        "asset": ["BTC", "xyz:TSLA"],
        "qty": [2.0, -3.5],
        "usd": [140_000.0, 1e5],
        "liq": [60_000.0, None],
    }
)


def told(imported):
    return imported.tables


def once(rows):
    """Return rows of plain values, each once."""
    return [dict(each) for each in dict.fromkeys(tuple(row.items()) for row in rows)]


def signed(size, side, negative):
    return -abs(size) if side in negative else size


def mapped_slowly(body):
    return once(
        {
            "coin": row["asset"],
            "account": row["wallet"].lower(),
            "size": signed(float(row["qty"]), row["side"], {"short", "SELL"}),
            "mark_px": float(row["usd"]) / abs(float(row["qty"])),
            "snapshot_ts": EPOCH + timedelta(microseconds=round(float(row["time"]) * 1000)),
        }
        for row in csv_rows(body)
    )


def typed_slowly(body):
    sheet = Sheet(body)
    return once(
        sheet.rows(
            coin=sheet.texts("asset"),
            account=[each.lower() for each in sheet.texts("wallet")],
            size=sheet.numbers("qty"),
            mark_px=[
                v / abs(q)
                for v, q in zip(sheet.numbers("usd"), sheet.numbers("qty"), strict=True)
            ],
            snapshot_ts=sheet.instants("time"),
            liquidation_px=[above_zero(each) for each in sheet.numbers("liq")],
        )
    )


TOML = mapping_data.MAPPING_TEXT.encode()
SIZE = tomllib.loads(mapping_data.MAPPING_TEXT)["columns"]["size"]


def mapped_so(body):
    how = to_mapping(body.decode("utf-8", "replace"), "my.toml")
    return told(to_rows({"mine.csv": WRITTEN}, how, KNOWN if how.needs_at else None))


def mapped_so_slowly(body):
    """Return what entries that name a column, or a constant, make of the file."""
    columns = tomllib.loads(body.decode("utf-8", "replace"))["columns"]
    rows = csv_rows(WRITTEN)
    made = [{} for _ in rows]
    for name, entry in columns.items():
        entry = {"column": entry} if isinstance(entry, str) else entry
        for row, out in zip(rows, made, strict=True):
            if name in {"coin", "account"} and set(entry) == {"column"}:
                text = row[entry["column"]]
                out[name] = text.lower() if name == "account" else text
            elif name == "notional" and set(entry) <= {"column", "scale"} and "column" in entry:
                # Where the size is read as it was meant, the mark follows.
                if columns["size"] == SIZE:
                    value = float(row[entry["column"]]) * float(entry.get("scale", 1))
                    out["mark_px"] = value / abs(float(row["qty"]))
            elif "value" in entry and isinstance(entry["value"], str):
                out[name] = entry["value"]
    return made


EXPORT = tracker_data.export(
    tracker_data.record(),
    tracker_data.record(
        2, coin="xyz:TSLA", dex="xyz", side="short", crossLeverage="", isolatedLeverage="20"
    ),
)


def tracker_slowly(body):
    rows = []
    for row in csv_rows(body):
        rows.append(
            {
                "coin": row["coin"],
                "account": row["address"].lower(),
                "size": signed(float(row["size"]), row["side"], {"short"}),
                "mark_px": abs(float(row["value"])) / abs(float(row["size"])),
                "entry_px": above_zero(row["entryPrice"] or None),
                "liquidation_px": above_zero(row.get("liquidationPrice") or None),
            }
        )
    return once(rows)


LEVELS = json.dumps(
    {
        "series": [
            *levels_data.answer(levels_data.point())["series"],
            *levels_data.flat(
                2,
                levels_data.S * 1_000_000,
                3000,
                1.5,
                3001.5,
                2.25,
                coin="ETH",
                interval="MINUTE",
            )["series"],
        ]
    }
).encode()


def levels_slowly(body):
    rows = []
    for series in parsed(body)["series"]:
        coin = series["id"]["coin"]
        for each in series.get("points", []):
            point = each["Point"]
            at = EPOCH + timedelta(seconds=point["timestamp"]["s"])
            rows += pairs(coin, at, point["levels"])
        flat = series.get("flat_points", [])
        while flat:
            count, micros = int(flat[0]), int(flat[1])
            at = EPOCH + timedelta(microseconds=micros)
            rows += pairs(coin, at, flat[2 : 2 + 2 * count])
            flat = flat[2 + 2 * count :]
    return once(rows)


def pairs(coin, at, levels):
    return [
        {"coin": coin, "level_ts": at, "px": float(px), "size": float(size)}
        for px, size in zip(levels[0::2], levels[1::2], strict=True)
    ]


ADAPTERS = {
    "mapped CSV": Adapter(
        WRITTEN,
        csv_mutation,
        lambda body: told(to_rows({"mine.csv": body}, HOW)),
        mapped_slowly,
        {},
        order=BY,
    ),
    "mapped Parquet": Adapter(
        SHEET,
        parquet_mutation,
        lambda body: told(to_rows({"mine.parquet": body}, TYPED)),
        typed_slowly,
        {},
        order=BY,
    ),
    "mapping": Adapter(TOML, toml_mutation, mapped_so, mapped_so_slowly, {}, order=("coin",)),
    "hypertracker": Adapter(
        EXPORT,
        csv_mutation,
        lambda body: told(hypertracker.to_positions({"BTC.csv": body}, mapping_data.AT)),
        tracker_slowly,
        {},
        order=("coin", "account", "size"),
    ),
    "kiyotaka": Adapter(
        LEVELS,
        json_mutation,
        lambda body: told(kiyotaka.to_levels({"btc.json": body}, "coin")),
        levels_slowly,
        {},
        order=("coin", "level_ts", "px"),
    ),
}
