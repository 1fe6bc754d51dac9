"""What a sweep is about to ask is said before, and is what fits into its time."""

from datetime import timedelta

import httpx
import pytest

from pipelines.steps import sweep_modes
from pipelines.steps.discover import VAULTS
from pipelines.steps.sweep_way import TOGETHER
from tests.pipelines.data_sweep import NOW, many, rows, swept, two_dexes
from tests.pipelines.test_info_hostile import TRADE
from tests.rows import account
from warehouse import open_lake


@pytest.fixture
def venue(monkeypatch):
    return two_dexes(monkeypatch)


def test_the_plan_says_what_it_will_ask(venue, tmp_path):
    said = []
    swept(venue, tmp_path, say=said.append)
    # Contexts of two dexes, a batch each, and five modes.
    weight = 2 * 20 + 2 * 20 + 5 * 20
    assert "asks 6 accounts on 2 dexes" in said[0]
    assert "5 for their mode" in said[0]
    assert f"weight {weight} of " in said[0]


def test_a_short_time_leaves_accounts_out(venue, tmp_path):
    many(venue, 249)
    swept(venue, tmp_path, minutes=0.2, dex="hyperliquid")
    ((asked, skipped),) = rows(
        tmp_path, "select accounts_asked, accounts_skipped from snapshots"
    )
    assert asked + skipped == 249 + len(VAULTS)
    assert asked == 4 * TOGETHER


def test_spot_is_asked_for_as_far_as_the_time_goes(venue, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_modes, "AT_LEAST", 100)
    users = [account(number) for number in range(1, 31)]
    venue.modes = dict.fromkeys(users, "unifiedAccount")
    venue.spot = {user: {"balances": []} for user in users}
    venue.answers["recentTrades"] = [
        TRADE | {"tid": number, "users": [user, user]} for number, user in enumerate(users)
    ]
    swept(venue, tmp_path, dex="hyperliquid")
    venue.now += timedelta(days=1)
    assert venue.count("spotClearinghouseState") == len(users)
    # A fifth of 0.2 x 1080 is 43: 21 questions.
    swept(venue, tmp_path, dex="hyperliquid", minutes=0.2)
    assert venue.count("spotClearinghouseState") == 21


def test_the_plan_is_of_the_way_the_endpoint_answers(venue, tmp_path):
    del venue.answers["batchClearinghouseStates"]
    said = []
    swept(venue, tmp_path, say=said.append)
    # Contexts of two dexes, six accounts and five modes.
    weight = 2 * 20 + 6 * 2 + 5 * 20
    assert "asks 6 accounts on 2 dexes, each alone, " in said[0]
    assert f"weight {weight} of " in said[0]
    assert venue.count("batchClearinghouseStates") == 1
    assert rows(tmp_path, "select sum(accounts_asked) from snapshots") == [(6,)]


def test_fewer_are_asked_in_a_time_where_each_is_asked_alone(venue, tmp_path):
    many(venue, 249)
    del venue.answers["batchClearinghouseStates"]
    swept(venue, tmp_path, minutes=0.2, dex="hyperliquid")
    # 0.2 minutes of 1080, less a fifth each for modes and spot, less the contexts.
    asked = int(0.2 * 1080 * 0.6 - 20) // 2
    assert rows(tmp_path, "select accounts_asked, accounts_skipped from snapshots") == [
        (asked, 249 + len(VAULTS) - asked)
    ]


def test_a_way_that_changes_is_said_with_its_new_duration(venue, tmp_path):
    many(venue, 500)
    batch, said = venue.answers["batchClearinghouseStates"], []

    def at_first(body):
        asked = venue.count("batchClearinghouseStates")
        return batch(body) if asked <= 3 else httpx.Response(422, text="Failed")

    venue.answers["batchClearinghouseStates"] = at_first
    swept(venue, tmp_path, say=said.append, dex="hyperliquid", minutes=30)
    (changed,) = [line for line in said if "no longer answers for many" in line]
    assert "are asked each alone, " in changed
    assert changed.endswith(" from now, and stops at 12:30 UTC")
    assert rows(tmp_path, "select accounts_asked from snapshots") == [(500 + len(VAULTS),)]


def test_a_slow_dex_leaves_the_others_their_share(venue, tmp_path):
    """The first dex takes a minute a question, and there are three minutes for both."""
    swept(venue, tmp_path)
    state = venue.state

    def slow(user, dex):
        if not dex:
            venue.now += timedelta(minutes=1)
        return state(user, dex)

    venue.now += timedelta(hours=1)
    venue.state = slow
    del venue.answers["batchClearinghouseStates"]
    landed = swept(venue, tmp_path, minutes=3)
    (gap,) = [gap for one in landed for gap in one.gaps]
    assert gap == "time was over: 3 of 5 accounts on hyperliquid were not asked"
    newest = (
        "select scope, max(accounts_asked) from snapshots where snapshot_ts > $at group by all"
    )
    with open_lake(tmp_path) as con:
        asked = dict(con.sql(newest, params={"at": NOW}).fetchall())
    assert asked["xyz"] == 1


def test_asking_ends_however_long_finding_took(venue, tmp_path):
    found = venue.trades

    def slow(body):
        venue.now += timedelta(minutes=20)
        return found(body)

    venue.answers["recentTrades"] = slow
    landed = swept(venue, tmp_path, minutes=10, ends=NOW + timedelta(minutes=50))
    gaps = [gap for one in landed for gap in one.gaps]
    assert gaps == [
        "time was over: nothing was asked on hyperliquid, 1 accounts",
        "time was over: nothing was asked on xyz, 0 accounts",
    ]
    assert rows(tmp_path, "select count(*) from snapshots") == [(0,)]
