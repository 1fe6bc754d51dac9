"""A sweep over all dexes: who is asked where, what is remembered, and what is said."""

from datetime import timedelta

import httpx
import pytest

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.account_fills import to_account_fills
from pipelines.steps import find_accounts
from pipelines.steps.discover import VAULTS
from pipelines.steps.sweep_book import read_book
from pipelines.steps.sweep_modes import HOLDS
from tests.pipelines.data_sweep import NOW, ONE, TWO, XYZ_META, rows, swept, two_dexes
from tests.pipelines.test_info_hostile import FILL
from tests.rows import batch
from warehouse import open_lake
from warehouse.contracts.tables import FILLS
from warehouse.store import land


@pytest.fixture
def venue(monkeypatch):
    return two_dexes(monkeypatch)


def test_each_dex_has_its_scope_and_its_snapshot(venue, tmp_path):
    swept(venue, tmp_path)
    positions = rows(tmp_path, "select scope, coin, account from positions order by all")
    assert positions == [
        ("hyperliquid", "BTC", ONE),
        ("hyperliquid", "BTC", TWO),
        ("xyz", "xyz:TSLA", ONE),
    ]
    snapshots = rows(
        tmp_path,
        "select scope, accounts_asked, accounts_failed, positions, trusted from snapshots "
        "order by scope",
    )
    assert snapshots == [("hyperliquid", 5, 0, 2, True), ("xyz", 1, 0, 1, True)]


def test_a_vault_that_many_answers_leave_out_is_asked_alone(venue, tmp_path):
    landed = swept(venue, tmp_path)
    assert [gap for one in landed for gap in one.gaps] == []
    assert all(venue.count("clearinghouseState", user=vault) == 1 for vault in VAULTS)
    vaults = (
        f"select positions from accounts where account in {VAULTS} and positions is not null"
    )
    assert rows(tmp_path, vaults) == [(0,)] * len(VAULTS)


def test_a_dex_can_be_asked_alone(venue, tmp_path):
    swept(venue, tmp_path / "xyz", dex="xyz")
    assert rows(tmp_path / "xyz", "select distinct scope from snapshots") == [("xyz",)]
    swept(venue, tmp_path / "first", dex="hyperliquid")
    assert rows(tmp_path / "first", "select distinct scope from snapshots") == [
        ("hyperliquid",)
    ]
    with pytest.raises(ValueError, match="--dex abc: must be one of hyperliquid, xyz"):
        swept(venue, tmp_path, dex="abc")


def test_a_dex_nobody_trades_on_is_asked_for_its_contexts_only(venue, tmp_path):
    venue.answers["recentTrades"] = []
    swept(venue, tmp_path)
    assert venue.count("batchClearinghouseStates", dex="xyz") == 0
    assert venue.count("clearinghouseState", dex="xyz") == 0
    coins = rows(tmp_path, "select coin from asset_contexts order by coin")
    assert coins == [("BTC",), ("WIF",), ("xyz:TSLA",)]


def test_a_builders_dex_that_answers_nonsense_is_a_gap(venue, tmp_path):
    venue.meta["xyz"] = {"universe": None}
    landed = swept(venue, tmp_path)
    gaps = [gap for one in landed for gap in one.gaps]
    assert len(gaps) == 2
    assert all(gap.startswith("dex xyz: ") for gap in gaps)
    assert rows(tmp_path, "select scope from snapshots") == [("hyperliquid",)]


def test_a_first_dex_that_answers_nonsense_ends_the_sweep(venue, tmp_path):
    venue.meta[""] = {"universe": None}
    with pytest.raises(SourceError, match="field marginTables must be a list"):
        swept(venue, tmp_path)


def test_a_mode_is_asked_once_and_remembered(venue, tmp_path):
    venue.modes = {ONE: "unifiedAccount"}
    venue.spot = {ONE: {"balances": [{"coin": "USDC", "token": 0, "total": "14.5"}]}}
    swept(venue, tmp_path)
    assert venue.count("userAbstraction") == 5
    assert venue.count("spotClearinghouseState") == 1
    modes = "select account, account_mode from positions where scope = 'hyperliquid' order by 1"
    assert rows(tmp_path, modes) == [(ONE, "unified"), (TWO, "standard")]
    told = (
        f"select account_mode, spot_usdc from accounts where account = '{ONE}' and positions "
    )
    told += "is not null and scope = 'hyperliquid' order by state_ts"
    assert rows(tmp_path, told) == [("unified", 14.5)]

    venue.now = NOW + timedelta(days=1)
    swept(venue, tmp_path)
    assert venue.count("userAbstraction") == 0
    # What is remembered is said of positions; of the account only that it was not asked again.
    assert rows(tmp_path, told) == [("unified", 14.5), (None, 14.5)]
    late = f"select account_mode from positions where account = '{ONE}' and snapshot_ts > $at"
    with open_lake(tmp_path) as con:
        assert con.sql(late, params={"at": NOW}).fetchall() == [("unified",)] * 2

    venue.now = NOW + HOLDS
    swept(venue, tmp_path)
    assert venue.count("userAbstraction") == 5


