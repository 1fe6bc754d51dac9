"""This module holds the columns that several tables share, and short names of their types."""

import pyarrow as pa

from warehouse.contracts.rules import NAMED
from warehouse.contracts.table import TS, Column

F64, I64, I32, STR, BOOL = pa.float64(), pa.int64(), pa.int32(), pa.string(), pa.bool_()

COIN = Column("coin", STR, "venue symbol: BTC, or xyz:TSLA on a builder's dex", rules=(NAMED,))
VENUE = Column("venue", STR, "exchange the row describes, lower case", rules=(NAMED,))
SOURCE = Column(
    "source", STR, "where the row came from: the adapter, or simulated", rules=(NAMED,)
)
KNOWN = Column(
    "known_ts", TS, "first instant at which a follower of this source could have had it"
)
SCOPE = Column(
    "scope", STR, "perp dexes the snapshot covers: one dex's name, or all", rules=(NAMED,)
)
