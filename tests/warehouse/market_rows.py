"""What all parts of a whole market share: its coins and holders, its tables, and its rows."""

from datetime import timedelta
from typing import NamedTuple

from warehouse.contracts import tables as every
from warehouse.contracts.table import Table

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURS = 72
COINS = {"BTC": 100.0, "ETH": 40.0, "xyz:GOLD": 64.0}
HOLDERS = range(1, 11)
# Nobody holds the one; the other only few sweeps see, each holder at this share of them.
UNHELD, RARE = "DOGE", "HYPE"
RARE_HOLDERS = {11: 0.3, 12: 0.3}
PX = COINS | {RARE: 32.0}
HELD = (
    every.POSITIONS,
    every.SNAPSHOTS,
    every.ACCOUNTS,
    every.FILLS,
    every.CANDLES,
    every.FUNDING,
    every.ASSET_CONTEXTS,
    every.ORDER_BOOKS,
    every.INSTRUMENTS,
    every.INCIDENTS,
)


class Row(NamedTuple):
    """A row, and since when and until when it was what could be known."""

    values: dict
    since_ts: object = None
    superseded_ts: object = None
    pair: int | None = None


def row_of(table: Table, **values):
    return {column.name: None for column in table.columns} | {"source": "test"} | values
