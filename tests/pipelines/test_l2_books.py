import json
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import lz4.frame
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.l2_books import hourly_books, l2_books, read, to_books
from tests.pipelines.data_damage import damaged, hostile, unless_refused, values
from warehouse.contracts.tables import ORDER_BOOKS

DAY = date(2026, 4, 1)
PATH = "market_data/20260401/0/l2Book/SOL.lz4"
START = 1_775_001_600_000  # 2026-04-01, ms
ALL, MINUTE = timedelta(0), timedelta(minutes=1)
LEVELS = [[{"px": "83.141", "sz": "18.41", "n": 1}], [{"px": "83.15", "sz": "2.0", "n": 4}]]


def data(ms=START, **changes):
    whole = {"coin": "SOL", "time": ms, "levels": LEVELS} | changes
    return {name: value for name, value in whole.items() if value is not ...}


def line(ms=START, raw=None, **changes):
    """Return one line; ``changes`` are of the book."""
    whole = {
        "time": "2026-04-01T00:00:12.669126791",
        "ver_num": 1,
        "raw": raw or {"channel": "l2Book", "data": data(ms, **changes)},
    }
    return json.dumps(whole, separators=(",", ":"))


def body_of(*lines):
    return "".join(f"{each}\n" for each in lines).encode()


def books(*lines, every=ALL):
    return to_books(body_of(*lines), PATH, every)[0]


def times(rows):
    """Return the books' times, ms after the start."""
    return [round((at.timestamp() * 1000) - START) for at in rows["book_ts"].to_pylist()]


def contract(rows):
    """Hold rows, each moment once, to the contract."""
    seen = dict(zip(times(rows)[::-1], range(rows.num_rows)[::-1], strict=True))
    once = rows.take(pa.array(sorted(seen.values()), pa.int64()))
    source = pa.array(["test"] * once.num_rows, pa.string())
    return ORDER_BOOKS.check(once.append_column("source", source))


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


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    spec = WorldSpec(seed=3, coins=3, accounts=40)
    write_archive(spec, 1, folder / "files", truth=folder / "truth", contexts=False)
    return folder


def test_a_simulated_days_books_are_those_that_were_true(simulated):
    archive = l2_books(str(simulated / "files"))
    found = hourly_books(archive, date(2026, 1, 5))
    assert not found.odd
    assert {coin for _, coin in found.paths} == {"BTC", "ETH", "SOL"}
    assert [hour.hour for hour, coin in found.paths if coin == "BTC"] == list(range(24))
    best = []
    for (hour, coin), path in found.paths.items():
        body = read(archive, path)
        rows, unknown = to_books(body, path, ALL)
        assert not unknown
        # The simulator writes a book a minute: none is thinned away.
        assert to_books(body, path)[0].equals(rows)
        assert contract(rows).num_rows == rows.num_rows >= 59
        assert set(rows["coin"].to_pylist()) == {coin}
        lines = [json.loads(text)["raw"]["data"] for text in body.splitlines()]
        for row, told in zip(rows.to_pylist(), lines, strict=True):
            assert hour <= row["book_ts"] < hour + timedelta(hours=1)
            assert row["known_ts"] == datetime(2026, 3, 1, tzinfo=UTC)
            sides = {"bid_px": row["bids"], "ask_px": row["asks"]}
            for side, wanted in zip(sides.values(), told["levels"], strict=True):
                assert [tuple(level.values()) for level in side] == [
                    (float(each["px"]), float(each["sz"]), each["n"]) for each in wanted
                ]
            first = {name: side[0]["px"] if side else None for name, side in sides.items()}
            best.append({"ts": row["book_ts"], "coin": coin} | first)
    truth = pl.read_parquet(simulated / "truth/minutes.parquet")
    both = pl.DataFrame(best).join(truth, on=["ts", "coin"], suffix="_true")
    assert both.height == len(best) == truth.height - 3  # the end's own instant is in no file
    assert (both["bid_px"] == both["bid_px_true"]).all()
    assert (both["ask_px"] == both["ask_px_true"]).all()


def test_a_book_is_known_once_the_month_after_its_own_is_over():
    [row] = books(line(START + 17)).to_pylist()
    assert row == {
        "coin": "SOL",
        "book_ts": datetime(2026, 4, 1, 0, 0, 0, 17_000, tzinfo=UTC),
        "bids": [{"px": 83.141, "size": 18.41, "orders": 1}],
        "asks": [{"px": 83.15, "size": 2.0, "orders": 4}],
        "known_ts": datetime(2026, 6, 1, tzinfo=UTC),
    }


