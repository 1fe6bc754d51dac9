import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from itertools import count

import httpx
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.serve.answers import answer
from pipelines.simulator.serve.bodies import LARGEST
from pipelines.simulator.serve.faults_http import Faults, spoilt
from pipelines.simulator.serve.leaderboard import leaderboard
from pipelines.simulator.serve.limits import CONNECTIONS
from pipelines.simulator.serve.run import listening, make_server, run_server
from pipelines.simulator.serve.service import UNSENT, Client, Service
from tests.effort import tries
from tests.simulator.serving import served

UNKNOWN = "Failed to deserialize the JSON body into the target type"
BTC = {"type": "l2Book", "coin": "BTC"}


class Clock:
    """Jumps a minute on every look, so that no limit is ever met; or stands still."""

    now, step = 0.0, 60.0

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture(scope="module")
def server(venue):
    with served(venue, clock=Clock()) as (url, _), httpx.Client(base_url=url) as client:
        yield client


def post(client, body):
    return client.post("/info", json=body)


def test_it_says_what_the_answers_say(server, venue):
    user = venue.listing.addresses[20]
    for body in (BTC, {"type": "meta"}, {"type": "clearinghouseState", "user": user}):
        response = post(server, body)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json() == answer(venue, body).value


def test_the_leaderboard_is_a_file(server, venue):
    for path in ("/leaderboard", "/Mainnet/leaderboard"):
        assert server.get(path).json() == json.loads(json.dumps(leaderboard(venue)))


@pytest.mark.parametrize(
    "body", ["", "{", "null", "[]", '{"type":"liquidations"}', '{"type":"l2Book"}', "\xff"]
)
def test_bad_bodies_are_422_in_plain_text(server, body):
    response = server.post("/info", content=body.encode("latin-1"))
    assert (response.status_code, response.text) == (422, UNKNOWN)
    assert response.headers["content-type"].startswith("text/plain")


@tries(30, 500)
@given(body=st.binary(max_size=60) | st.text(max_size=40).map(lambda t: json.dumps(t).encode()))
def test_junk_is_never_our_fault(server, body):
    assert server.post("/info", content=body).status_code == 422


def test_deep_and_large_bodies_are_refused(server):
    assert server.post("/info", content=b"[" * 100_000).status_code == 422
    assert server.post("/info", content=b" " * (LARGEST + 1)).status_code == 413
    assert server.get("/info").status_code == 405
    assert server.get("/nowhere").status_code == 404


def test_what_does_not_exist_is_500_or_null(server):
    response = post(server, {"type": "meta", "dex": "xyz"})
    assert (response.status_code, response.text) == (500, "null")
    response = post(server, {"type": "l2Book", "coin": "NOPE"})
    assert (response.status_code, response.text) == (200, "null")


def test_too_much_is_429_until_the_minute_is_over(venue):
    clock = Clock()
    clock.step = 0.0
    with served(venue, clock=clock) as (url, _), httpx.Client(base_url=url) as client:
        codes = [post(client, {"type": "meta"}).status_code for _ in range(61)]
        assert codes == [200] * 60 + [429]
        # Nobody gets more by saying that they are another.
        forged = client.post("/info", json=BTC, headers={"X-Forwarded-For": "1.2.3.4"})
        assert forged.status_code == 429
        clock.now += 60
        assert post(client, BTC).status_code == 200


def test_long_answers_count_more(venue):
    clock = Clock()
    clock.step = 0.0
    body = {"type": "recentTrades", "coin": "BTC"}
    each = 20 + len(answer(venue, body).value) // 20
    assert each > 22
    with served(venue, clock=clock) as (url, _), httpx.Client(base_url=url) as client:
        codes = [post(client, body).status_code for _ in range(60)]
    assert codes.count(200) == (1200 - 20) // each + 1
    assert codes[-1] == 429


def become(client):
    """Return what becomes of a request."""
    try:
        response = post(client, BTC)
    except (httpx.ReadTimeout, httpx.RemoteProtocolError) as error:
        return type(error).__name__
    try:
        return response.status_code, response.json()
    except ValueError:
        return response.status_code, "no JSON"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("storms", (429, None)),
        ("errors", (500, None)),
        ("timeouts", "ReadTimeout"),
        ("cuts", "RemoteProtocolError"),
        ("truncated", (200, "no JSON")),
        ("wrong-types", None),
        ("nulls", None),
        ("new-field", None),
    ],
)
def test_every_fault_strikes_when_its_seed_says(venue, name, seen):
    whole = answer(venue, BTC).value
    # The first seed of which some of the requests are struck, and some are not.
    for seeds in ({name: seed} for seed in count()):
        draws = Faults(seeds, 0.4)
        plans = [draws.next() for _ in range(6)]
        if {plan.has(name) for plan in plans} == {True, False}:
            break
    with (
        served(venue, faults=seeds, rate=0.4, clock=Clock()) as (url, _),
        httpx.Client(base_url=url, timeout=0.3) as client,
    ):
        for plan in plans:
            expected = seen if plan.has(name) and seen else (200, spoilt(whole, plan))
            assert become(client) == expected
            assert (expected == (200, whole)) != plan.has(name)


async def spoken(url, *texts, answers, wait=5.0):
    async with websockets.connect(url.replace("http", "ws") + "/ws") as socket:
        for text in texts:
            await socket.send(text if isinstance(text, str) else json.dumps(text))
        return [json.loads(await asyncio.wait_for(socket.recv(), wait)) for _ in range(answers)]


def subscribe(kind, method="subscribe", **fields):
    return {"method": method, "subscription": {"type": kind, **fields}}


