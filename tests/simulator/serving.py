"""A small venue, and a server for it that runs in a thread."""

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import date
from functools import cache

from pipelines.simulator.serve.faults_http import Faults
from pipelines.simulator.serve.run import listening, make_server, run_server
from pipelines.simulator.serve.service import Service
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.shocks import Shock
from pipelines.simulator.world import Delisting, Simulation, WorldSpec

START = 1_767_571_200_000  # 2026-01-05, ms
HOURS = 5
SPEC = WorldSpec(
    seed=7,
    start=date(2026, 1, 5),
    coins=18,
    accounts=250,
    shocks=(Shock(START + 60 * 60_000, -14.0, 20),),
    delistings=(Delisting("ADA", START + 180 * 60_000),),
)


@cache
def small_venue():
    """Return a venue after a fall of 14 % and a delisting; the same one every time."""
    return open_venue(Simulation(SPEC), HOURS * 60)


@contextmanager
def served(venue, speed=0.0, faults=None, rate=0.0, **options):
    """Run the server in a thread; yield its URL and its service."""
    service = Service(venue, Faults(faults or {}, rate), **options)
    server = make_server(service)
    with listening("127.0.0.1", 0) as sock:
        sock.listen(128)
        work = run_server(server, service, sock, speed)
        thread = threading.Thread(target=lambda: asyncio.run(work))
        thread.start()
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}", service
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def positions(states):
    """Yield owner and position of each position in states by owner."""
    for user, state in states.items():
        for each in state["assetPositions"]:
            yield user, each["position"]


def busiest(venue):
    """Return the account with the most fills of those that hold something now."""
    trades = venue.tape.trades.rows
    count = Counter(trades["buyer"].tolist()) + Counter(trades["seller"].tolist())
    held = set(venue.positions["account"].to_list())
    account = next(account for account, _ in count.most_common() if account in held)
    return venue.listing.addresses[account]


def candle_request(coin, interval, since=0, until=10**14):
    return {"coin": coin, "interval": interval, "startTime": since, "endTime": until}
