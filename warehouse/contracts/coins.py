"""This module promises what the lake keeps of every coin that a source has told of."""

from warehouse.contracts.books import ORDER_BOOKS
from warehouse.contracts.columns import COIN
from warehouse.contracts.fills import FILLS
from warehouse.contracts.levels import IMPORTED_LEVELS
from warehouse.contracts.market import ASSET_CONTEXTS, CANDLES, FUNDING, INSTRUMENTS
from warehouse.contracts.positions import POSITIONS
from warehouse.contracts.table import TS, Column, Table

COINS = Table(
    name="coins",
    doc="One coin that a source has told of, of whatever venue, and since when.",
    grain=("coin",),
    time="first_ts",
    columns=(
        COIN,
        Column("first_ts", TS, "earliest moment that a row of it is of; a bar is of its end"),
        Column(
            "first_known_ts",
            TS,
            "earliest moment at which a row of it had happened, was published and, of a "
            "correction, was received",
        ),
    ),
)

# What sources say.  What the lake makes of it, and what backtests write, names no other coin:
# a typo in a backtest must not make its coin known.
TOLD_BY = (
    POSITIONS,
    FILLS,
    CANDLES,
    FUNDING,
    ASSET_CONTEXTS,
    ORDER_BOOKS,
    INSTRUMENTS,
    IMPORTED_LEVELS,
)
