"""This module keeps what was spent of a limit lately: when, and how much.

Times may lie ahead: who has to wait is entered at the moment it may go, so that all who wait go
in the order in which they came, in whichever process they are.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

AFTER = 0.1  # s after something has left the window: who is told to go may be late by so much


class Taken(NamedTuple):
    """Weight that is spent, or set aside, at a moment of the clock."""

    at: float
    weight: int


@dataclass
class Window:
    """What was spent, and whether the venue refuses.

    Attributes
    ----------
    taken
        In order of time.
    paused_until
        Before it nobody asks.
    refusals
        How often in a row the venue said no.
    """

    taken: list[Taken] = field(default_factory=list)
    paused_until: float = -float("inf")
    refusals: int = 0

    def forget(self, until: float) -> None:
        """Drop what was spent at ``until`` or before."""
        if self.taken and self.taken[0].at <= until:
            self.taken = [one for one in self.taken if one.at > until]

    @property
    def held(self) -> int:
        """Return the weight in it."""
        return sum(one.weight for one in self.taken)

    def moment(self, weight: int, limit: int, length: float, now: float) -> float:
        """Return when ``weight`` may be spent: now, or after all who came before.

        A weight above the limit may be spent when nothing else was.

        >>> window = Window([Taken(0.0, 30), Taken(10.0, 70)])
        >>> window.moment(0, 100, 60.0, 20.0), window.moment(30, 100, 60.0, 20.0)
        (20.0, 60.1)
        >>> window.moment(31, 100, 60.0, 20.0), Window().moment(101, 100, 60.0, 20.0)
        (70.1, 20.0)
        """
        last = self.taken[-1].at if self.taken else now
        at, weight = max(now, last, self.paused_until), min(weight, limit)
        there = [one for one in self.taken if one.at > at - length]
        held = sum(one.weight for one in there)
        for one in there:
            if held + weight <= limit:
                break
            held -= one.weight
            at = max(at, one.at + length + AFTER)
        return at

    def put(self, taken: Taken) -> None:
        """Enter what is spent."""
        self.taken.append(taken)
        self.taken.sort()

    def change(self, taken: Taken, weight: int) -> None:
        """Enter another weight for what was entered; nothing, if it has left the window."""
        if taken in self.taken:
            self.taken.remove(taken)
            if weight:
                self.put(taken._replace(weight=weight))


class OwnWindow:
    """A window of this process alone."""

    def __init__(self) -> None:
        self._window, self._lock = Window(), threading.Lock()

    @contextmanager
    def opened(self) -> Iterator[Window]:
        """Yield the window; others wait until the block has ended."""
        with self._lock:
            yield self._window