def test_subscriptions_are_confirmed_and_refused_as_the_venue_words_it(venue):
    with served(venue) as (url, _):
        coins = {"coin": "BTC"}
        told = asyncio.run(
            spoken(
                url,
                {"method": "ping"},
                "xx",
                subscribe("liquidations", coin="BTC"),
                subscribe("activeAssetCtx", **coins),
                subscribe("l2Book", **coins),
                subscribe("l2Book", **coins),
                subscribe("l2Book", "unsubscribe", **coins),
                subscribe("l2Book", "unsubscribe", **coins),
                subscribe("trades", coin="NOPE"),
                answers=11,
            )
        )
    assert told[0] == {"channel": "pong"}
    wrong = "Error parsing JSON into valid websocket request: "
    assert told[1] == {"channel": "error", "data": wrong + "xx"}
    repeated = json.dumps(subscribe("liquidations", coin="BTC"))
    assert told[2] == {"channel": "error", "data": wrong + repeated}
    confirmed = {"method": "subscribe", "subscription": {"type": "activeAssetCtx", **coins}}
    assert told[3] == {"channel": "subscriptionResponse", "data": confirmed}
    assert told[4]["channel"] == "activeAssetCtx"
    assert told[4]["data"]["ctx"]["markPx"]
    assert told[5]["data"]["subscription"] == {
        "type": "l2Book",
        **coins,
        "nSigFigs": None,
        "mantissa": None,
        "fast": False,
    }
    assert told[6] == {"channel": "l2Book", "data": answer(venue, BTC).value}
    assert told[7]["data"].startswith('Already subscribed: {"type":"l2Book"')
    assert told[8]["data"]["method"] == "unsubscribe"
    assert told[9]["data"].startswith("Already unsubscribed: ")
    assert told[10]["data"] == 'Invalid subscription: {"type":"trades","coin":"NOPE"}'


def test_a_silent_connection_is_closed(venue):
    async def wait(url):
        async with websockets.connect(url.replace("http", "ws") + "/ws") as socket:
            start = time.monotonic()
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 5)
            return time.monotonic() - start

    with served(venue, silence=0.3) as (url, _):
        assert 0.2 < asyncio.run(wait(url)) < 3


def test_an_address_has_so_many_connections_and_no_more(venue):
    async def crowd(url):
        url = url.replace("http", "ws") + "/ws"
        sockets = [await websockets.connect(url) for _ in range(CONNECTIONS)]
        with pytest.raises(websockets.InvalidStatus, match="429"):
            await websockets.connect(url)
        await sockets.pop().close()
        await asyncio.sleep(0.1)
        sockets.append(await websockets.connect(url))
        for socket_ in sockets:
            await socket_.close()

    with served(venue, clock=Clock()) as (url, _):
        asyncio.run(crowd(url))


def test_too_many_messages_and_subscriptions(venue, monkeypatch):
    monkeypatch.setattr("pipelines.simulator.serve.sockets.SUBSCRIPTIONS", 1)
    monkeypatch.setattr("pipelines.simulator.serve.service.MESSAGES", 3)

    async def chatter(url):
        async with websockets.connect(url.replace("http", "ws") + "/ws") as socket:
            for text in (subscribe("allMids"), subscribe("trades", coin="BTC"), {}, {}):
                await socket.send(json.dumps(text))
            told = []
            try:
                while True:
                    told.append(json.loads(await asyncio.wait_for(socket.recv(), 5)))
            except websockets.ConnectionClosed as closed:
                return told, closed.rcvd.code

    with served(venue) as (url, _):
        told, code = asyncio.run(chatter(url))
    assert told[2]["data"] == 'Too many subscriptions: {"type":"trades","coin":"BTC"}'
    assert told[-1] == {"channel": "error", "data": "Too many messages"}
    assert code == 1008


def test_a_world_that_breaks_is_not_served_on(venue, monkeypatch):
    def breaks(_):
        raise RuntimeError("the world broke")

    monkeypatch.setattr("pipelines.simulator.serve.clock.next_minute", breaks)
    service = Service(venue)
    server = make_server(service)
    with listening("127.0.0.1", 0) as sock, pytest.raises(RuntimeError, match="world broke"):
        asyncio.run(run_server(server, service, sock, 1000.0))


def test_a_client_that_does_not_read_is_dropped():
    client = Client("127.0.0.1")
    for number in range(UNSENT + 5):
        client.tell(b"%d" % number)
    assert client.unsent.qsize() <= UNSENT
    assert client.unsent.get_nowait() is None


@pytest.fixture
def tool(tmp_path):
    """Run `undertow simulate serve`; its line with the URL, and the process."""
    running = []

    def run(*args):
        command = [sys.executable, "-m", "undertow", "simulate", "serve", *args]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


SMALL = ("--start", "2026-01-05", "--days", "1", "--coins", "3", "--accounts", "60")


def test_the_command_serves_until_interrupted(tool):
    process = tool(*SMALL, "--port", "0", "--speed", "0")
    line = process.stderr.readline()
    assert "2026-01-06T00:00Z and stands still" in line
    url = next(word for word in line.split() if word.startswith("http://"))
    assert httpx.post(f"{url}/info", json={"type": "allMids"}).json().keys() == {
        "BTC",
        "ETH",
        "SOL",
    }
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=20)
    assert (process.returncode, out, said.strip()) == (130, "", "")


def test_a_port_in_use_is_one_line(tool):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = tool(*SMALL, "--port", str(port))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said == (
        f"undertow: port {port} of 127.0.0.1: is in use; "
        "name another with --port, or 0 for any\n"
    )
