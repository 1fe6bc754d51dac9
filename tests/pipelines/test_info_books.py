import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.serve.answers import answer
from pipelines.sources.errors import SourceError
from pipelines.sources.info.books import _levels, _sound, to_book, unknown_fields
from pipelines.sources.info.fields import objects
from tests.pipelines.data_damage import hostile, unless_refused, values
from tests.rows import batch
from tests.simulator.serving import small_venue
from warehouse.contracts.tables import ORDER_BOOKS

MS = 1_775_001_612_017


def level(px, size="1.0", n=1, **others):
    return {"px": str(px), "sz": size, "n": n} | others


def book(**changes):
    whole = {
        "coin": "SOL",
        "time": MS,
        "levels": [[level(83.14, "18.41", 3), level(83.0, "0.0")], [level(83.2)]],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def held(row):
    whole = row | {"source": "test", "known_ts": row["book_ts"]}
    return ORDER_BOOKS.check(batch(ORDER_BOOKS, [whole]))


def test_a_book_is_its_levels_best_first():
    row = to_book(book(), "SOL")
    assert row == {
        "coin": "SOL",
        "book_ts": datetime(2026, 4, 1, 0, 0, 12, 17000, tzinfo=UTC),
        "bids": [
            {"px": 83.14, "size": 18.41, "orders": 3},
            {"px": 83.0, "size": 0.0, "orders": 1},
        ],
        "asks": [{"px": 83.2, "size": 1.0, "orders": 1}],
    }
    assert held(row)["bids"].to_pylist() == [row["bids"]]


def test_a_number_of_orders_that_is_not_given_is_null():
    row = to_book(book(levels=[[{"px": "1", "sz": "2"}], [level(3, n=None)]]), "SOL")
    assert row["bids"][0]["orders"] is row["asks"][0]["orders"] is None
    assert held(row).num_rows == 1


def test_a_book_of_nobody_is_empty():
    row = to_book(book(levels=[[], []]), "SOL")
    assert row["bids"] == row["asks"] == []
    assert held(row).num_rows == 1


ODD = [
    "1.",
    ".5",
    "+1",
    " 1",
    "1 2",
    "1_0",
    "١",
    "1e999",
    "1" * 25,
    "-0",
    "",
    1,
    1.0,
    None,
    True,
]


@given(
    side=st.lists(
        st.fixed_dictionaries(
            {"px": st.sampled_from([*ODD, "1", "2.5", "3e0", "4"]), "sz": st.sampled_from(ODD)},
            optional={"n": st.sampled_from([None, 0, 7, -1, 2**63, True, "1", 1.0])},
        )
        | st.sampled_from([{}, [], "px", 1, None]),
        max_size=4,
    ),
    better=st.sampled_from([-1, 1]),
)
def test_levels_read_at_once_are_those_read_one_by_one(side, better):
    try:
        slowly = _levels(objects(side, ""), better)
    except SourceError:
        slowly = None
    assert _sound(side, better) == slowly


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"coin": "BTC"}, "field coin must be SOL, is 'BTC'"),
        ({"coin": ...}, "field coin is missing"),
        ({"time": ...}, "field time is missing"),
        ({"time": None}, "field time must not be null"),
        ({"time": str(MS)}, "field time must be a whole number"),
        ({"time": 1.5}, "field time must be a whole number"),
        ({"time": True}, "field time must be a whole number"),
        ({"time": 10**18}, "field time must be milliseconds of a time"),
        ({"levels": ...}, "field levels must be a pair of bids and asks"),
        ({"levels": []}, "field levels must be a pair of bids and asks, is []"),
        ({"levels": [[], [], []]}, "field levels must be a pair"),
        ({"levels": [[], None]}, "asks: must be a list, is None"),
        ({"levels": [["1.0"], []]}, "bids 0: must be an object, is '1.0'"),
        ({"levels": [[level(1.5) | {"px": 1.5}], []]}, "bids 0: field px must be a decimal in"),
        ({"levels": [[level("0.0")], []]}, "bids 0: field px must be above 0, is '0.0'"),
        ({"levels": [[level("-1")], []]}, "bids 0: field px must be above 0"),
        ({"levels": [[level("NaN")], []]}, "bids 0: field px must be a decimal in text"),
        ({"levels": [[], [level(1, "-1")]]}, "asks 0: field sz must be 0 or more, is '-1'"),
        ({"levels": [[], [level(1, n=-1)]]}, "asks 0: field n must be 0 or more, is -1"),
        ({"levels": [[], [level(1, n="1")]]}, "asks 0: field n must be a whole number, is '1'"),
        ({"levels": [[], [level(1, n=2**63)]]}, "asks 0: field n must be a whole number"),
        (
            {"levels": [[level(1), level(2)], []]},
            "bids 1: field px must be below the level befo",
        ),
        (
            {"levels": [[level(2), level(2)], []]},
            "bids 1: field px must be below the level befo",
        ),
        (
            {"levels": [[], [level(2), level(1)]]},
            "asks 1: field px must be above the level befo",
        ),
        (
            {"levels": [[], [level(2), level(2)]]},
            "asks 1: field px must be above the level befo",
        ),
    ],
)
def test_a_book_that_is_not_as_documented_is_refused(change, complaint):
    with pytest.raises(SourceError) as raised:
        to_book(book(**change), "SOL")
    said = str(raised.value)
    assert said.startswith("l2Book SOL")
    assert complaint in said


