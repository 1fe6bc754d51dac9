import contextlib
import json
from collections import Counter
from datetime import UTC, datetime

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_faults import first_fault
from pipelines.sources.node_fill_rows import to_fills
from tests.effort import tries
from tests.pipelines.data_fills import OTHER, USER, block, blocks, body_of, fill
from tests.pipelines.data_hostile import OFTEN, hostile, refused_or_right
from tests.reference import node_fills as plain


def real_files(real):
    for folder in (real, real / "raw-blocks"):
        yield from sorted(
            folder.glob("hl-mainnet-node-data/node_fills_by_block/hourly/*/*.lz4")
        )


def test_agrees_with_the_obvious_version_on_real_rows(real):
    methods = Counter()
    for file in real_files(real):
        body = unpacked(file.read_bytes(), file.name)
        rows, unknown = to_fills(body, file.name)
        wanted, odd = plain.to_rows(body)
        assert rows.to_pylist() == wanted
        assert unknown == odd == {}
        methods.update(rows["liquidation_method"].to_pylist())
    # By grep: 3,077 fills have a liquidation object, 265 the direction Auto-Deleveraging.
    assert methods == {None: 37_315, "market": 2_615, "backstop": 197, "adl": 265}


@given(lines=blocks())
def test_agrees_with_the_obvious_version_on_made_blocks(lines):
    rows, unknown = to_fills(body_of(lines), "0.lz4")
    wanted, odd = plain.to_rows(body_of(lines))
    assert rows.to_pylist() == wanted
    assert unknown == odd


def test_a_file_without_blocks_has_no_rows():
    assert to_fills(b"", "0.lz4")[0].num_rows == 0


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({}, (None, None, None)),
        ({"liquidation": None}, (None, None, None)),
        (
            {
                "liquidation": {
                    "method": "market",
                    "markPx": "9.5",
                    "liquidatedUser": OTHER.upper(),
                }
            },
            ("market", OTHER, 9.5),
        ),
        ({"liquidation": {"method": "market"}}, ("market", None, None)),
        (
            {"dir": "Liquidated Cross Long", "liquidation": {"method": "backstop"}},
            ("backstop", None, None),
        ),
        ({"dir": "Auto-Deleveraging"}, ("adl", None, None)),
        (
            {"dir": "Auto-Deleveraging", "liquidation": {"method": "backstop", "markPx": "2"}},
            ("adl", None, 2.0),
        ),
    ],
)
def test_liquidations_are_marked(changes, marked):
    rows, _ = to_fills(body_of([block(fill(**changes))]), "0.lz4")
    row = rows.to_pylist()[0]
    names = ("liquidation_method", "liquidated_account", "liquidation_mark_px")
    assert tuple(row[name] for name in names) == marked


def test_both_sides_of_a_trade_are_rows():
    sides = [["0xAA", fill(side="B")], [USER, fill(side="A", crossed=False)]]
    rows, _ = to_fills(body_of([block(events=sides)]), "0.lz4")
    assert rows["account"].to_pylist() == ["0xaa", USER]
    assert rows["is_buy"].to_pylist() == [True, False]
    assert rows["is_taker"].to_pylist() == [True, False]


def test_times_are_milliseconds():
    rows, _ = to_fills(body_of([block(fill(time=1761584399797))]), "0.lz4")
    assert rows["time_ts"][0].as_py() == datetime(2025, 10, 27, 16, 59, 59, 797000, UTC)


