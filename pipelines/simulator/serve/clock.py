"""This module lets the world go on while the server answers."""

import asyncio
from typing import NamedTuple

from pipelines.simulator.serve.service import Service
from pipelines.simulator.serve.venue import Venue

MINUTE = 60.0  # seconds
LATE = 1.0  # seconds that the world may be behind and still catch up
AGAIN = 5.0  # seconds until subscribers are told again how things stand


class Minute(NamedTuple):
    """A minute that has passed: the venue after it, and how many trades it had."""

    venue: Venue
    trades: int


def next_minute(venue: Venue) -> Minute:
    """Let a minute pass; takes as long as the kernels do, so not in the server's thread."""
    told = venue.sim.run(1)
    return Minute(venue.after(told), len(told.trades))


async def keep_time(service: Service, speed: float) -> None:
    """Let the world go on for as long as the server does.

    Parameters
    ----------
    service
        Whose venue it is.
    speed
        Seconds of the world that pass in one; 0: it stands still.  A machine that cannot keep
        up lets the world fall behind.
    """
    if speed <= 0:
        return
    now = asyncio.get_running_loop().time
    due = now()
    while True:
        due = max(due + MINUTE / speed, now() - LATE)
        while (left := due - now()) > AGAIN:
            # The venue says nothing for no minute, or it would hang up on its listeners.
            await asyncio.sleep(AGAIN)
            await service.go_on(service.venue, 0)
        await asyncio.sleep(max(0.0, left))
        minute = await asyncio.to_thread(next_minute, service.venue)
        await service.go_on(*minute)
