"""This module promises what is told of rows that should be in the lake and are not."""

import pyarrow as pa

from warehouse.contracts.columns import I32, SOURCE, STR
from warehouse.contracts.table import Column, Table

# No part holds it: it follows from the ledger, and from what each source gives and when.
GAPS = Table(
    name="gaps",
    doc="What one source lacks of one table and day, for one reason, as the lake was opened.",
    grain=("table_name", "source", "day", "reason", "why"),
    time="day",
    columns=(
        Column("table_name", STR, "table it should be in"),
        SOURCE,
        Column("day", pa.date32(), "UTC day it should be of"),
        Column(
            "reason",
            STR,
            "not yet published; missing at source; failed; blocked: by a check; known hole: by "
            "what its source says of itself; never asked",
        ),
        Column("missing", I32, "batches that are missing: hours, or the one day", "batches"),
        Column("there", I32, "batches of the day that are in the lake", "batches"),
        Column("expected", I32, "batches of the day there should be by now", "batches"),
        Column("hours", pa.list_(I32), "UTC hours that are missing; empty: a batch is a day"),
        Column("why", STR, "in words; null: the reason says it all", null=True),
    ),
)