@given(copies=st.integers(1, 600), odd=st.sets(st.integers(0, 599)))
@tries(10, 100)
def test_unknown_fields_are_counted_exactly(copies, odd):
    odd = {place for place in odd if place < copies}
    novel = {"mood": 1, "liquidation": {"method": "market", "depth": None}}
    lines = [
        block(
            fill(), fill(**(novel if n in odd else {})), **({"shard": 3} if n % 7 == 0 else {})
        )
        for n in range(copies)
    ]
    _, unknown = to_fills(body_of(lines), "0.lz4")
    counts = {"mood": len(odd), "liquidation.depth": len(odd), "block.shard": -(-copies // 7)}
    assert unknown == {name: count for name, count in counts.items() if count}


STRING, DECIMAL = "must be a string", "must be a decimal string"
INTEGER, WHEN = "must be an integer of 64 bits", "must be milliseconds since 1970"
FAULTS = [
    *(
        (name, value, STRING)
        for name in ("coin", "dir", "feeToken")
        for value in (..., None, 7)
    ),
    *(
        (name, value, DECIMAL)
        for name in ("px", "sz", "startPosition", "closedPnl", "fee")
        for value in (
            ...,
            None,
            1.5,
            True,
            "",
            "NaN",
            "-Infinity",
            "1e400",
            "1_0",
            " 1",
            "x",
            [],
        )
    ),
    *(
        (name, value, INTEGER)
        for name in ("time", "oid", "tid")
        for value in (..., None, 1.0, 1.5, True, "7", 2**63, {})
    ),
    ("time", -1, WHEN),
    ("time", 10**16, WHEN),
    *(("side", value, "must be A or B") for value in (..., None, "", "b", "buy", 1, [])),
    *(("crossed", value, "must be true or false") for value in (..., None, 0, 1, "true")),
    *(("liquidation", value, "must be an object") for value in ([], "market", 7, False)),
]


def shown(value):
    return "missing" if value is ... else json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize(("name", "value", "rule"), FAULTS)
def test_a_fault_is_named_by_file_line_and_field(name, value, rule):
    lines = [block(fill(), fill()) for _ in range(16)]
    lines += [block(fill(), fill(**{name: value})), block(fill(px=None))]
    with pytest.raises(SourceError) as caught:
        to_fills(body_of(lines), "hourly/20251010/21.lz4")
    says = str(caught.value)
    assert says.startswith(f"hourly/20251010/21.lz4 line 17: fill field {name}: {rule}, is ")
    if value not in (2**63,):
        assert says.endswith(f", is {shown(value)}")


@pytest.mark.parametrize(
    ("liquidation", "says"),
    [
        ({}, "liquidation.method: must be market or backstop, is missing"),
        ({"method": None}, "liquidation.method: must be market or backstop, is null"),
        ({"method": "adl"}, 'liquidation.method: must be market or backstop, is "adl"'),
        ({"method": []}, "liquidation.method: must be market or backstop, is []"),
        (
            {"method": "market", "markPx": 7},
            "liquidation.markPx: must be a decimal string, is 7",
        ),
        (
            {"method": "market", "markPx": "nan"},
            'liquidation.markPx: must be a decimal string, is "nan"',
        ),
        (
            {"method": "market", "liquidatedUser": 7},
            "liquidation.liquidatedUser: must be a string, is 7",
        ),
    ],
)
def test_a_fault_in_a_liquidation_is_named(liquidation, says):
    body = body_of([block(fill()), block(fill(liquidation=liquidation))])
    with pytest.raises(SourceError) as caught:
        to_fills(body, "0.lz4")
    assert str(caught.value) == f"0.lz4 line 2: fill field {says}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "must be JSON: "),
        ("", "must be JSON: "),
        ('{"events":[["0xa",{"px":NaN}]]}', "must be JSON: "),
        ("[]", "must be a block, is []"),
        ("null", "must be a block, is null"),
        (block(events=...), "block field events: must be a list, is missing"),
        (block(events=None), "block field events: must be a list, is null"),
        (block(events={}), "block field events: must be a list, is {}"),
        (block(events=""), 'block field events: must be a list, is ""'),
        (block(events=["ab"]), 'event 1: must be [account, fill], is "ab"'),
        (block(events=[[USER, fill()], [USER]]), "event 2: must be [account, fill], is ["),
        (block(events=[[USER, fill(), 1]]), "event 1: must be [account, fill], is ["),
        (block(events=[[USER, []]]), "event 1: must be [account, fill], is ["),
        (block(events=[[USER, None]]), "event 1: must be [account, fill], is ["),
        (block(events=[[None, fill()]]), "event 1: account must be a string, is null"),
        (block(events=[[7, fill()]]), "event 1: account must be a string, is 7"),
    ],
)
def test_a_fault_of_a_line_is_named(line, says):
    with pytest.raises(SourceError) as caught:
        to_fills(body_of([block(fill()), line]), "0.lz4")
    assert str(caught.value).startswith(f"0.lz4 line 2: {says}")
    assert "\n" not in str(caught.value)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)