def test_a_mode_that_is_not_known_is_null_and_told(venue, tmp_path):
    venue.modes = {ONE: "somethingNew"}
    landed = swept(venue, tmp_path)
    assert landed[0].unknown_fields == {"userAbstraction somethingNew": 1}
    assert rows(
        tmp_path, f"select distinct account_mode from positions where account = '{ONE}'"
    ) == [(None,)]


def test_a_node_that_knows_no_modes_is_asked_once(venue, tmp_path):
    del venue.answers["userAbstraction"]
    swept(venue, tmp_path)
    assert venue.count("userAbstraction") == 1


def test_spot_that_is_not_answered_leaves_the_account(venue, tmp_path):
    venue.modes = {ONE: "portfolioMargin"}
    venue.answers["spotClearinghouseState"] = httpx.Response(200, content=b"{}")
    landed = swept(venue, tmp_path)
    unknown = [one.unknown_fields for one in landed if one.table == "positions"]
    assert unknown[0] == {"spotClearinghouseState without an answer": 1}
    assert rows(tmp_path, "select count(*) from positions") == [(3,)]
    assert rows(tmp_path, "select count(spot_usdc) from accounts") == [(0,)]


def test_a_coin_whose_trades_are_nonsense_is_a_gap(venue, tmp_path):
    whole = venue.trades
    venue.answers["recentTrades"] = lambda body: 7 if body["coin"] == "WIF" else whole(body)
    landed = swept(venue, tmp_path)
    assert landed[0].gaps == ["WIF: no trades: recentTrades WIF: must be a list, is 7"]


def test_a_websocket_that_does_not_work_is_a_gap(venue, tmp_path, monkeypatch):
    async def nobody(*_):
        raise UnreachableError("ws://venue/ws: connection failed")

    monkeypatch.setattr(find_accounts, "listen", nobody)
    landed = swept(venue, tmp_path, listen=1.0)
    assert landed[0].gaps == ["trades were not listened to: ws://venue/ws: connection failed"]


def test_rules_are_landed_when_they_change(venue, tmp_path):
    rules = "select coin, max_leverage from instruments order by coin, effective_ts"
    swept(venue, tmp_path)
    first = rows(tmp_path, rules)
    assert [coin for coin, _ in first] == ["BTC", "WIF", "xyz:TSLA"]
    venue.now += timedelta(days=1)
    swept(venue, tmp_path)
    assert rows(tmp_path, rules) == first
    coin = XYZ_META["universe"][0]
    venue.meta["xyz"] = XYZ_META | {"universe": [coin | {"maxLeverage": 5, "marginTableId": 5}]}
    venue.now += timedelta(days=1)
    swept(venue, tmp_path)
    assert rows(tmp_path, rules) == [*first, ("xyz:TSLA", 5.0)]


def test_several_discoveries_keep_first_and_last_seen(venue, tmp_path):
    for day in range(3):
        venue.now = NOW + timedelta(days=day)
        swept(venue, tmp_path)
    book = f"select first_seen_ts, last_seen_ts from account_book where account = '{TWO}'"
    assert rows(tmp_path, book) == [(NOW, NOW + timedelta(days=2))]
    vault = (
        f"select first_seen_ts, last_asked_ts from account_book where account = '{VAULTS[0]}'"
    )
    assert rows(tmp_path, vault) == [(NOW, NOW + timedelta(days=2))]


def test_a_venue_that_is_down_says_so(venue, tmp_path):
    venue.answers["perpDexs"] = httpx.Response(503)
    with pytest.raises(UnreachableError, match="perpDexs: the server failed"):
        swept(venue, tmp_path)


def test_a_fill_on_a_builders_dex_is_enough_to_be_asked_there(venue, tmp_path):
    fill = to_account_fills([FILL | {"coin": "xyz:TSLA"}], TWO)[0].to_pylist()[0]
    row = fill | {"source": "test", "known_ts": fill["time_ts"]}
    land(tmp_path, FILLS, batch(FILLS, [row]), "test")
    with open_lake(tmp_path) as con:
        book = read_book(con, ["", "xyz"])
        first = read_book(con, [""])
    assert book.select("account", "dex").rows() == [(TWO, ""), (TWO, "xyz")]
    assert first.select("account", "dex").rows() == [(TWO, "")]
    assert book["last_asked_ts"].null_count() == 2


def test_what_was_held_on_each_dex_is_planned_apart(venue, tmp_path):
    swept(venue, tmp_path)
    with open_lake(tmp_path) as con:
        book = read_book(con, ["", "xyz"]).filter(account=ONE)
    assert book.select("dex", "notional", "last_asked_ts").rows() == [
        ("", 45_500.0, venue.now),
        ("xyz", 45_500.0, venue.now),
    ]
