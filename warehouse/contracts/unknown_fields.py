"""This module promises what is kept of fields that no adapter knows yet."""

from warehouse.contracts.columns import I64, KNOWN, SOURCE, STR
from warehouse.contracts.rules import NAMED, NOT_NEGATIVE
from warehouse.contracts.table import TS, Column, Table

UNKNOWN_FIELDS = Table(
    name="unknown_fields",
    doc="What one raw record of a source held in fields that no adapter knows: kept, not lost.",
    grain=("time_ts", "source", "table_name", "origin", "record"),
    time="time_ts",
    columns=(
        Column("time_ts", TS, "instant of the row the record became"),
        SOURCE,
        Column("table_name", STR, "table the record became a row of", rules=(NAMED,)),
        Column("origin", STR, "file or question it came in", rules=(NAMED,)),
        Column("record", I64, "its number there, from 0", rules=(NOT_NEGATIVE,)),
        Column("fields", STR, "JSON object: field -> raw value", rules=(NAMED,)),
        KNOWN,
    ),
)
