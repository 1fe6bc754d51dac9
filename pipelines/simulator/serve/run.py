"""This module runs the server: makes a world, lets days pass, and serves it until stopped."""

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from datetime import UTC, datetime

import uvicorn

from pipelines.simulator.fault_delisting import with_delisting
from pipelines.simulator.faults import parse_faults
from pipelines.simulator.serve.app import make_app
from pipelines.simulator.serve.clock import keep_time
from pipelines.simulator.serve.faults_http import FAULTS, Faults
from pipelines.simulator.serve.service import Service
from pipelines.simulator.serve.venue import Venue, open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from warehouse.terminal import Progress, progress_bar, say

DAY = 1440  # minutes
LARGEST_MESSAGE = 65_536  # bytes that a WebSocket client may send at once
GRACE = 1  # seconds that requests have to end when the server does


def serve_world(
    spec: WorldSpec,
    days: int,
    *,
    host: str = "127.0.0.1",
    port: int = 3001,
    speed: float = 1.0,
    faults: Sequence[str] = (),
    fault_rate: float = 0.05,
) -> None:
    """Serve a world until interrupted.

    Parameters
    ----------
    spec
        What the world is made from.
    days
        How many have passed when it opens.
    host, port
        Where it listens; port 0 takes one that is free.
    speed
        Seconds of the world that pass in one.
    faults, fault_rate
        What goes wrong, as ``NAME`` or ``NAME=SEED``, and in what share of requests.

    Raises
    ------
    ValueError
        If a fault is not known.
    OSError
        If host or port cannot be listened on; before any time is spent on the world.
    """
    seeds = parse_faults(faults, FAULTS)
    with listening(host, port) as sock:
        with progress_bar("days") as progress:
            venue = venue_after(with_delisting(spec, seeds, days), days, progress)
        service = Service(venue, Faults(seeds, fault_rate))
        server = make_server(service)
        sock.listen(128)
        say(_greeting(sock, venue, speed))
        asyncio.run(run_server(server, service, sock, speed))
    # It ends by a signal only; where SIGINT is ignored, as behind `&`, nothing else says so.
    raise KeyboardInterrupt


def venue_after(spec: WorldSpec, days: int, progress: Progress) -> Venue:
    """Make a world and let its first days pass."""
    if days < 1:
        raise ValueError(f"days {days}: a world must have run for 1 at least")
    progress("makes the world", 0, days)
    sim = Simulation(spec)
    venue = open_venue(sim, DAY)
    for day in range(1, days):
        progress(_when(sim.now_ms), day, days)
        venue = venue.after(sim.run(DAY))
    progress("done", days, days)
    return venue


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and not yet listening.

    Raises
    ------
    OSError
        If that is not possible, naming host and port.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio turns off waiting for full packets only where the protocol is said to be TCP:
        # else every answer takes 40 ms.
        sock, at = socket.socket(*found[:3]), found[4]
    except (OSError, UnicodeError) as error:
        raise OSError(f"host {host!r}: {error}") from error
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(at)
    except OSError as error:
        sock.close()
        busy = error.errno == errno.EADDRINUSE
        why = "is in use; name another with --port, or 0 for any" if busy else error.strerror
        raise OSError(f"port {port} of {host}: {why}") from error
    return sock


def make_server(service: Service) -> uvicorn.Server:
    """Return the server for a service."""
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(service),
            log_config=None,
            access_log=False,
            proxy_headers=False,  # who asks is who connects, whatever the request says
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            timeout_graceful_shutdown=GRACE,
        )
    )
    service.ends = lambda: server.should_exit
    return server


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what the fault ``cuts`` does on purpose."""
    return "without completing response" not in record.getMessage()


async def run_server(
    server: uvicorn.Server, service: Service, sock: socket.socket, speed: float
) -> None:
    """Answer, and let the world go on, until the server is told to stop."""
    clock = asyncio.create_task(keep_time(service, speed))
    # A world that breaks must not be served on as if it stood still.
    clock.add_done_callback(lambda _: speed > 0 and setattr(server, "should_exit", True))
    try:
        await server.serve(sockets=[sock])
    finally:
        clock.cancel()
        await asyncio.wait([clock])
    if not clock.cancelled():
        clock.result()


def _greeting(sock: socket.socket, venue: Venue, speed: float) -> str:
    host, port = sock.getsockname()[:2]
    at = f"[{host}]" if ":" in host else host
    pace = "stands still" if speed <= 0 else f"goes on at {speed:g} × real time"
    return (
        f"The venue is at http://{at}:{port} (POST /info, GET /leaderboard, WebSocket /ws); "
        f"its time is {_when(venue.ms)} and {pace}; Ctrl-C ends it"
    )


def _when(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%MZ}"
