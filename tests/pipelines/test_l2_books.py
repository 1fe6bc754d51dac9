import json
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import lz4.frame
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.l2_books import hourly_books, l2_books, read, to_books
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

DAY = date(2026, 4, 1)


def test_a_simulated_days_books_are_those_that_were_true(simulated_books):
    archive = l2_books(str(simulated_books / "files"))
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
    truth = pl.read_parquet(simulated_books / "truth/minutes.parquet")
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
