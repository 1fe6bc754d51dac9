"""This module promises what the ledger tells of what sources were asked for in vain."""

import pyarrow as pa

from warehouse.contracts.columns import I32, SOURCE, STR
from warehouse.contracts.rules import NAMED, one_of
from warehouse.contracts.table import TS, Column, Table

ASKS = Table(
    name="asks",
    doc="One thing a source was asked for and did not give, or that could not be landed.",
    grain=("table_name", "source", "day", "hour"),
    time="asked_ts",
    columns=(
        Column("table_name", STR, "table it was wanted for", rules=(NAMED,)),
        SOURCE,
        Column("day", pa.date32(), "UTC day that was asked for"),
        Column("hour", I32, "UTC hour that was asked for; -1: the whole day at once"),
        Column(
            "outcome",
            STR,
            "absent: the source says there is none; failed: it did not answer, or gave what "
            "could not be read; blocked: a check refused it",
            rules=(one_of("absent", "failed", "blocked"),),
        ),
        Column("reason", STR, "in words", rules=(NAMED,)),
        Column("asked_ts", TS, "when this outcome was first met"),
    ),
)
