import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.kiyotaka import to_levels
from warehouse import open_lake
from warehouse.contracts.levels import IMPORTED_LEVELS
from warehouse.store import land

S = 1_774_800_000
AT = datetime.fromtimestamp(S, UTC)
ID = {"type": "HYPERLIQUID_LIQUIDATION_AGG", "interval": "HOUR", "coin": "BTC"}


def point(seconds=S, levels=(66210, 0.07923, 66220, 1.64824)):
    return {"Point": {"timestamp": {"s": seconds}, "levels": list(levels)}}


def answer(*points, **about):
    return {"series": [{"id": ID | about, "points": list(points)}]}


def flat(*numbers, **about):
    return {"series": [{"id": ID | about, "flat_points": list(numbers)}]}


def read(*answers, quote="coin"):
    bodies = {f"{n}.json": json.dumps(each).encode() for n, each in enumerate(answers)}
    return to_levels(bodies, quote)


def rows(*answers, quote="coin"):
    return read(*answers, quote=quote).tables[0][1].to_pylist()


def test_an_answer_becomes_levels_and_what_it_does_not_say_is_null():
    first, second = rows(answer(point()))
    assert first == {
        "level_ts": AT,
        "source": "kiyotaka-coin-hour",
        "coin": "BTC",
        "px": 66_210.0,
        "size": 0.07923,
        "notional": None,
        "side": None,
        "bucket_width": None,
        "known_ts": AT + timedelta(hours=1),
    }
    assert (second["px"], second["size"]) == (66_220.0, 1.64824)


def test_volumes_asked_for_in_usd_are_notional():
    (row, _) = rows(answer(point()), quote="USD")
    assert (row["size"], row["notional"], row["source"]) == (
        None,
        0.07923,
        "kiyotaka-usd-hour",
    )
    with pytest.raises(ValueError, match="quote 'usd': must be one of coin, USD"):
        read(answer(point()), quote="usd")


def test_flat_points_say_the_same_as_nested_ones():
    levels = [70390, 0.53449, 70400, 0.00057]
    made = rows(
        flat(2, S * 1e6, *levels, 1, (S + 60) * 10**6, 70300, 0.0077, interval="MINUTE")
    )
    nested = [point(S, levels), point(S + 60, [70300, 0.0077])]
    assert made == rows(answer(*nested, interval="MINUTE"))
    assert [row["known_ts"] for row in made] == [AT + timedelta(minutes=n) for n in (1, 1, 2)]


def test_pages_that_overlap_count_a_point_once():
    made = read(answer(point(), point(S + 3600)), answer(point(S + 3600)))
    assert (made.tables[0][1].num_rows, made.duplicates) == (4, 2)


def test_two_answers_that_disagree_on_a_point_are_both_named():
    with pytest.raises(SourceError) as raised:
        read(answer(point()), answer(point(levels=[66210, 0.07923])))
    assert str(raised.value) == (
        "1.json series 0 points 0 Point: must come once per coin, interval and moment, "
        "0.json series 0 points 0 Point differs"
    )


def test_intervals_and_quotes_of_one_moment_lie_side_by_side(tmp_path):
    made = read(answer(point()), answer(point(), interval="FIFTEEN_MINUTES"))
    for quote in ("coin", "USD"):
        ((table, batch),) = read(
            answer(point()), answer(point(), interval="FIFTEEN_MINUTES"), quote=quote
        ).tables
        land(tmp_path, table, batch, f"kiyotaka-{quote.lower()}")
    assert made.duplicates == 0
    with open_lake(tmp_path) as con:
        counted = con.sql(
            "select source, count(*) from imported_levels group by all order by 1"
        )
        assert counted.fetchall() == [
            ("kiyotaka-coin-fifteen_minutes", 2),
            ("kiyotaka-coin-hour", 2),
            ("kiyotaka-usd-fifteen_minutes", 2),
            ("kiyotaka-usd-hour", 2),
        ]


def test_new_fields_are_tolerated_and_counted():
    odd = answer(point(), mood=1) | {"next": None}
    odd["series"][0]["points"][0]["Point"]["timestamp"]["ns"] = 5
    odd["series"][0]["points"][0]["Point"]["total"] = 7
    assert read(odd).unknown_fields == {
        "next": 1,
        "id.mood": 1,
        "timestamp.ns": 1,
        "Point.total": 1,
    }


def test_points_that_may_have_been_cut_at_the_default_depth_are_said():
    levels = [number for n in range(1_500) for number in (n + 1, 1.0)]
    assert read(answer(point(levels=levels))).notes == [
        "1 points have 1500 levels, the default depth: they may be cut"
    ]
    assert read(answer(point())).notes == []


