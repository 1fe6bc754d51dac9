"""This module promises what the ledger tells of every part of the lake."""

import pyarrow as pa

from warehouse.contracts.columns import I32, I64, STR
from warehouse.contracts.rules import NAMED, NOT_NEGATIVE, POSITIVE
from warehouse.contracts.table import TS, Column, Table

ORIGIN = pa.struct(
    [
        pa.field("url", STR, nullable=False),
        pa.field("size", I64),
        pa.field("hash", STR),
    ]
)

PARTS = Table(
    name="parts",
    doc="One part of the lake: the file of one batch on one day, and where it came from.",
    grain=("table_name", "day", "part", "revision"),
    time="received_ts",
    columns=(
        Column("table_name", STR, "table it is a part of", rules=(NAMED,)),
        Column("day", pa.date32(), "UTC day of its rows"),
        Column("part", STR, "name of the batch", rules=(NAMED,)),
        Column(
            "revision",
            I32,
            "1, or more where the source corrected what it had given",
            rules=(POSITIVE,),
        ),
        Column(
            "path",
            STR,
            "file, below the lake's root; parts that were compacted share one",
            rules=(NAMED,),
        ),
        Column(
            "source", STR, "source of its rows; null: of several", null=True, rules=(NAMED,)
        ),
        Column(
            "origins",
            pa.list_(ORIGIN),
            "what it was read from: URL or path, size in bytes and SHA-256; without these: an "
            "answer, not a file; empty: derived from the lake itself",
        ),
        Column("bytes", I64, "size of its own file, as landed", "bytes", rules=(POSITIVE,)),
        Column("hash", STR, "SHA-256 of its own file, as landed", rules=(NAMED,)),
        Column("rows", I64, "rows in it", "rows", rules=(NOT_NEGATIVE,)),
        Column("min_ts", TS, "earliest time of its rows"),
        Column("max_ts", TS, "latest time of its rows"),
        Column(
            "known_ts",
            TS,
            "latest known_ts of its rows; null: the table has none",
            null=True,
        ),
        Column("contract", I32, "version of the table's contract", rules=(POSITIVE,)),
        Column("code", STR, "version of undertow that wrote it", rules=(NAMED,)),
        Column("received_ts", TS, "when this lake got it; for audit, no answer depends on it"),
        Column(
            "since_ts",
            TS,
            "of a correction: when it could be known; null: known as its rows say",
            null=True,
        ),
        Column(
            "superseded_ts",
            TS,
            "when a correction took its place; null: it counts today",
            null=True,
        ),
    ),
)
