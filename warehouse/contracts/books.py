"""This module promises what a reading of an order book holds."""

import pyarrow as pa

from warehouse.contracts.book_rules import ASKS_FIRST, BIDS_FIRST, LEVELS
from warehouse.contracts.columns import COIN, F64, I64, KNOWN, SOURCE
from warehouse.contracts.table import TS, Column, Table

# px: USD; size: coin, of all orders at px; orders: how many they are, null: not given.
LEVEL = pa.struct(
    [
        pa.field("px", F64, nullable=False),
        pa.field("size", F64, nullable=False),
        pa.field("orders", I64),
    ]
)

ORDER_BOOKS = Table(
    name="order_books",
    doc="One reading of one coin's order book: its best levels, as many as the source gives.",
    grain=("coin", "book_ts", "source"),
    time="book_ts",
    columns=(
        COIN,
        Column("book_ts", TS, "instant the book stood so at the venue"),
        Column(
            "bids",
            pa.list_(LEVEL),
            "who buys, highest px first; orders that share a px are one level, their number "
            "null where it is not given; empty: nobody buys",
            "px USD, size coin",
            rules=(LEVELS, BIDS_FIRST),
        ),
        Column(
            "asks",
            pa.list_(LEVEL),
            "who sells, lowest px first; orders that share a px are one level, their number "
            "null where it is not given; empty: nobody sells",
            "px USD, size coin",
            rules=(LEVELS, ASKS_FIRST),
        ),
        SOURCE,
        KNOWN,
    ),
)
