"""This module keeps the venue's limits for each client address, over the last minute.

Hyperliquid docs, "Rate limits and user limits" (read 2026-08-22).
"""

from collections import defaultdict, deque
from collections.abc import Callable
from time import monotonic

WEIGHT = 1_200  # a minute, of requests over HTTP
SUBSCRIPTIONS, CONNECTIONS = 1_000, 10  # at once
NEW_CONNECTIONS, MESSAGES = 30, 2_000  # a minute
WINDOW = 60.0  # seconds
_LIGHT = {
    "l2Book",
    "allMids",
    "clearinghouseState",
    "orderStatus",
    "spotClearinghouseState",
    "exchangeStatus",
}
_ITEMS_OF_ONE = {  # items for which one more is counted
    "recentTrades": 20,
    "userFills": 20,
    "userFillsByTime": 20,
    "fundingHistory": 20,
    "candleSnapshot": 60,
}


def weight_of(kind: str) -> int:
    """Return what a request counts before its answer is known.

    >>> weight_of("l2Book"), weight_of("userFills")
    (2, 20)
    """
    return 2 if kind in _LIGHT else 20


def weight_of_answer(kind: str, value: object) -> int:
    """Return what an answer counts beside its request.

    >>> weight_of_answer("userFills", [None] * 2000), weight_of_answer("meta", {})
    (100, 0)
    """
    items = _ITEMS_OF_ONE.get(kind)
    return len(value) // items if items and isinstance(value, list) else 0


class Window:
    """What each address has used of a limit over the last minute.

    Parameters
    ----------
    most
        The limit.
    clock
        Seconds, of any origin.
    """

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._clock = most, clock
        self._used: defaultdict[str, deque[tuple[float, int]]] = defaultdict(deque)
        self._sums: defaultdict[str, int] = defaultdict(int)

    def take(self, who: str, weight: int = 1) -> bool:
        """Count ``weight``, if there is that much left; return whether there was."""
        self._forget()
        if self._sums[who] + weight > self._most:
            if not self._used[who]:
                del self._used[who], self._sums[who]
            return False
        self.add(who, weight)
        return True

    def add(self, who: str, weight: int) -> None:
        """Count ``weight``, even beyond the limit: an answer's size is known afterwards."""
        if weight:
            self._used[who].append((self._clock(), weight))
            self._sums[who] += weight

    def _forget(self) -> None:
        """Drop what is a minute old; addresses without anything take no room."""
        old = self._clock() - WINDOW
        for who in [who for who, used in self._used.items() if used and used[0][0] <= old]:
            used = self._used[who]
            while used and used[0][0] <= old:
                self._sums[who] -= used.popleft()[1]
            if not used:
                del self._used[who], self._sums[who]
