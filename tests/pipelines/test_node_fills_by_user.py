import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources import node_fill_rows
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_faults import event_faults, first_fault
from pipelines.sources.node_fills_by_user import to_fills
from tests.pipelines.data_fills import OTHER, USER, block, body_of, fill, fills, users
from tests.pipelines.data_hostile import OFTEN, hostile, refused_or_right
from tests.reference import node_fills as plain_blocks

events = st.lists(st.tuples(users, fills()).map(list), max_size=4)


def plain(body):
    """Read lines of events as lines of blocks of one event each."""
    lines = [json.dumps({"events": [json.loads(line)]}) for line in body.splitlines()]
    return plain_blocks.to_rows(body_of(lines))


def line(user=USER, **changes):
    return json.dumps([user, fill(**changes)])


def test_a_line_is_an_account_and_its_fill():
    lines = [line("0xAA", side="B"), line(OTHER, side="A", crossed=False, tid=9)]
    rows, unknown = to_fills(body_of(lines), "14.lz4")
    assert rows["account"].to_pylist() == ["0xaa", OTHER]
    assert rows["is_buy"].to_pylist() == [True, False]
    assert rows["trade_id"].to_pylist() == [7, 9]
    assert not unknown


def test_the_same_fills_are_the_same_rows_by_user_and_by_block(real):
    file = real / "raw-blocks/hl-mainnet-node-data/node_fills_by_block/hourly/20251027/17.lz4"
    blocks = unpacked(file.read_bytes(), file.name)
    lines = [
        json.dumps(event)
        for each in blocks.splitlines()
        for event in json.loads(each)["events"]
    ]
    rows, unknown = to_fills(body_of(lines), file.name)
    assert rows.num_rows > 3000
    assert (rows, unknown) == node_fill_rows.to_fills(blocks, file.name)


@given(made=events)
def test_agrees_with_the_obvious_version(made):
    body = body_of(map(json.dumps, made))
    rows, unknown = to_fills(body, "0.lz4")
    assert (rows.to_pylist(), unknown) == plain(body)


def test_unknown_fields_are_counted_over_more_lines_than_are_read_at_once():
    lines = [line(tid=n, **({"mood": 1} if n % 3 == 0 else {})) for n in range(600)]
    rows, unknown = to_fills(body_of(lines), "0.lz4")
    assert rows["trade_id"].to_pylist() == list(range(600))
    assert unknown == Counter(mood=200)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("{", "must be JSON: "),
        ("", "must be JSON: "),
        ("null", "must be [account, fill], is null"),
        ('"ab"', 'must be [account, fill], is "ab"'),
        ('{"a":1,"b":2}', "must be [account, fill], is {"),
        ("7", "must be [account, fill], is 7"),
        (block(fill()), "must be [account, fill], is {"),
        (json.dumps([USER]), f'must be [account, fill], is ["{USER}"]'),
        (json.dumps([USER, []]), "must be [account, fill], is ["),
        (json.dumps([7, fill()]), "account must be a string, is 7"),
        (line(px=None), "fill field px: must be a decimal string, is null"),
        (line(tid=...), "fill field tid: must be an integer of 64 bits, is missing"),
    ],
)
def test_a_fault_is_named_by_file_line_and_field(wrong, says):
    lines = [line() for _ in range(300)]
    for rest in ([], [line(px=None)]):
        with pytest.raises(SourceError) as caught:
            to_fills(body_of([*lines, wrong, *rest]), "20250601/3.lz4")
        assert str(caught.value).startswith(f"20250601/3.lz4 line 301: {says}")


@given(body=hostile(events))
@OFTEN
def test_a_harmed_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain, body)
    if first_fault(body, "0.lz4", event_faults) is None:
        to_fills(body, "0.lz4")
