"""A sweep lands slice by slice, stops when its time is over, and says what each slice is of."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import ATTEMPTS, InfoClient
from pipelines.steps.sweep import sweep
from pipelines.steps.sweep_silence import IN_A_ROW
from pipelines.steps.sweep_time import SLICE
from pipelines.steps.sweep_way import PATIENCE, TOGETHER, Way
from tests.pipelines.test_info_answers import CONTEXT, META, POSITION
from tests.rows import account
from warehouse import open_lake

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PRICED = POSITION | {"liquidationPx": "95550.0"}
MINUTE = timedelta(minutes=1)
EVERYBODY = [account(number) for number in range(1, 1001)]


class Killed(BaseException):
    """The process is gone."""


class Venue:
    """Everybody holds a position; each question about accounts takes a time."""

    def __init__(self, each=MINUTE):
        self.now, self.each = NOON, each
        self.batches = self.alone = 0
        self.trouble = lambda body: None

    async def __call__(self, request):
        body = json.loads(request.content)
        if body["type"] == "metaAndAssetCtxs":
            return httpx.Response(200, json=[META, [CONTEXT, CONTEXT]])
        self.now += self.each
        trouble = self.trouble(body)
        if trouble is not None:
            return await trouble if asyncio.iscoroutine(trouble) else trouble
        if body["type"] == "batchClearinghouseStates":
            self.batches += 1
            return httpx.Response(200, json=[self.state()] * len(body["users"]))
        self.alone += 1
        return httpx.Response(200, json=self.state())

    def state(self):
        return {
            "assetPositions": [{"position": PRICED, "type": "oneWay"}],
            "marginSummary": {"accountValue": "10000.0"},
            "time": int(self.now.timestamp() * 1000),
        }


async def at_once(_):
    await asyncio.sleep(0)


def swept(venue, lake, accounts=EVERYBODY, now=None, **options):
    def client():
        return InfoClient(
            "http://venue",
            Budget(per_minute=10**7),
            transport=httpx.MockTransport(venue),
            sleep=at_once,
        )

    landed = sweep(client, lake, accounts, now=now or (lambda: venue.now), **options)
    return {one.table: one for one in landed}


def rows(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()


SAID = (
    "select accounts_asked, accounts_failed, accounts_skipped, trusted from snapshots "
    "order by snapshot_ts"
)


def on_the_map(lake, at):
    query = "select count(*) from positions_at('BTC', $at)"
    with open_lake(lake) as con:
        return con.sql(query, params={"at": at}).fetchall()[0][0]


def test_each_slice_says_what_it_asked_and_the_map_merges_them(tmp_path):
    venue = Venue()
    landed = swept(venue, tmp_path, skipped=7)
    said = rows(tmp_path, SAID)
    assert len(said) > 2
    assert sum(asked for asked, *_ in said) == len(EVERYBODY)
    assert {asked + skipped for asked, _, skipped, _ in said} == {len(EVERYBODY) + 7}
    assert {row[1::2] for row in said} == {(0, True)}
    assert on_the_map(tmp_path, venue.now) == landed["positions"].rows == len(EVERYBODY)
    known = "select distinct accounts_known from map_coverage('BTC', timestamptz '2026-01-06')"
    assert rows(tmp_path, known) == [(len(EVERYBODY) + 7,)]
    spans = rows(tmp_path, "select max(snapshot_ts - started_ts) from snapshots")
    assert spans[0][0] <= SLICE + MINUTE
    # The contexts are of the dex, not of a slice.
    assert rows(tmp_path, "select count(*) from asset_contexts") == [(2,)]


def test_a_sweep_without_haste_is_one_slice(tmp_path):
    swept(Venue(each=timedelta(seconds=1)), tmp_path)
    assert rows(tmp_path, SAID) == [(1000, 0, 0, True)]


def test_a_sweep_that_is_killed_has_lost_a_slice(tmp_path):
    venue, whole = Venue(), Venue()
    swept(whole, tmp_path / "whole")

    def killed(body):
        if venue.now > NOON + 2.5 * SLICE:
            raise Killed

    venue.trouble = killed
    with pytest.raises(Killed):
        swept(venue, tmp_path / "killed")
    (count,) = rows(tmp_path / "killed", "select count(*) from snapshots")[0]
    assert count == 2
    first = on_the_map(tmp_path / "killed", venue.now)
    assert 0 < first < len(EVERYBODY)
    (asked, skipped) = rows(
        tmp_path / "killed", "select sum(accounts_asked), min(accounts_skipped) from snapshots"
    )[0]
    assert asked == first
    assert skipped > 0

    venue.trouble = lambda body: None
    swept(venue, tmp_path / "killed")
    assert on_the_map(tmp_path / "killed", venue.now) == len(EVERYBODY)
    assert on_the_map(tmp_path / "whole", whole.now) == len(EVERYBODY)


def test_when_its_time_is_over_the_rest_is_skipped(tmp_path):
    venue = Venue()
    landed = swept(venue, tmp_path, until=NOON + 8 * MINUTE, skipped=3)
    said = rows(tmp_path, SAID)
    asked = sum(row[0] for row in said)
    # Who was asked before the end may answer; eight are asked at once.
    assert 8 * TOGETHER <= asked <= 16 * TOGETHER
    assert said[-1][2] == len(EVERYBODY) + 3 - said[-1][0]
    left = len(EVERYBODY) - asked
    assert landed["snapshots"].gaps == [
        f"time was over: {left} of 1000 accounts on hyperliquid were not asked"
    ]
    assert on_the_map(tmp_path, venue.now) == asked


def test_at_its_end_nobody_is_waited_for(tmp_path):
    venue = Venue(each=timedelta(milliseconds=1))

    async def forever():
        await asyncio.sleep(3600)

    def stuck(body):
        return forever() if venue.batches >= 4 else None

    venue.trouble = stuck
    began = datetime.now(UTC)
    landed = swept(
        venue, tmp_path, now=lambda: datetime.now(UTC), until=began + timedelta(seconds=0.7)
    )
    assert datetime.now(UTC) - began < timedelta(seconds=10)
    assert rows(tmp_path, SAID) == [(4 * TOGETHER, 0, len(EVERYBODY) - 4 * TOGETHER, True)]
    assert "800 of 1000 accounts" in landed["snapshots"].gaps[0]


def test_a_venue_that_fails_for_a_while_spoils_that_while_only(tmp_path):
    venue = Venue()

    def down(body):
        if NOON + SLICE < venue.now < NOON + 10 * SLICE:
            return httpx.Response(500)
        return None

    venue.trouble = down
    landed = swept(venue, tmp_path)
    said = rows(tmp_path, SAID)
    assert {trusted for *_, trusted in said} == {True, False}
    assert all(trusted == (failed <= 0.3 * asked) for asked, failed, _, trusted in said)
    failed = sum(row[1] for row in said)
    assert f"{failed} of 1000 accounts did not answer" in landed["accounts"].gaps[0]


def test_a_venue_that_dies_is_not_asked_to_the_end(tmp_path):
    venue, tries = Venue(each=timedelta(seconds=10)), []

    def dead(body):
        if venue.batches < 4:
            return None
        tries.append(body)
        return httpx.Response(500)

    venue.trouble = dead
    crowd = [account(number) for number in range(1, 2001)]
    landed = swept(venue, tmp_path, crowd)
    asked, failed = rows(
        tmp_path, "select sum(accounts_asked), sum(accounts_failed) from snapshots"
    )[0]
    questions, rest = failed // TOGETHER, len(crowd) - asked
    # Eight are asked at once: who was asked when it was noticed fails too.
    assert IN_A_ROW <= questions < IN_A_ROW + 8
    assert (asked - failed, failed % TOGETHER, len(tries)) == (200, 0, ATTEMPTS * questions)
    assert rest > 500
    assert landed["snapshots"].gaps == [
        f"the venue did not answer {questions} questions in a row: {rest} of 2000 accounts on "
        "hyperliquid were not asked"
    ]
    assert f"{failed} of {asked} accounts did not answer" in landed["accounts"].gaps[0]
    assert rows(tmp_path, SAID)[-1][3] is False
    assert rows(tmp_path, "select count(*) from positions") == [(200,)]


def test_a_venue_that_is_started_anew_is_asked_to_the_end(tmp_path):
    """It is silent to as many questions, and shorter."""
    venue, tries = Venue(each=timedelta(seconds=0.5)), []

    def away(body):
        tries.append(body)
        return httpx.Response(500) if 4 < len(tries) <= 4 + IN_A_ROW * ATTEMPTS else None

    venue.trouble = away
    landed = swept(venue, tmp_path)
    assert landed["snapshots"].gaps == []
    assert sum(row[0] for row in rows(tmp_path, SAID)) == len(EVERYBODY)


def test_an_answer_that_is_held_is_dropped_and_counted(tmp_path):
    venue = Venue(each=timedelta())
    swept(venue, tmp_path, EVERYBODY[:60])
    before = rows(tmp_path, SAID), rows(tmp_path, "select count(*) from accounts")
    later = NOON + timedelta(hours=1)
    landed = swept(venue, tmp_path, EVERYBODY[:60], now=lambda: later)
    assert (landed["accounts"].rows, landed["accounts"].duplicates) == (0, 60)
    assert landed["accounts"].notes[0].startswith("60 answers on hyperliquid are of an instant")
    assert (rows(tmp_path, SAID), rows(tmp_path, "select count(*) from accounts")) == before


def test_new_answers_beside_held_ones_are_landed(tmp_path):
    """The venue's clock stands: what is new has the time of a snapshot that there is."""
    venue = Venue(each=timedelta())
    swept(venue, tmp_path, EVERYBODY[:60], skipped=40)
    later = NOON + timedelta(hours=1)
    landed = swept(venue, tmp_path, EVERYBODY[:100], now=lambda: later)
    assert (landed["accounts"].rows, landed["accounts"].duplicates) == (40, 60)
    assert rows(tmp_path, SAID) == [(60, 0, 40, True), (40, 0, 60, True)]
    moments = rows(tmp_path, "select snapshot_ts from snapshots order by all")
    assert moments[1][0] - moments[0][0] == timedelta(microseconds=1)
    assert on_the_map(tmp_path, later) == 100