def test_no_point_and_no_level_are_no_rows():
    assert rows(answer()) == rows(answer(point(levels=[]))) == rows({"series": []}) == []
    with pytest.raises(ValueError, match="no file to read"):
        to_levels({}, "coin")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ([], r"^0\.json: must be an object, is \[\]"),
        ({}, r"^0\.json: field series is missing"),
        (answer(point(), type="LIQUIDATION_AGG"), "field type must be HYPERLIQUID_LIQUIDATION"),
        (answer(point(), interval="FORTNIGHT"), "field interval must be a count of minutes"),
        (answer(point(), coin=""), "series 0 id: field coin must be at most 128 printed"),
        (answer(point(), coin="B\0C"), "field coin must be at most 128 printed"),
        (answer(point(), coin="B\nC"), "field coin must be at most 128 printed"),
        ({"series": [{"id": ID}]}, "must hold points or flat_points, holds neither"),
        (
            answer(point(seconds="x")),
            "points 0 Point timestamp: field s must be a whole number",
        ),
        (answer(point(seconds=S * 1000)), "timestamp must be between 2009 and 2099"),
        (answer(point(seconds=2**63)), "field s must be a whole number"),
        (answer({"Point": {"timestamp": {"s": S}}}), "field levels must be a list, is None"),
        (answer(point(levels=[1, 2, 3])), "levels must be pairs, are 3 numbers"),
        (answer(point(levels=[1, "2"])), "levels 1 must be a number, is '2'"),
        (answer(point(levels=[1, True])), "levels 1 must be a number, is True"),
        (answer(point(levels=[1, None])), "levels 1 must be a number, is None"),
        (answer(point(levels=[0, 1])), "levels 0 must be above 0 and the price before"),
        (answer(point(levels=[5, 1, 5, 1])), "levels 2 must be above 0 and the price before"),
        (answer(point(levels=[5, 1, 6, -1])), "levels 3 must be 0 or more, is -1"),
        (flat(2, S * 1e6, 1, 2), "flat_points 0: must hold 2 levels, 2 numbers follow"),
        (flat(1), "flat_points 0: must begin with two whole numbers, has None"),
        (flat(1.5, S * 1e6, 1, 2), "must begin with two whole numbers, has 1.5"),
        (flat(-1, S * 1e6), "must hold -1 levels"),
        (flat(1e300, S * 1e6), "must begin with two whole numbers"),
        (flat(0, S), "timestamp must be between 2009 and 2099"),
    ],
)
def test_what_is_not_as_documented_names_file_place_and_field(made, says):
    with pytest.raises(SourceError, match=says) as raised:
        rows(made)
    assert str(raised.value).startswith("0.json")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"series": [NaN]}'])
def test_what_is_no_json_is_named(body):
    with pytest.raises(SourceError, match=r"^a\.json: cannot be read as JSON"):
        to_levels({"a.json": body}, "coin")


GOOD = json.dumps(answer(point(), point(S + 3600))).encode()
FLAT = json.dumps(flat(1, S * 1_000_000, 70300, 0.0077, 1, S * 1_000_000 + 1, 1, 2)).encode()
HOSTILE = [b"1e999", b"-0", b"null", b"[]", b"{}", b"true", b"9" * 40, b'"', b"\0", b"1e-400"]


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from([GOOD, FLAT]), st.data())
def test_mutated_json_is_refused_in_one_line_or_read_rightly(body, data):
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(body)))
        end = start + data.draw(st.integers(0, 10))
        filler = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from(HOSTILE)))
        body = body[:start] + filler + body[end:]
    refused_or_right(body)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = (
    ("series",),
    ("series", 0, "id"),
    ("series", 0, "id", "coin"),
    ("series", 0, "id", "interval"),
    ("series", 0, "points"),
    ("series", 0, "points", 0, "Point"),
    ("series", 0, "points", 0, "Point", "timestamp", "s"),
    ("series", 0, "points", 0, "Point", "levels"),
    ("series", 0, "points", 0, "Point", "levels", 1),
    ("series", 0, "flat_points"),
)


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(PLACES), JSON)
def test_any_value_anywhere_is_refused_in_one_line_or_read_rightly(place, value):
    made = json.loads(GOOD)
    at = made
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    refused_or_right(json.dumps(made).encode())


def refused_or_right(body):
    told, tables = "", []
    try:
        tables = to_levels({"a.json": body}, "coin").tables
    except SourceError as error:
        told = str(error)
    assert not told or told.startswith("a.json")
    assert "\n" not in told
    for table, batch in tables:
        assert table is IMPORTED_LEVELS
        assert table.check(batch).equals(batch)
