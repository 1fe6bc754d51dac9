import json
from datetime import UTC, datetime

import httpx
import pytest

from pipelines.sources.errors import UnreachableError
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import InfoClient
from pipelines.steps.sweep import sweep
from pipelines.steps.sweep_way import TOGETHER, weight_of_sweep
from tests.pipelines.test_info_answers import CONTEXT, META, POSITION
from tests.rows import account
from warehouse import open_lake

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


def state(number, *positions):
    """Return an answer that is as many ms older than NOW."""
    return {
        "assetPositions": [{"position": each, "type": "oneWay"} for each in positions],
        "marginSummary": {"accountValue": "10000.0"},
        "time": MS - number,
    }


class Venue:
    """Answers for accounts; what is an exception or a response instead is that."""

    def __init__(self, states, together=True):
        self.states, self.together, self.asked = states, together, []

    def __call__(self, request):
        body = json.loads(request.content)
        self.asked.append(body["type"])
        if body["type"] == "metaAndAssetCtxs":
            return httpx.Response(200, json=[META, [CONTEXT, CONTEXT]])
        if body["type"] == "batchClearinghouseStates":
            if not self.together:
                return httpx.Response(422, text="Failed to deserialize")
            return httpx.Response(200, json=[self.states.get(one) for one in body["users"]])
        answer = self.states.get(body["user"])
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=json.dumps(answer))


def swept(venue, lake, accounts, **others):
    async def at_once(_):
        pass

    def client():
        return InfoClient(
            "http://venue",
            Budget(per_minute=10**6),
            transport=httpx.MockTransport(venue),
            sleep=at_once,
        )

    return sweep(client, lake, accounts, now=lambda: NOW, **others)


def asked_of(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()


PRICED = POSITION | {"liquidationPx": "95550.0"}


def test_every_answer_is_landed_at_its_own_moment(tmp_path):
    venue = Venue({account(1): state(60_000, PRICED), account(2): state(0)})
    swept(venue, tmp_path, [account(1), account(2)], skipped=7)
    assert asked_of(tmp_path, "select account, snapshot_ts, coin, size from positions") == [
        (account(1), datetime(2026, 1, 5, 11, 59, tzinfo=UTC), "BTC", -0.5)
    ]
    assert asked_of(
        tmp_path,
        "select account, positions, notional, round(nearest_pct, 6), sweep_ts from accounts "
        "order by account",
    ) == [(account(1), 1, 45_500.0, 5.0, NOW), (account(2), 0, 0.0, None, NOW)]
    assert asked_of(
        tmp_path,
        "select snapshot_ts, started_ts, complete, trusted, accounts_asked, accounts_failed, "
        "accounts_skipped, accounts, positions, px_venue from snapshots",
    ) == [(NOW, datetime(2026, 1, 5, 11, 59, tzinfo=UTC), False, True, 2, 0, 7, 1, 1, 1)]
    assert asked_of(tmp_path, "select count(*) from instruments") == [(2,)]
    assert asked_of(tmp_path, "select count(*) from asset_contexts") == [(2,)]


def test_many_accounts_are_asked_for_together_where_the_venue_knows_how(tmp_path):
    states = {account(n): state(n, PRICED) for n in range(1, 121)}
    venue = Venue(states)
    swept(venue, tmp_path / "together", list(states))
    assert venue.asked.count("batchClearinghouseStates") == -(-120 // TOGETHER)
    alone = Venue(states, together=False)
    swept(alone, tmp_path / "alone", list(states))
    assert alone.asked.count("clearinghouseState") == 120
    rows = "from positions order by account"
    assert asked_of(tmp_path / "together", rows) == asked_of(tmp_path / "alone", rows)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (None, "no answer"),
        ({"time": MS}, "marginSummary is missing"),
        (state(0, POSITION | {"szi": None}), "field szi must not be null"),
        (httpx.Response(500), "the server failed"),
    ],
    ids=["null", "without_a_field", "null_size", "server"],
)
def test_an_account_that_fails_is_counted_and_named(tmp_path, wrong, reason):
    states = {account(n): state(0, PRICED) for n in range(1, 5)} | {account(4): wrong}
    landed = swept(Venue(states, together=False), tmp_path, list(states))
    (gap,) = [gap for one in landed for gap in one.gaps]
    assert "1 of 4 accounts did not answer" in gap
    assert account(4) in gap
    assert reason in gap
    assert asked_of(tmp_path, "select accounts_failed, trusted, positions from snapshots") == [
        (1, True, 3)
    ]


def test_too_many_failures_are_landed_but_not_trusted(tmp_path):
    states = {account(1): state(0, PRICED)}
    swept(Venue(states), tmp_path, [account(n) for n in range(1, 4)])
    assert asked_of(tmp_path, "select accounts_failed, trusted from snapshots") == [(2, False)]


def test_the_same_sweep_twice_leaves_the_same_bytes(tmp_path):
    states = {account(n): state(n, PRICED) for n in range(1, 60)}
    for folder in ("one", "two", "two"):
        swept(Venue(states), tmp_path / folder, list(states))
    contents = [
        {file.relative_to(tmp_path / folder): file.read_bytes() for file in files}
        for folder in ("one", "two")
        for files in [sorted((tmp_path / folder).rglob("*.parquet"))]
    ]
    assert contents[0] == contents[1]


def test_a_venue_that_is_down_leaves_nothing(tmp_path):
    with pytest.raises(UnreachableError, match="metaAndAssetCtxs: the server failed"):
        swept(lambda request: httpx.Response(503), tmp_path, [account(1)])
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_batch_weighs_less_than_its_accounts():
    assert weight_of_sweep(1000) < weight_of_sweep(1000, together=False) / 4