def test_a_book_is_never_known_before_it_was_true():
    months = 91 * 86_400_000
    assert books(line(START + months))["known_ts"][0].as_py() == datetime(
        2026, 7, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("every", "kept"),
    [
        (ALL, [-1, 0, 999, 1000, 59_999, 60_000, 60_000]),
        (timedelta(milliseconds=1), [-1, 0, 999, 1000, 59_999, 60_000]),
        (timedelta(seconds=1), [-1, 0, 1000, 59_999, 60_000]),
        (MINUTE, [-1, 0, 60_000]),
        (timedelta(hours=1), [-1, 0]),
        (timedelta(days=36500), [-1]),
    ],
)
def test_of_each_interval_the_first_book_is_kept(every, kept):
    moments = [60_000, 59_999, 0, 999, 1000, -1, 60_000]
    rows = books(*(line(START + ms) for ms in moments), every=every)
    assert times(rows) == kept


def test_without_a_word_a_book_a_minute_is_kept():
    rows, _ = to_books(body_of(*(line(START + 500 * n) for n in range(240))), PATH)
    assert times(rows) == [0, 60_000]


def test_of_two_books_of_one_moment_the_first_in_the_file_is_kept():
    other = [[], LEVELS[1]]
    rows = books(line(), line(levels=other), every=MINUTE)
    assert rows["bids"].to_pylist() == [[{"px": 83.141, "size": 18.41, "orders": 1}]]


def test_an_interval_below_0_is_no_interval():
    with pytest.raises(ValueError, match="every: must be 0 or more"):
        books(line(), every=-MINUTE)


moments = st.lists(st.integers(0, 600_000), max_size=30)


@given(moments, st.sampled_from([1, 500, 60_000, 7_777]))
def test_thinning_agrees_with_the_obvious_version(moments, every):
    rows = books(*(line(START + ms) for ms in moments), every=timedelta(milliseconds=every))
    groups = groupby(sorted(moments), key=lambda ms: (START + ms) // every)
    assert times(rows) == [next(group) for _, group in groups]
    assert contract(rows).num_rows == rows.num_rows


def test_files_are_found_by_hour_and_coin_and_other_names_are_told(tmp_path):
    day = tmp_path / "hyperliquid-archive/market_data/20260401"
    odd = ["7/trades/BTC.lz4", "07/l2Book/BTC.lz4", "24/l2Book/BTC.lz4", "7/l2Book/BTC.json"]
    odd += ["7/l2Book/..lz4", "7/l2Book/B TC.lz4", "7/l2Book/a/BTC.lz4", "7/l2Book/.hidden.lz4"]
    good = ["10/l2Book/BTC.lz4", "9/l2Book/xyz:TSLA.lz4", "9/l2Book/@107.lz4"]
    for name in (*good, *odd, "../20260402/9/l2Book/BTC.lz4"):
        file = day / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lz4.frame.compress(body_of(line())))
    for root in (tmp_path, tmp_path / "hyperliquid-archive"):
        archive = l2_books(str(root))
        found = hourly_books(archive, DAY)
        nine = datetime(2026, 4, 1, 9, tzinfo=UTC)
        ten = nine.replace(hour=10)
        assert list(found.paths) == [(nine, "@107"), (nine, "xyz:TSLA"), (ten, "BTC")]
        assert found.odd == sorted(f"market_data/20260401/{name}" for name in odd)
        assert hourly_books(archive, date(2026, 4, 3)) == ({}, [])
        assert read(archive, found.paths[ten, "BTC"]) == body_of(line())
    with pytest.raises(FileNotFoundError, match="holds neither market_data/ nor"):
        l2_books(str(day))


def test_a_coin_of_a_builders_dex_is_read_under_its_whole_name():
    path = PATH.replace("SOL", "xyz:TSLA")
    rows, _ = to_books(body_of(line(coin="xyz:TSLA")), path)
    assert rows["coin"].to_pylist() == ["xyz:TSLA"]


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


def test_a_file_without_books_has_no_rows():
    rows, unknown = to_books(b"", PATH)
    assert contract(rows).num_rows == 0
    assert unknown == {}


def test_the_end_of_the_last_line_may_lack_and_others_may_be_of_windows():
    body = body_of(line(), line(START + 1))
    rows = to_books(body, PATH, ALL)[0]
    for other in (body[:-1], body.replace(b"\n", b"\r\n")):
        assert to_books(other, PATH, ALL)[0].equals(rows)


def test_fields_nobody_documented_are_counted_in_rows_that_are_kept():
    odd = {"channel": "l2Book", "data": data(START + 60_000, sky=1), "flag": None}
    levels = [[LEVELS[0][0] | {"mood": 1}], LEVELS[1]]
    lines = [
        line(),
        line(START + 1, sky=1),
        line(raw=odd),
        line(START + 120_000, levels=levels),
    ]
    lines.append(line(START + 180_000, sky=2).replace('"ver_num"', '"node":3,"ver_num"'))
    rows, unknown = to_books(body_of(*lines), PATH)
    assert rows.num_rows == 4
    assert unknown == {"sky": 2, "raw.flag": 1, "level.mood": 1, "line.node": 1}


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