@pytest.mark.parametrize("junk", [None, [], "book", 7], ids=repr)
def test_what_is_no_book_is_refused(junk):
    with pytest.raises(SourceError, match="l2Book SOL: must be an object"):
        to_book(junk, "SOL")


def test_an_answer_nested_beyond_reason_is_refused():
    deep = []
    for _ in range(1020):  # orjson reads 1,024 deep; Python shows fewer than 1,000
        deep = [deep]
    for change in ({"levels": deep}, {"coin": deep}, {"levels": [[deep], []]}):
        with pytest.raises(SourceError):
            to_book(book(**change), "SOL")


def test_fields_nobody_documented_are_told():
    odd = book(mood=1, levels=[[level(2), level(1, sky="blue")], [level(3, mood=2)]])
    assert (
        to_book(odd, "SOL")["bids"]
        == to_book(book(levels=[[level(2), level(1)], []]), "SOL")["bids"]
    )
    assert unknown_fields(odd) == {"mood", "level.sky", "level.mood"}
    assert unknown_fields(book()) == unknown_fields(book(levels=[[], []])) == set()


prices = st.lists(st.integers(1, 10**7), unique=True, max_size=20).map(sorted)
counts = st.none() | st.integers(0, 2**63 - 1)
sizes = st.decimals(0, 10**9, places=5)


@given(prices, prices, sizes, counts)
def test_every_book_that_is_in_order_keeps_the_contract(bids, asks, size, n):
    levels = [[level(px, f"{size:f}", n) for px in side] for side in (bids[::-1], asks)]
    row = to_book(book(levels=levels), "SOL")
    assert [each["px"] for each in row["bids"]] == bids[::-1]
    assert [each["px"] for each in row["asks"]] == asks
    assert {each["size"] for each in row["bids"]} <= {float(size)}
    assert held(row).num_rows == 1


@hostile
@given(st.sampled_from(["coin", "time", "levels", "bids", "px", "sz", "n"]), values)
def test_any_value_is_refused_or_read(name, value):
    if name in ("px", "sz", "n"):
        changed = book(levels=[[level(2) | {name: value}], [level(3)]])
    elif name == "bids":
        changed = book(levels=[value, [level(3)]])
    else:
        changed = book(**{name: value})
    if (row := unless_refused(to_book, changed, "SOL")) is not None:
        assert held(row).num_rows == 1
        assert len(row["bids"]) == len(changed["levels"][0])
        if name in ("px", "sz"):
            assert row["bids"][0]["px" if name == "px" else "size"] == float(value)


@hostile
@given(values)
def test_any_answer_is_refused_or_read(value):
    assert unless_refused(to_book, value, "SOL") is None


def test_a_served_venues_books_are_read_level_by_level():
    venue = small_venue()
    levels = 0
    for coin in venue.listing.names:
        served = answer(venue, {"type": "l2Book", "coin": coin}).value
        row = to_book(served, coin)
        assert not unknown_fields(served)
        assert held(row).num_rows == 1
        assert row["book_ts"].timestamp() * 1000 == venue.ms
        for side, told in zip((row["bids"], row["asks"]), served["levels"], strict=True):
            wanted = [(float(each["px"]), float(each["sz"]), each["n"]) for each in told]
            assert [tuple(each.values()) for each in side] == wanted
            levels += len(side)
    assert levels > 100


@pytest.mark.parametrize(
    ("name", "per_side"),
    [
        ("test_get_l2_snapshot_1.json", 20),
        ("sample_http_l2_book_btc.json", 5),
        ("sample_http_l2_book_snapshot.json", 5),
    ],
)
def test_recorded_books_are_read(real, name, per_side):
    recorded = json.loads((real / "info" / name).read_text())
    recorded = recorded.get("response", recorded)
    row = to_book(recorded, recorded["coin"])
    assert [len(row["bids"]), len(row["asks"])] == [per_side, per_side]
    assert row["bids"][0]["px"] < row["asks"][0]["px"]
    assert held(row).num_rows == 1
