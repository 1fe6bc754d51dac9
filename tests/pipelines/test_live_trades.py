import asyncio
from datetime import UTC, datetime

import orjson
import pytest
from websockets.asyncio.server import serve

from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.dexes import dex_of
from pipelines.sources.live_trades import SUBSCRIPTIONS, listen
from tests.rows import account
from tests.simulator.serving import served

MS = 1_767_571_200_000


def trade(number, coin="BTC", px="100.0", size="2.0", buyer=1, seller=2, after=0):
    return {
        "coin": coin,
        "side": "B",
        "px": px,
        "sz": size,
        "time": MS + after,
        "hash": "0x0",
        "tid": number,
        "users": [account(buyer), account(seller)],
    }


def told(*trades):
    return orjson.dumps({"channel": "trades", "data": list(trades)}).decode()


def at(after):
    return datetime.fromtimestamp((MS + after) / 1000, UTC)


class Server:
    """A WebSocket that tells each connection the next of ``scripts``, and hangs up or waits."""

    def __init__(self, *scripts):
        self.scripts, self.heard, self.connections = list(scripts), [], 0

    async def talk(self, socket):
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        topic = orjson.loads(await socket.recv())
        self.heard.append(topic)
        for text in script:
            await socket.send(text)
        if self.connections < len(self.scripts):
            return
        async for text in socket:
            self.heard.append(orjson.loads(text))


def listened(server, coins=("BTC",), seconds=0.5, **options):
    async def at_once(_):
        await asyncio.sleep(0)

    async def run():
        async with serve(server.talk, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            return await listen(
                f"ws://127.0.0.1:{port}", coins, seconds, sleep=at_once, seed=1, **options
            )

    return asyncio.run(run())


def test_both_sides_of_a_trade_are_heard_with_first_last_and_notional():
    heard = listened(
        Server([told(trade(1), trade(2, buyer=3, after=50)), told(trade(3, after=90))])
    )
    assert heard.trades == 3
    buyer, seller = heard.traders[account(1)], heard.traders[account(2)]
    assert (buyer.first_ts, buyer.last_ts, buyer.notional) == (at(0), at(90), 400.0)
    assert (seller.first_ts, seller.last_ts, seller.notional) == (at(0), at(90), 600.0)
    assert heard.traders[account(3)].first_ts == at(50)


def test_who_trades_with_himself_is_heard_once():
    heard = listened(Server([told(trade(1, buyer=1, seller=1))]))
    assert heard.traders[account(1)].notional == 200.0


def test_a_lost_connection_is_made_again_and_what_is_told_again_counts_once():
    said = []
    server = Server([told(trade(1))], [told(trade(1)), told(trade(2, after=10))])
    heard = listened(server, say=said.append)
    assert (heard.connections, heard.trades, heard.repeated) == (2, 2, 1)
    assert heard.traders[account(1)].notional == 400.0
    assert [one["method"] for one in server.heard] == ["subscribe", "subscribe"]
    assert "the venue hung up; connects again" in said[0]


def test_the_venue_is_pinged_before_it_hangs_up():
    server = Server(['{"channel":"pong"}'])
    listened(server, seconds=0.4, ping_every=0.1)
    assert {"method": "ping"} in server.heard


def test_coins_beyond_the_limit_are_left_out_and_named():
    coins = [f"C{number}" for number in range(SUBSCRIPTIONS + 2)]
    server = Server([])
    heard = listened(server, coins)
    assert heard.left_out == coins[-2:]
    assert len(server.heard) == SUBSCRIPTIONS


def test_what_is_not_known_is_counted():
    heard = listened(Server(['{"channel":"sky"}', '{"channel":"error","data":"no"}', "junk"]))
    assert heard.unknown == {"channel 'sky'": 1, "error 'no'": 1, "no JSON": 1}


def test_a_trade_that_is_not_as_documented_is_refused():
    with pytest.raises(SourceError, match="trades 0: field px must be a decimal in text"):
        listened(Server([told(trade(1) | {"px": 100.0})]))


def test_a_venue_that_is_not_there_ends_with_a_line():
    async def briefly(_):
        await asyncio.sleep(0.01)

    with pytest.raises(UnreachableError, match=r"ws://127.0.0.1:9: connection failed .*0.2 s"):
        asyncio.run(listen("ws://127.0.0.1:9", ["BTC"], 0.2, sleep=briefly))


@pytest.mark.parametrize("url", ["ftp://venue", "venue"])
def test_a_venue_must_be_a_url(url):
    with pytest.raises(ValueError, match="must be an http"):
        asyncio.run(listen(url, ["BTC"], 1.0))


def test_a_builders_dex_is_told_from_the_first():
    heard = listened(Server([told(trade(1), trade(2, coin="xyz:TSLA"))]))
    assert heard.traders[account(1)].dexes == {"", "xyz"}
    assert dex_of("xyz:TSLA") == "xyz"


def test_the_served_venue_is_heard():
    venue = open_venue(Simulation(WorldSpec(coins=3, accounts=100)), 60)
    with served(venue, speed=6000.0) as (url, _):
        for _ in range(10):  # on a busy machine a second may pass before the first trade
            heard = asyncio.run(listen(url, venue.listing.names, 1.0))
            if heard.trades:
                break
    assert heard.trades > 0
    assert heard.traders.keys() <= set(venue.listing.addresses)
    assert not heard.unknown
    assert all(each.first_ts <= each.last_ts for each in heard.traders.values())