def test_an_answer_of_another_instant_is_no_repeat(tmp_path):
    venue = Venue(each=timedelta())
    swept(venue, tmp_path, EVERYBODY[:10])
    venue.now += timedelta(milliseconds=1)
    landed = swept(venue, tmp_path, EVERYBODY[:10])
    assert (landed["accounts"].rows, landed["accounts"].duplicates) == (10, 0)


def test_a_venue_that_stops_answering_for_many_is_asked_for_each(tmp_path):
    venue, changes = Venue(each=timedelta()), []

    def unknown(body):
        if body["type"] == "batchClearinghouseStates" and venue.batches >= 4:
            return httpx.Response(422, text="Failed to deserialize")
        return None

    venue.trouble = unknown
    way = Way(total=1000, left=1000)
    way.changed = lambda: changes.append(way.left)
    landed = swept(venue, tmp_path, way=way)
    assert rows(tmp_path, SAID) == [(1000, 0, 0, True)]
    assert venue.batches == 4
    assert venue.alone == 1000 - 4 * TOGETHER
    # Eight questions for many may be under way when the way changes.
    refused = landed["positions"].unknown_fields["batchClearinghouseStates without an answer"]
    assert PATIENCE <= refused <= PATIENCE + 8
    assert len(changes) == 1
    assert 0 < changes[0] <= 800
    assert (way.together, way.left) == (False, 0)


@pytest.mark.parametrize("odd", [{"a": 1}, [None]], ids=["object", "too_few"])
def test_an_odd_answer_for_many_is_asked_again_for_each(tmp_path, odd):
    venue, seen = Venue(each=timedelta()), []

    def once(body):
        if body["type"] == "batchClearinghouseStates" and not seen:
            seen.append(body)
            return httpx.Response(200, json=odd)
        return None

    venue.trouble = once
    way = Way(total=1000, left=1000)
    landed = swept(venue, tmp_path, way=way)
    assert rows(tmp_path, SAID) == [(1000, 0, 0, True)]
    assert (venue.alone, way.together) == (TOGETHER, True)
    assert landed["positions"].unknown_fields == {
        "batchClearinghouseStates without an answer": 1
    }
