"""What the venue is asked for about a day and a moment lands as it was true there."""

import asyncio
from datetime import UTC, date, datetime
from functools import partial

import pytest

from pipelines.sources.info import client
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.trades import to_trades, traders_of
from pipelines.steps.books_now import land_books_now
from pipelines.steps.land_now import land_account_fills, land_market_day
from tests.pipelines.data_fills import tree
from tests.simulator.serving import served, small_venue
from warehouse import open_lake

DAY = date(2026, 1, 5)
AFTER = datetime(2026, 1, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def venue():
    return small_venue()


def test_books_of_the_largest_coins_land(venue, tmp_path):
    with served(venue) as (url, _):
        ask = partial(land_books_now, partial(InfoClient, url), tmp_path, source="simulated")
        landed = ask(3, now=lambda: AFTER)
    assert (landed.rows, landed.gaps) == (3, [])
    with open_lake(tmp_path) as con:
        books = con.sql(
            "select coin, bids[1].px < asks[1].px, len(bids) > 1, source from order_books"
        ).fetchall()
        origins = con.sql("select distinct origins[1].url from parts").fetchall()
    assert {book[1:] for book in books} == {(True, True, "simulated")}
    assert origins == [(f"{url}/info",)]


def test_a_coin_without_a_book_is_a_gap(venue, tmp_path):
    with served(venue) as (url, _):
        landed = land_books_now(partial(InfoClient, url), tmp_path, ["BTC", "NOPE"])
    assert landed.rows == 1
    assert landed.gaps[0].startswith("order_books: NOPE: ")


def test_a_day_of_the_market_lands_once(venue, tmp_path):
    with served(venue) as (url, _):
        client_of = partial(InfoClient, url)
        ask = partial(land_market_day, client_of, tmp_path, DAY, interval="1h", coins=["BTC"])
        first = ask(now=lambda: AFTER)
        before = tree(tmp_path)
        ledger = (tmp_path / "_ledger/parts.parquet").read_bytes()
        ask(now=lambda: datetime(2026, 1, 7, tzinfo=UTC))
    assert {one.table: one.rows >= 5 for one in first} == {"candles": True, "funding": True}
    assert {ask.outcome for one in first for ask in one.asked} == {"landed"}
    assert tree(tmp_path) == before
    assert (tmp_path / "_ledger/parts.parquet").read_bytes() == ledger


def test_fills_of_an_account_land_and_of_nobody_are_absent(venue, tmp_path):
    async def who_traded(client_of):
        async with client_of() as client:
            answer = await client.ask({"type": "recentTrades", "coin": "BTC"})
            return traders_of(to_trades(answer, "recentTrades"))

    with served(venue) as (url, _):
        client_of = partial(InfoClient, url)
        accounts = sorted(asyncio.run(who_traded(client_of)))[:3]
        ask = partial(land_account_fills, client_of, tmp_path, now=lambda: AFTER)
        some, none = ask(DAY, accounts=accounts), ask(date(2026, 1, 4), accounts=accounts)
    assert (none.rows, none.asked[0].outcome) == (0, "absent")
    assert (some.rows >= 3, some.asked[0].outcome) == (True, "landed")
    with open_lake(tmp_path) as con:
        held = con.sql("select distinct account from fills order by account").fetchall()
    assert held == [(account,) for account in accounts]


def test_a_coin_that_does_not_answer_takes_nothing_back(venue, tmp_path, monkeypatch):
    """Asked again while a coin is away: what was landed of it stays, and the ask has failed."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)

    def held():
        with open_lake(tmp_path) as con:
            return con.sql(
                "select coin, count(*) from candles group by coin order by coin"
            ).fetchall()

    with served(venue) as (url, _):
        client_of = partial(InfoClient, url)
        ask = partial(land_market_day, client_of, tmp_path, DAY, interval="1h")
        ask(coins=["BTC", "ETH"], now=lambda: AFTER)
        both = held()
        again = ask(coins=["BTC", "NOPE"], now=lambda: AFTER)
    assert held() == both
    assert len(both) == 2
    assert {one.asked[0].outcome for one in again} == {"failed"}
