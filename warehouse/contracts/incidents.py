"""This module promises what is known to be wrong with the lake's rows, and when."""

from warehouse.contracts.columns import I64, KNOWN, SOURCE, STR
from warehouse.contracts.rules import NAMED, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Table

INCIDENTS = Table(
    name="incidents",
    doc="One window in which rows of a table are not what a check or a fact says of them.",
    grain=("start_ts", "check_name", "table_name", "source", "subject"),
    time="start_ts",
    columns=(
        Column("start_ts", TS, "first instant of the window"),
        Column("end_ts", TS, "first instant after it; null: it is of one instant", null=True),
        Column("check_name", STR, "check that found it, or known_hole", rules=(NAMED,)),
        Column("table_name", STR, "table it is about", rules=(NAMED,)),
        SOURCE,
        Column("subject", STR, "coin or account it is about; all: every one", rules=(NAMED,)),
        Column(
            "severity",
            STR,
            "stop: the part was not published; warn: it was; fact: known of the source",
            rules=(one_of("stop", "warn", "fact"),),
        ),
        Column("what", STR, "in words, with the worst value", rules=(NAMED,)),
        Column("rows", I64, "rows or instants it was found in", "rows", rules=(POSITIVE,)),
        KNOWN,
    ),
)
