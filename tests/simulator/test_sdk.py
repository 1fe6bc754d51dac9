"""The venue's official Python SDK, unmodified, against the simulated venue."""

import queue
from decimal import Decimal
from itertools import pairwise

import pytest

from pipelines.simulator.serve.answers import answer
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from tests.simulator.serving import START, served

hyperliquid = pytest.importorskip("hyperliquid.info")

HOUR = 3_600_000


@pytest.fixture(scope="module")
def info(venue):
    with served(venue) as (url, _):
        client = hyperliquid.Info(base_url=url, skip_ws=True)
        yield client
        client.session.close()


@pytest.fixture(scope="module")
def user(venue):
    return venue.listing.addresses[1]


def said(venue, kind, **fields):
    return answer(venue, {"type": kind, **fields}).value


def test_the_sdk_knows_the_coins(info, venue):
    assert info.coin_to_asset == {name: c for c, name in enumerate(venue.listing.names)}
    assert info.asset_to_sz_decimals[0] == 5


def test_what_is_listed(info, venue):
    assert info.meta() == said(venue, "meta")
    assert info.meta_and_asset_ctxs() == said(venue, "metaAndAssetCtxs")
    assert info.all_mids() == said(venue, "allMids")
    assert info.perp_dexs() == [None]
    assert info.spot_meta()["universe"] == []


def test_accounts(info, venue, user):
    state = info.user_state(user)
    assert state == said(venue, "clearinghouseState", user=user)
    assert state["assetPositions"]
    assert info.spot_user_state(user) == {"balances": []}
    assert info.query_user_abstraction_state(user) == "default"


def test_fills(info, venue, user):
    fills = info.user_fills(user)
    assert fills == said(venue, "userFills", user=user)
    assert len(fills) > 10
    since, until = START + HOUR, START + 3 * HOUR
    part = info.user_fills_by_time(user, since, until)
    assert part == [fill for fill in fills[::-1] if since <= fill["time"] <= until]
    joined = info.user_fills_by_time(user, since, until, aggregate_by_time=True)
    assert sum(Decimal(fill["sz"]) for fill in joined) == sum(Decimal(f["sz"]) for f in part)


def test_history(info):
    candles = info.candles_snapshot("BTC", "1h", START, START + 2 * HOUR)
    assert [candle["t"] for candle in candles] == [START + n * HOUR for n in range(3)]
    funding = info.funding_history("BTC", START, START + HOUR)
    assert [row["time"] for row in funding] == [START, START + HOUR]
    assert info.funding_history("BTC", START + 5 * HOUR) == []


def test_the_book(info, venue):
    book = info.l2_snapshot("BTC")
    bids, asks = book["levels"]
    assert len(bids) == len(asks) == 20
    assert Decimal(bids[0]["px"]) < Decimal(asks[0]["px"])
    assert book["time"] == venue.ms


def test_refusals_are_the_sdks_errors(info):
    from hyperliquid.utils.error import ClientError, ServerError

    with pytest.raises(ClientError) as refused:
        info.user_state("0x12")
    assert refused.value.status_code == 422
    with pytest.raises(ServerError):
        info.meta(dex="nope")


def test_subscriptions():
    sim = Simulation(WorldSpec(coins=3, accounts=300))
    before = open_venue(sim, 60)
    heard = {name: queue.Queue() for name in ("trades", "l2Book", "activeAssetCtx", "allMids")}
    # A minute every 10 ms, if the machine can.
    with served(before, speed=6000.0) as (url, service):
        client = hyperliquid.Info(base_url=url)
        for kind, messages in heard.items():
            coin = {} if kind == "allMids" else {"coin": "BTC"}
            client.subscribe({"type": kind, **coin}, messages.put)
        trades = [heard["trades"].get(timeout=20)["data"] for _ in range(2)]
        recent = {t["tid"]: t for t in said(service.venue, "recentTrades", coin="BTC")}
        books = [heard["l2Book"].get(timeout=10)["data"]["time"] for _ in range(5)]
        mids = heard["allMids"].get(timeout=10)["data"]["mids"]
        context = heard["activeAssetCtx"].get(timeout=10)["data"]
        line = client.ws_manager.ws.sock.sock
    # Once the server is gone: a client that goes first waits 10 s in its own library, which
    # forgets to close what it has.
    client.disconnect_websocket()
    client.ws_manager.join()
    client.session.close()
    line.close()
    assert all(later - sooner == 60_000 for sooner, later in pairwise(books))
    assert set(mids) == {"BTC", "ETH", "SOL"}
    assert context["coin"] == "BTC"
    assert context["ctx"].keys() == said(before, "metaAndAssetCtxs")[1][0].keys()
    flat = [trade for message in trades for trade in message]
    assert {trade["coin"] for trade in flat} == {"BTC"}
    assert [trade["time"] for trade in flat] == sorted(trade["time"] for trade in flat)
    assert all(recent[trade["tid"]] == trade for trade in flat)
    assert service.venue.ms > before.ms
