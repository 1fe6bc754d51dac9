import json

import pytest
from hypothesis import given

from pipelines.sources.errors import SourceError
from pipelines.sources.node_fill_faults import first_fault
from pipelines.sources.node_trade_faults import trade_faults
from pipelines.sources.node_trade_rows import to_fills
from tests.pipelines.data_fills import body_of
from tests.pipelines.data_hostile import OFTEN, hostile, refused_or_right
from tests.pipelines.data_node_trades import (
    files,
    plain,
    side,
    trade,
)

DECIMAL, INTEGER = "must be a decimal string", "must be an integer of 64 bits"


TIME = "must be YYYY-MM-DDTHH:MM:SS, with or without .n"


KINDS = "must be Na or LiquidatedMarket or NetChildVaultPositions"


FAULTS = [
    *(({"coin": value}, "coin: must be a string") for value in (..., None, 7)),
    *(({"px": value}, f"px: {DECIMAL}") for value in (..., None, 1.5, "", "NaN", "1e400")),
    *(({"sz": value}, f"sz: {DECIMAL}") for value in (..., None, [], "1_0")),
    *(({"side": value}, "side: must be A or B") for value in (..., None, "b", [])),
    *(
        ({"trade_dir_override": value}, f"trade_dir_override: {KINDS}")
        for value in (..., "", [])
    ),
    *(
        ({"side_info": value}, "side_info: must be [buyer, seller]")
        for value in (..., None, {}, {"a": 1, "b": 2}, "ab", [], [{}], [side()] * 3, 7)
    ),
    *(({"side_info": [side(), v]}, "side_info[1]: must be an object") for v in (None, "ab")),
    *(({"buyer": {"oid": v}}, f"side_info[0].oid: {INTEGER}") for v in (..., "7", 1.0, True)),
    *(({"seller": {"start_pos": v}}, f"side_info[1].start_pos: {DECIMAL}") for v in (..., 1)),
    *(({"seller": {"user": v}}, "side_info[1].user: must be a string") for v in (..., None)),
    *(
        ({"time": value}, f"time: {TIME}")
        for value in (
            *(
                ...,
                None,
                1748181599974,
                "",
                "2025-05-25",
                "2025-05-25T13:59",
                "٢٠٢٥-05-25T13:59:59",
            ),
            *("2025-05-25T13:59:59Z", "2025-05-25 13:59:59", "2025-02-30T00:00:00"),
            *("2025-05-25T24:00:00", "2025-05-25T23:59:60", "2025-05-25T13:59:59."),
            *("2025-05-25T13:59:59.1234567890", "1969-12-31T23:59:59", "2025-05-25T13:59:59\n"),
        )
    ),
]


@pytest.mark.parametrize(("changes", "says"), FAULTS)
def test_a_fault_is_named_by_file_line_and_field(changes, says):
    lines = [trade() for _ in range(300)] + [trade(**changes)]
    for rest in ([], [trade(px=None)]):
        with pytest.raises(SourceError) as caught:
            to_fills(body_of(map(json.dumps, lines + rest)), "20250601/3.lz4")
        assert str(caught.value).startswith(f"20250601/3.lz4 line 301: trade field {says}, is ")


@pytest.mark.parametrize("line", ["{", "", "[]", "null", '{"px":NaN}', '"trade"'])
def test_a_line_that_is_no_trade_is_named(line):
    with pytest.raises(SourceError, match=r"^0\.lz4 line 2: must be (JSON|a trade)"):
        to_fills(body_of([json.dumps(trade()), line]), "0.lz4")


@given(body=hostile(files))
@OFTEN
def test_a_harmed_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain, body)
    if first_fault(body, "0.lz4", trade_faults) is None:
        to_fills(body, "0.lz4")
