"""A day of fills landed by the hour, and what a lake holds of it before and after a run."""

from datetime import UTC, datetime, timedelta

from tests.rows import T0, account, batch
from warehouse import open_lake
from warehouse.contracts.tables import FILLS
from warehouse.store import Lake, Origin, land, parts_of
from warehouse.store.compaction import compact
from warehouse.store.ledger import as_parts

NOW = datetime(2100, 1, 1, tzinfo=UTC)  # after whatever the files say they were written
AT_ONCE = {"grace": timedelta(0), "orphan_age": timedelta(0)}
FILE = Origin("file", 1, "1")


def fill(minute, coin="BTC", **others):
    row = {column.name: None for column in FILLS.columns}
    row |= {
        "time_ts": T0 + timedelta(minutes=minute),
        "coin": coin,
        "account": account(1),
        "px": 100.0 + minute,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "trade_id": minute,
        "order_id": minute,
        "is_taker": True,
        "source": "test",
        "known_ts": T0,
    }
    return row | others


def land_fills(lake, hour, px=1.0, origins=(FILE,), source="test"):
    rows = [
        fill(hour * 60 + n, coin, px=px + n, source=source)
        for n in range(5)
        for coin in ("ETH", "BTC", "SOL")
    ]
    land(lake, FILLS, batch(FILLS, rows), f"{source}-{hour:02}", origins)


def land_hours(lake, hours=(0, 1, 2)):
    for hour in hours:
        land_fills(lake, hour)


def shown(lake, table="fills"):
    with open_lake(lake) as con:
        return con.sql(f"from {table} order by all").fetchall()


def files(lake, prefix=""):
    held = Lake.at(lake)
    return {path: held.read(path) for path in held.sizes(prefix) if "_ledger" not in path}


def lines(lake):
    return {(line.part, line.revision): line for line in as_parts(parts_of(Lake.at(lake)))}


def run(lake, **others):
    return compact(lake, NOW, **AT_ONCE | others)
