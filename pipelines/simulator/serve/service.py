"""This module is what requests share: the venue as it is now, limits, faults, subscribers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import orjson

from pipelines.simulator.serve.faults_http import Faults
from pipelines.simulator.serve.leaderboard import leaderboard
from pipelines.simulator.serve.limits import MESSAGES, NEW_CONNECTIONS, WEIGHT, Window
from pipelines.simulator.serve.subscriptions import Topic, messages
from pipelines.simulator.serve.venue import Venue

UNSENT = 1_000  # messages that wait for a slow client before it is cut off


@dataclass(eq=False)
class Client:
    """A WebSocket client.

    Attributes
    ----------
    who
        Its address.
    unsent
        Messages on their way to it; None ends the connection.
    topics
        What it subscribes to, in the order it did.
    """

    who: str
    unsent: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(UNSENT))
    topics: dict[Topic, None] = field(default_factory=dict)

    def tell(self, text: bytes | None) -> None:
        """Put a message on its way; a client that does not read is dropped."""
        if self.unsent.full():
            while not self.unsent.empty():
                self.unsent.get_nowait()
            text = None
        self.unsent.put_nowait(text)


class Service:
    """What the server's requests share.  All of it is used by one thread.

    Parameters
    ----------
    venue
        The venue when it opens.
    faults
        What goes wrong.
    hang, silence
        Seconds: how long a request hangs under ``timeouts``, and after how long without a
        message a WebSocket is closed.
    clock
        Seconds, for the limits.

    Attributes
    ----------
    ends
        Whether the server is about to end, and nothing must hang any longer.
    """

    def __init__(
        self,
        venue: Venue,
        faults: Faults | None = None,
        *,
        hang: float = 120.0,
        silence: float = 60.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.venue = venue
        self.faults = faults or Faults({}, 0.0)
        self.hang, self.silence = hang, silence
        self.weights = Window(WEIGHT, clock)
        self.new_connections = Window(NEW_CONNECTIONS, clock)
        self.messages = Window(MESSAGES, clock)
        self.clients: set[Client] = set()
        self.ends: Callable[[], bool] = lambda: False
        self._board: tuple[Venue, bytes] | None = None

    def connections(self, who: str) -> int:
        """Return how many connections an address has open."""
        return sum(client.who == who for client in self.clients)

    def subscriptions(self, who: str) -> int:
        """Return how many subscriptions an address has, over all its connections."""
        return sum(len(client.topics) for client in self.clients if client.who == who)

    async def board(self) -> bytes:
        """Return the leaderboard's file; it is made once for each minute that is asked for."""
        venue = self.venue
        if self._board is None or self._board[0] is not venue:
            text = await asyncio.to_thread(lambda: orjson.dumps(leaderboard(venue)))
            self._board = (venue, text)
        return self._board[1]

    async def go_on(self, venue: Venue, count: int) -> None:
        """Let the venue be as it is a minute later, and tell subscribers.

        Parameters
        ----------
        venue
            The venue now.
        count
            Trades of the minute.
        """
        self.venue = venue
        wanted = Counter(topic for client in self.clients for topic in client.topics)
        told = await asyncio.to_thread(messages, venue, list(wanted), count)
        for client in self.clients:
            for topic in client.topics:
                if (text := told.get(topic)) is not None:
                    client.tell(text)
