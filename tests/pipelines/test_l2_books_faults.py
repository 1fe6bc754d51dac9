import json

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.l2_books import l2_books, read, to_books
from tests.pipelines.data_damage import damaged, hostile, unless_refused, values
from tests.pipelines.data_l2_books import (
    ALL,
    LEVELS,
    MINUTE,
    PATH,
    START,
    body_of,
    books,
    contract,
    data,
    line,
    times,
)


def obvious(body):
    """Translate every line one value at a time."""
    for text in body.splitlines():
        book = json.loads(text)["raw"]["data"]
        bids, asks = (
            [
                {"px": float(each["px"]), "size": float(each["sz"]), "orders": each.get("n")}
                for each in side
            ]
            for side in book["levels"]
        )
        yield {"ms": book["time"] - START, "bids": bids, "asks": asks}


def plain(rows):
    sides = rows.select(["bids", "asks"]).to_pylist()
    return [{"ms": ms} | each for ms, each in zip(times(rows), sides, strict=True)]


@pytest.mark.parametrize(
    "path",
    ["SOL.lz4", PATH.replace("/0/", "/00/"), PATH.replace("0401", "0431"), PATH + "x"],
)
def test_a_path_that_names_no_coin_and_hour_is_refused(path):
    with pytest.raises(SourceError, match="must be called market_data/YYYYMMDD/H/l2Book/COIN"):
        to_books(body_of(line()), path)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    file = tmp_path / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(lz4.frame.compress(body_of(*(line(START + n) for n in range(99))))[:-9])
    with pytest.raises(SourceError, match="must be whole LZ4 frames, ends within one"):
        read(l2_books(str(tmp_path)), PATH)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must be JSON"),
        ("{", "must be JSON"),
        (line()[:-1], "must be JSON"),
        (line().replace(str(START), "NaN"), "must be JSON"),
        (line().replace("SOL", "\\ud800"), "must be JSON"),
        ("\ufeff" + line(), "must be JSON"),
        ("7", "must be an object, is 7"),
        ("[]", "must be an object, is []"),
        ("{}", "field raw is missing"),
        (line(raw={"data": data()}), "raw: field channel is missing"),
        (line(raw={"channel": "trades", "data": data()}), "field channel must be l2Book"),
        (line(raw={"channel": "l2Book"}), "raw: field data is missing"),
        (line(raw={"channel": "l2Book", "data": [1]}), "raw data: must be an object"),
        (line(time=...), "raw data: field time is missing"),
        (line(time=None), "raw data: field time must not be null"),
        (line(time="1"), "raw data: field time must be a whole number, is '1'"),
        (line(time=1.5), "raw data: field time must be a whole number, is 1.5"),
        (line(time=2**63), "raw data: field time must be a whole number"),
        (line(time=2**62), "field time must be milliseconds of a time"),
        (line(time=0), "field time must be of 2023 or later"),
        (line(coin="BTC"), "field coin must be SOL, is 'BTC'"),
        (line(levels=LEVELS[:1]), "field levels must be a pair of bids and asks"),
        (
            line(levels=[LEVELS[1], [{"px": 1, "sz": "1"}]]),
            "asks 0: field px must be a decimal",
        ),
        (
            line(levels=[LEVELS[1] * 2, []]),
            "bids 1: field px must be below the level before it",
        ),
        ('{"raw":' * 1020 + "1" + "}" * 1020, "field channel is missing"),
        ('{"raw":' * 1100, "must be JSON"),
        (
            line(raw={"channel": [[]]}).replace("[[]]", "[" * 1010 + "]" * 1010),
            "field channel must be text",
        ),
        (
            line(levels=[[]]).replace("[[]]", "[" * 1010 + "]" * 1010),
            "field levels must be a pair",
        ),
    ],
)
def test_a_line_that_is_not_as_documented_is_refused_by_its_number(text, complaint):
    with pytest.raises(SourceError) as raised:
        books(line(START + 60_000), text)
    said = str(raised.value)
    assert said.startswith(f"{PATH} line 2")
    assert complaint in said
    assert len(said.splitlines()) == 1


def test_a_line_that_is_not_kept_must_still_be_a_book_with_a_time():
    with pytest.raises(SourceError, match="line 2: must be JSON"):
        books(line(), line(START + 1)[:-5], every=MINUTE)


WHOLE = body_of(line(), line(START + 1, levels=[[], []]), line(START + 2))


@hostile
@given(damaged(WHOLE) | st.binary(max_size=100))
def test_damaged_bytes_are_refused_or_read_as_they_stand(body):
    if (made := unless_refused(to_books, body, PATH, ALL)) is not None:
        rows = made[0]
        wanted = sorted(obvious(body), key=lambda row: row["ms"])
        assert plain(rows) == wanted
        assert contract(rows).num_rows <= rows.num_rows


@hostile
@given(damaged(lz4.frame.compress(WHOLE)))
def test_a_damaged_file_is_refused_or_read(packed):
    body = unless_refused(unpacked, packed, PATH)
    made = None if body is None else unless_refused(to_books, body, PATH, ALL)
    if made is not None:
        assert plain(made[0]) == sorted(obvious(body), key=lambda row: row["ms"])


places = [("time",), ("raw",), ("raw", "channel"), ("raw", "data")]


places += [("raw", "data", name) for name in ("coin", "time", "levels")]


places += [("raw", "data", "levels", n) for n in (0, 1)]


places += [("raw", "data", "levels", 0, 0)]


places += [("raw", "data", "levels", 0, 0, name) for name in ("px", "sz", "n", "new")]


@hostile
@given(st.sampled_from(places), values)
def test_any_value_is_refused_or_read_as_it_stands(place, value):
    whole = json.loads(line())
    within = whole
    for step in place[:-1]:
        within = within[step]
    within[place[-1]] = value
    body = body_of(line(START + 1), json.dumps(whole))
    if (made := unless_refused(to_books, body, PATH, ALL)) is not None:
        assert plain(made[0]) == sorted(obvious(body), key=lambda row: row["ms"])
        assert contract(made[0]).num_rows <= 2
