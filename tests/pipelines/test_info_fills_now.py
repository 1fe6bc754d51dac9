from datetime import UTC, datetime, timedelta

import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.info.account_fills import MOST, REACHABLE
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import VAULTS
from pipelines.steps.fills_now import ask_fills
from tests.pipelines.data_info import client_of
from tests.pipelines.test_info_hostile import FILL
from tests.rows import account
from tests.simulator.serving import START, busiest, served, small_venue
from warehouse.contracts.tables import FILLS

T0 = datetime(2026, 1, 5, tzinfo=UTC)
MS = int(T0.timestamp() * 1000)
ONE = account(1)


def at(ms):
    return T0 + timedelta(milliseconds=ms)


def fill(number, after):
    return FILL | {"tid": number, "time": MS + after}


class Venue:
    """Keeps the newest 10,000 fills of one account, and answers 2,000 of them."""

    def __init__(self, fills):
        self.fills, self.asked = fills[-REACHABLE:], []

    def __call__(self, body):
        known = [one for one in self.fills if one["time"] >= body["startTime"]]
        return known[:MOST] if body["user"] == ONE else []

    def fills_of(self, since, until, accounts=(ONE,)):
        make = client_of({"userFillsByTime": self}, self.asked)
        return ask_fills(make, at(since), at(until), accounts)


def test_pages_overlap_and_each_fill_is_there_once():
    # Three fills a ms: a page of 2,000 ends within one.
    fills = [fill(number, number // 3) for number in range(5_000)]
    venue = Venue(fills)
    asked = venue.fills_of(0, 10_000)
    assert asked.rows["trade_id"].to_pylist() == list(range(5_000))
    # Two of the last ms at each of two boundaries.
    assert asked.duplicates == 4
    assert len(venue.asked) == 3
    assert not asked.gaps
    FILLS.check(asked.rows)


def test_times_are_half_open():
    venue = Venue([fill(number, number) for number in range(100)])
    asked = venue.fills_of(10, 20)
    assert asked.rows["trade_id"].to_pylist() == list(range(10, 20))


def test_a_fill_is_known_at_its_time_and_of_this_source():
    asked = Venue([fill(1, 5)]).fills_of(0, 10)
    (row,) = asked.rows.to_pylist()
    assert (row["time_ts"], row["known_ts"], row["source"]) == (at(5), at(5), "info")


def test_what_cannot_be_reached_is_a_gap():
    venue = Venue([fill(number, number) for number in range(12_000)])
    asked = venue.fills_of(0, 20_000)
    (gap,) = asked.gaps
    assert gap == (
        f"{ONE}: fills since 2026-01-05T00:00:00Z were asked for; the oldest of 10000 that can "
        "be reached is of 2026-01-05T00:00:02Z"
    )
    assert asked.rows.num_rows == REACHABLE


def test_what_cannot_be_reached_is_seen_when_only_old_ones_are_wanted():
    venue = Venue([fill(number, number) for number in range(12_000)])
    asked = venue.fills_of(0, 1_000)
    assert asked.rows.num_rows == 0
    assert len(asked.gaps) == 1


def test_an_account_that_can_be_reached_whole_has_no_gap():
    venue = Venue([fill(number, number) for number in range(9_999)])
    assert not venue.fills_of(0, 20_000).gaps


def test_more_in_one_ms_than_an_answer_holds_is_a_gap():
    venue = Venue([fill(number, 0) for number in range(MOST + 5)] + [fill(9_000, 1)])
    asked = venue.fills_of(0, 10)
    (gap,) = asked.gaps
    assert f"fills in the ms {MS}" in gap
    assert asked.rows.num_rows == MOST + 1


def test_the_vaults_are_asked_without_a_choice():
    venue = Venue([])
    ask_fills(client_of({"userFillsByTime": venue}, venue.asked), at(0), at(10))
    assert [body["user"] for body in venue.asked] == list(VAULTS)


def test_an_answer_of_another_time_is_refused():
    make = client_of({"userFillsByTime": [fill(1, 0)]})
    with pytest.raises(SourceError, match=f"field time must be {MS + 5} or more, is {MS}"):
        ask_fills(make, at(5), at(10), [ONE])


def test_a_venue_that_answers_full_pages_without_end_is_left():
    def more(body):
        since = body["startTime"] - MS
        return [fill(since * MOST + number, since + number) for number in range(MOST)]

    with pytest.raises(SourceError, match="more than 10 pages of 2000"):
        ask_fills(client_of({"userFillsByTime": more}), at(0), at(10), [ONE])


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="must be before until"):
        Venue([]).fills_of(10, 10)


def test_the_served_venue_gives_an_accounts_fills():
    venue = small_venue()
    user = busiest(venue)
    since = datetime.fromtimestamp(START / 1000, UTC)
    with served(venue) as (url, _):
        asked = ask_fills(lambda: InfoClient(url), since, since + timedelta(days=1), [user])
    assert asked.rows.num_rows > 10
    assert set(asked.rows["account"].to_pylist()) == {user}
    assert not asked.unknown
    FILLS.check(asked.rows)
