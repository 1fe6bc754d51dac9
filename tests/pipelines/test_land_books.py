from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps.books import land_books
from tests.pipelines.data_books import DAY, book, put_books
from tests.pipelines.data_lake import frame, held, origins, parts
from warehouse.store import Lake

FIRST, NEXT = date(2026, 4, 1), date(2026, 4, 2)


@pytest.fixture
def root(tmp_path):
    for hour in (0, 23, 24):
        for coin in ("BTC", "ETH"):
            put_books(tmp_path / "archive", hour, coin, 0, 20, 60)
    return str(tmp_path / "archive")


def test_a_simulated_archive_lands_as_it_was_true(simulated_books, tmp_path):
    landed = land_books(str(simulated_books / "files"), tmp_path)
    assert (landed.gaps, landed.notes, landed.duplicates) == ([], [], 0)
    query = (
        "select coin, book_ts, source, bids[1].px as bid, asks[1].px as ask from order_books"
    )
    rows = frame(tmp_path, query)
    truth = pl.read_parquet(simulated_books / "truth/minutes.parquet")
    both = rows.join(truth, left_on=["coin", "book_ts"], right_on=["coin", "ts"])
    # The end's own instant is in no file.
    assert both.height == rows.height == landed.rows == truth.height - 3
    assert (both["bid"] == both["bid_px"]).all()
    assert (both["ask"] == both["ask_px"]).all()
    assert set(rows["source"]) == {"simulated"}
    assert len(parts(tmp_path, "order_books")) == 24


def test_an_hour_of_all_coins_is_a_part_that_knows_its_files(root, tmp_path):
    landed = land_books(root, tmp_path / "lake")
    assert parts(tmp_path / "lake", "order_books") == [
        "day=2026-04-01/l2_books-00.parquet",
        "day=2026-04-01/l2_books-23.parquet",
        "day=2026-04-02/l2_books-00.parquet",
    ]
    assert origins(tmp_path / "lake", "order_books") == ["BTC.lz4", "ETH.lz4"]
    assert landed.rows == 12  # the book after 20 s is not the first of its minute


def test_every_says_how_many_books_are_kept(root, tmp_path):
    for every, books in ((timedelta(0), 18), (timedelta(hours=1), 6)):
        landed = land_books(root, tmp_path / str(books), every=every)
        assert landed.rows == books
        assert frame(tmp_path / str(books), "from order_books").height == books


def test_hours_without_a_file_are_absent_and_gaps(root, tmp_path):
    landed = land_books(root, tmp_path / "lake", FIRST, date(2026, 4, 4))
    assert len(landed.gaps) == 22 + 23 + 1
    assert landed.gaps[0] == "l2_books: no file for 2026-04-01 01:00 UTC"
    assert landed.gaps[-1] == "l2_books: no file of 2026-04-03"
    there = [(ask.day.day, ask.hour) for ask in landed.asked if ask.outcome == "landed"]
    assert there == [(1, 0), (1, 23), (2, 0)]
    assert sum(ask.outcome == "absent" for ask in landed.asked) == 3 * 24 - 3


def test_landing_twice_leaves_the_same_bytes(root, tmp_path):
    lake = tmp_path / "lake"
    land_books(root, lake)
    before = held(lake)
    land_books(root, lake)
    assert held(lake) == before


def test_coins_landed_one_after_the_other_are_those_landed_at_once(root, tmp_path):
    land_books(root, tmp_path / "once")
    for coin in ("ETH", "BTC"):
        land_books(root, tmp_path / "apart", coins=[coin])
    whole, apart = (
        [Lake.at(lake).read(f"order_books/{part}") for part in parts(lake, "order_books")]
        for lake in (tmp_path / "once", tmp_path / "apart")
    )
    assert apart == whole
    assert len(whole) == 3
    query = "from order_books_versions where superseded_ts is not null"
    assert frame(tmp_path / "apart", query).is_empty()


def test_one_coin_again_corrects_that_coin_only(root, tmp_path):
    lake = tmp_path / "lake"
    land_books(root, lake)
    put_books(tmp_path / "archive", 0, "BTC", 0, bid=7.0)
    land_books(root, lake, coins=["BTC"])
    query = (
        f"select coin, bids[1].px as bid from order_books where book_ts = '{DAY}' order by 1"
    )
    assert frame(lake, query).rows() == [("BTC", 7.0), ("ETH", 100.0)]
    versions = frame(lake, query.replace("order_books", "order_books_versions"))
    assert versions.height == 4
    assert "day=2026-04-01/l2_books-00~2.parquet" in parts(lake, "order_books")


def test_books_of_other_hours_and_repeated_moments_are_said(tmp_path):
    late = book(DAY + timedelta(hours=1, seconds=5), "BTC", 9.0)
    again = book(DAY, "BTC", 9.0)
    root = put_books(tmp_path / "archive", 0, "BTC", 0, 90, others=(again, late))
    landed = land_books(root, tmp_path / "lake", every=timedelta(0))
    rows = frame(
        tmp_path / "lake", "select bids[1].px as bid from order_books order by book_ts"
    )
    assert rows["bid"].to_list() == [100.0, 190.0]
    assert landed.duplicates == 1
    assert landed.notes == ["l2_books 2026-04-01: 1 books of other hours were not landed"]


def test_a_coin_that_is_not_there_is_named_with_one_like_it(root, tmp_path):
    with pytest.raises(ValueError, match=r"coin 'BTX' has no book in these days.*near it: BTC"):
        land_books(root, tmp_path / "lake", coins=["ETH", "BTX"])
    assert not (tmp_path / "lake").exists()


def test_a_bad_file_leaves_nothing_of_its_day_and_the_days_before_it_stay(root, tmp_path):
    (
        tmp_path / "archive/hyperliquid-archive/market_data/20260402/0/l2Book/ETH.lz4"
    ).write_bytes(b"no frame")
    with pytest.raises(SourceError, match=r"20260402/0/l2Book/ETH\.lz4: must be LZ4 frames"):
        land_books(root, tmp_path / "lake")
    assert {part[:14] for part in parts(tmp_path / "lake", "order_books")} == {"day=2026-04-01"}


def test_a_range_with_nothing_in_it_is_refused(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="no market_data/YYYYMMDD/H/l2Book/COIN"):
        land_books(root, tmp_path / "lake", until=date(2026, 1, 1))
    with pytest.raises(ValueError, match="must be before until"):
        land_books(root, tmp_path / "lake", NEXT, FIRST)
