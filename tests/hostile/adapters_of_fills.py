"""Adapters of fills: what they read when all is well, and the same read slowly."""

import io
import json
from datetime import timedelta

from pipelines.sources import (
    artemis_fills,
    node_fill_rows,
    node_fills_by_user,
    node_trade_rows,
    own_node,
    reservoir_fills,
)
from pipelines.sources.reservoir_fill_rows import to_fills as reservoir_rows
from tests.hostile.driver import KNOWN, Adapter
from tests.hostile.mutations import json_mutation
from tests.hostile.parquet_mutations import parquet_mutation
from tests.hostile.plain import Sheet, moment, parsed
from tests.pipelines.data_artemis_fills import FOLDER, HOUR
from tests.pipelines.data_artemis_fills import TWO as ARTEMIS
from tests.pipelines.data_fills import OTHER, USER, block, fill
from tests.pipelines.data_node_trades import plain as slow_trades
from tests.pipelines.data_reservoir_fills import TWO as RESERVOIR
from tests.reference.node_fills import to_row
from warehouse.contracts.tables import FILLS

MORE = {"source": "test", "known_ts": KNOWN}
FORCED = {"liquidatedUser": OTHER, "markPx": "109000.5", "method": "market"}
FILL_LINES = [fill(), fill(coin="xyz:TSLA", side="A", liquidation=FORCED, twapId=7)]
BLOCKS = "\n".join([block(*FILL_LINES), block(), block(fill(tid=8), user=OTHER)]).encode()
EVENTS = "\n".join(json.dumps([USER, each]) for each in FILL_LINES).encode()
SIDES = [
    {"user": USER, "start_pos": "-0.02", "oid": 7, "twap_id": None, "cloid": None},
    {"user": OTHER, "start_pos": "0.1", "oid": 9, "twap_id": None, "cloid": None},
]
TRADE = {
    "coin": "AAVE",
    "side": "A",
    "time": "2025-05-25T13:59:59.974190721",
    "px": "264.56",
    "sz": "0.06",
    "hash": "0x84",
    "trade_dir_override": "LiquidatedMarket",
    "side_info": SIDES,
}
USED = {*TRADE} - {"hash"}
TRADES = "\n".join(
    json.dumps(TRADE | each) for each in ({}, {"side": "B", "trade_dir_override": "Na"})
).encode()


def by_block(body):
    blocks = [parsed(line) for line in body.splitlines()]
    events = [event for each in blocks for event in each["events"]]
    return [to_row(user, fill, fill.get("liquidation")) for user, fill in events]


def by_event(body):
    events = [parsed(line) for line in body.splitlines()]
    return [to_row(user, fill, fill.get("liquidation")) for user, fill in events]


def by_trade(body):
    """Read trades; of what is nested too deeply for the slow parser, what is needed."""
    lines = []
    for line in body.splitlines():
        try:
            json.loads(line)
        except RecursionError:
            given = {name: value for name, value in parsed(line).items() if name in USED}
            given["side_info"] = [
                {name: side[name] for name in ("user", "start_pos", "oid")}
                for side in given["side_info"]
            ]
            line = json.dumps(given).encode()
        lines.append(line)
    return slow_trades(b"\n".join(lines))[0]


def own(body):
    whole = body[: body.rfind(b"\n") + 1]
    return by_event(whole) if whole.startswith(b"[") else by_block(whole)


def own_rows(body):
    return [(FILLS, own_node.to_fills(own_node.whole_lines(body), "7")[0])]


def lines_of(to_fills):
    return lambda body: [(FILLS, to_fills(body, "0.lz4")[0])]


def artemis(body):
    hour = artemis_fills.to_fills(artemis_fills.joined({"a.parquet": body}), FOLDER)
    return [(FILLS, hour.fills)]


def artemis_slowly(body):
    sheet = Sheet(body)
    names = {
        "coin": sheet.texts("coin"),
        "account": [each.lower() for each in sheet.texts("user")],
        "px": sheet.numbers("px"),
        "size": sheet.numbers("sz"),
        "is_buy": [each == "B" for each in sheet.texts("side")],
        "start_position": sheet.numbers("startPosition"),
        "direction": sheet.texts("dir"),
        "closed_pnl": sheet.numbers("closedPnl"),
        "fee": sheet.numbers("fee"),
        "fee_token": sheet.texts("feeToken"),
        "trade_id": sheet.whole("tid"),
        "order_id": sheet.whole("oid"),
        "is_taker": sheet.values("crossed"),
    }
    if str(sheet.table["time"].type).startswith("timestamp"):
        times = sheet.instants("time")
        if all(abs(each - HOUR) <= timedelta(days=1) for each in times if each != str(each)):
            names["time_ts"] = times
    else:
        names["time_ts"] = [moment(each) for each in sheet.whole("time")]
    return sheet.rows(**names)


class One:
    """An archive of one file."""

    root = "hostile"

    def __init__(self, body):
        self.body = body

    def read(self, path):
        return self.body

    def open(self, path):
        return io.BytesIO(self.body)


def reservoir(body):
    pieces = [
        (FILLS, reservoir_rows(piece, "f.parquet", first).fills)
        for first, piece in reservoir_fills.read(One(body), "f.parquet")
    ]
    return pieces[:1]


def reservoir_slowly(body):
    sheet = Sheet(body)
    rows = sheet.rows(
        time_ts=sheet.instants("timestamp"),
        coin=sheet.texts("coin"),
        account=[each.lower() for each in sheet.texts("address")],
        px=sheet.numbers("price"),
        size=sheet.numbers("size"),
        is_buy=[each == "buy" for each in sheet.texts("side")],
        start_position=sheet.numbers("start_position"),
        direction=sheet.texts("direction"),
        closed_pnl=sheet.numbers("realized_pnl"),
        fee=sheet.numbers("fee"),
        fee_token=sheet.texts("fee_token"),
        trade_id=sheet.whole("trade_id"),
        order_id=sheet.whole("order_id"),
        is_taker=sheet.values("crossed"),
    )
    kinds = sheet.texts("asset_class")
    return [row for row, kind in zip(rows, kinds, strict=True) if kind == "perp"]


# What the files give is held to be an address, a name and 0 or more when a row is landed.
ADAPTERS = {
    "node_fills_by_block": Adapter(
        BLOCKS, json_mutation, lines_of(node_fill_rows.to_fills), by_block, MORE, True
    ),
    "node_fills": Adapter(
        EVENTS, json_mutation, lines_of(node_fills_by_user.to_fills), by_event, MORE, True
    ),
    "node_trades": Adapter(
        TRADES,
        json_mutation,
        lines_of(node_trade_rows.to_fills),
        by_trade,
        MORE,
        True,
    ),
    "own_node": Adapter(BLOCKS + b"\n", json_mutation, own_rows, own, MORE, True),
    "own_node by event": Adapter(EVENTS + b"\n", json_mutation, own_rows, own, MORE, True),
    "artemis": Adapter(ARTEMIS, parquet_mutation, artemis, artemis_slowly, MORE),
    "reservoir_fills": Adapter(RESERVOIR, parquet_mutation, reservoir, reservoir_slowly, MORE),
}