NUMBERLIKE = st.text("0123456789+-.eEinfa _", max_size=6)


@given(name=st.sampled_from(sorted(fill())), value=anything | NUMBERLIKE)
@tries(100, 3000)
def test_the_fast_path_refuses_exactly_what_the_careful_one_does(name, value):
    body = body_of([block(fill(**{name: value}))])
    fault = first_fault(body, "0.lz4")
    if fault is None:
        assert to_fills(body, "0.lz4")[0].num_rows == 1
    else:
        with pytest.raises(SourceError) as caught:
            to_fills(body, "0.lz4")
        assert str(caught.value) == fault


@given(cut=st.integers(0))
def test_a_truncated_frame_is_an_error(cut):
    whole = lz4.frame.compress(body_of([block(fill())]))
    with pytest.raises(SourceError, match=r"0\.lz4: must be whole LZ4 frames, ends within one"):
        unpacked(whole[: cut % len(whole)], "0.lz4")


def test_frames_that_follow_each_other_are_all_read():
    packed = b"".join(lz4.frame.compress(part) for part in (b"one\n", b"", b"two\n"))
    assert unpacked(packed, "0.lz4") == b"one\ntwo\n"


@pytest.mark.parametrize("tail", [b"rest of the file", b"\0" * 20])
def test_what_is_no_frame_is_an_error(tail):
    for packed in (tail, lz4.frame.compress(b"one\n") + tail):
        with pytest.raises(SourceError, match=r"0\.lz4: must be (whole )?LZ4 frames"):
            unpacked(packed, "0.lz4")


def test_a_frame_with_a_flipped_bit_is_an_error():
    packed = bytearray(lz4.frame.compress(body_of([block(fill())]), content_checksum=True))
    packed[-1] ^= 1
    with pytest.raises(SourceError, match=r"0\.lz4: must be LZ4 frames"):
        unpacked(bytes(packed), "0.lz4")


@pytest.mark.parametrize("levels", [200, 300, 1000, 1100, 100_000])
@pytest.mark.parametrize("name", ["px", "coin", "tid", "side", "crossed", "liquidation"])
def test_a_value_of_many_levels_is_a_fault(name, levels):
    deep = "[" * levels + "]" * levels
    body = body_of([block(fill(**{name: "hole"}))]).replace(b'"hole"', deep.encode())
    with pytest.raises(SourceError, match=r"^0\.lz4 line 1: (fill field|must be JSON)"):
        to_fills(body, "0.lz4")


documents = blocks().map(lambda lines: [json.loads(line) for line in lines])


@given(body=hostile(documents))
@OFTEN
def test_a_harmed_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain.to_rows, body)


@given(at=st.integers(0), bit=st.integers(0, 7), cut=st.integers(0))
@OFTEN
def test_harmed_frames_are_refused_or_read(at, bit, cut):
    packed = bytearray(lz4.frame.compress(body_of([block(fill())] * 9), block_size=4))
    packed[at % len(packed)] ^= 1 << bit
    with contextlib.suppress(SourceError):
        unpacked(bytes(packed[: len(packed) - cut % 9]), "0.lz4")
