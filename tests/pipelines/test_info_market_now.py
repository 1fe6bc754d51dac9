from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps import market_now
from pipelines.steps.market_now import ask_market
from tests.pipelines.data_info import client_of
from tests.pipelines.test_info_answers import META
from tests.rows import batch
from tests.simulator.serving import START, served, small_venue
from warehouse.contracts.tables import CANDLES, FUNDING

DAY = date(2026, 1, 5)
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
MORNING = MIDNIGHT + timedelta(days=1, hours=2)
MS = int(MIDNIGHT.timestamp() * 1000)
HOUR = 3_600_000


def bars(body, first=-5, end=48, most=5_000):
    """Return hourly bars as the venue does: those that overlap the time asked for."""
    asked = body["req"]
    starts = [MS + n * HOUR for n in range(first, end)]
    return [
        {
            "t": t,
            "T": t + HOUR - 1,
            "s": asked["coin"],
            "i": asked["interval"],
            "v": "1",
            "n": 1,
        }
        | dict.fromkeys("ohlc", "100.0")
        for t in starts
        if t + HOUR > asked["startTime"] and t <= asked["endTime"]
    ][:most]


def rates(body, most=500):
    times = [MS + n * HOUR + 76 for n in range(-5, 48)]
    return [
        {"coin": body["coin"], "fundingRate": "0.0000125", "premium": "0.0", "time": t}
        for t in times
        if body["startTime"] <= t <= body["endTime"]
    ][:most]


def asked(answers, now=MORNING, **options):
    questions = []
    whole = {"meta": META, "candleSnapshot": bars, "fundingHistory": rates} | answers
    options = {"interval": "1h"} | options
    return ask_market(client_of(whole, questions), DAY, now, **options), questions


def test_a_closed_day_is_whole_for_each_listed_coin():
    market, questions = asked({})
    assert market.gaps == []
    assert [row["coin"] for row in market.candles] == ["BTC"] * 24 + ["WIF"] * 24
    assert market.candles[0]["start_ts"] == MIDNIGHT
    assert market.candles[23]["known_ts"] == MIDNIGHT + timedelta(days=1)
    assert [row["known_ts"] == row["time_ts"] for row in market.funding] == [True] * 48
    assert len(questions) == 1 + 2 * 2
    CANDLES.check(batch(CANDLES, market.candles))
    FUNDING.check(batch(FUNDING, market.funding))


def test_pages_are_joined_without_a_gap_or_a_repeat(monkeypatch):
    monkeypatch.setattr(market_now, "CANDLES_AT_ONCE", 10)
    monkeypatch.setattr(market_now, "FUNDINGS_AT_ONCE", 10)
    answers = {
        "candleSnapshot": lambda body: bars(body, most=10),
        "fundingHistory": lambda body: rates(body, most=10),
    }
    market, questions = asked(answers, coins=["BTC"])
    assert market.gaps == []
    starts = [row["start_ts"] for row in market.candles]
    assert starts == [MIDNIGHT + timedelta(hours=n) for n in range(24)]
    assert len(market.funding) == 24
    assert len(questions) == 3 + 3


def test_a_venue_that_answers_full_pages_without_end_is_left(monkeypatch):
    monkeypatch.setattr(market_now, "FUNDINGS_AT_ONCE", 1)
    market, questions = asked({"fundingHistory": lambda body: rates(body, 1)}, coins=["BTC"])
    assert market.gaps == ["BTC: no funding: BTC: more than 10 pages of 1 for one day"]
    assert len(questions) == 1 + market_now.PAGES
    assert len(market.candles) == 24


def test_what_can_no_longer_be_reached_is_a_gap():
    market, _ = asked({"candleSnapshot": []}, coins=["BTC"])
    assert market.gaps == ["BTC: 0 of 24 candles of 2026-01-05"]


def test_a_coin_without_a_good_answer_is_a_gap_and_the_others_are_there():
    def answer(body):
        return bars(body) if body["req"]["coin"] == "BTC" else httpx.Response(500)

    market, _ = asked({"candleSnapshot": answer})
    (gap,) = market.gaps
    assert gap.startswith("WIF: no candles: ")
    assert "the server failed" in gap
    assert {row["coin"] for row in market.candles} == {"BTC"}


def test_nothing_at_all_is_an_error():
    down = dict.fromkeys(("candleSnapshot", "fundingHistory"), httpx.Response(503))
    with pytest.raises(SourceError, match="the server failed"):
        asked(down)


def test_a_day_that_is_not_over_is_refused():
    with pytest.raises(ValueError, match="the day must be over, it is 2026-01-05T23:59Z"):
        asked({}, now=MIDNIGHT + timedelta(hours=23, minutes=59))


def test_an_interval_that_is_none_is_refused():
    with pytest.raises(ValueError, match="interval 7m: must be one of 1m, 1h"):
        asked({}, interval="7m")


def test_the_served_venue_gives_the_hours_it_lived():
    venue = small_venue()
    with served(venue) as (url, _):
        from pipelines.sources.info.client import InfoClient

        market = ask_market(lambda: InfoClient(url), DAY, MORNING, interval="1h", coins=["BTC"])
    hours = (venue.ms - START) // HOUR
    starts = [row["start_ts"] for row in market.candles]
    assert starts[:hours] == [MIDNIGHT + timedelta(hours=n) for n in range(hours)]
    assert len(market.funding) == hours
    assert market.gaps[-1] == f"BTC: {hours} of 24 fundings of 2026-01-05"
