"""This module asks questions, patiently: within the budget, again after what may pass.

What may pass: a refusal for asking too often (429), a server's fault (5xx), no answer in time,
a connection that was cut, an answer that ends too soon.  What will not: a question the venue
does not understand (422).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import httpx
import orjson

from pipelines.sources.errors import SourceError, UnreachableError, one_line, public
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.most_items import most_items
from pipelines.sources.info.weights import base_weight, weight_of_items

MAINNET = "https://api.hyperliquid.xyz"
ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0  # s, doubled each time, with jitter
TIMEOUT = 20.0  # s
AT_ONCE = 8  # more connections failed more often: 64 gave 19 failures in 44,000, 100 a quarter


class InfoClient:
    """A patient asker.

    Parameters
    ----------
    base_url
        Of the venue, or of what answers like it.
    budget
        What it may spend; shared by all who ask from one address.
    say
        Called with a line when the venue refuses, or has to be asked again.
    transport, sleep, seed
        For tests: httpx's transport, how to wait, and the jitter's seed.

    Attributes
    ----------
    asked, repeated
        Questions, and how many of them were asked again.
    """

    def __init__(
        self,
        base_url: str = MAINNET,
        budget: Budget | None = None,
        say: Callable[[str], None] = lambda line: None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seed: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        if not _is_url(base_url):
            raise ValueError(f"venue {public(base_url)}: must be an http:// or https:// URL")
        self.base_url = base_url.rstrip("/")
        self.budget = budget or Budget()
        self.asked = self.repeated = 0
        self._say, self._sleep = say, sleep
        self._jitter = random.Random(seed)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport)

    async def __aenter__(self) -> "InfoClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def ask(self, body: dict[str, Any]) -> Any:
        """Return the answer to a question.

        Raises
        ------
        SourceError
            If the venue does not understand the question.
        UnreachableError
            If it did not answer after several attempts.
        """

        def question() -> httpx.Request:
            return self._http.build_request("POST", f"{self.base_url}/info", json=body)

        def weight(answer: Any) -> int:
            items = len(answer) if isinstance(answer, list) else 0
            return base_weight(body) + weight_of_items(body, items)

        most = base_weight(body) + weight_of_items(body, most_items(body))
        return await self._patiently(self._named(body), question, weight, most)

    async def file(self, url: str) -> Any:
        """Return a JSON file that the venue keeps beside its endpoint; it weighs nothing."""
        return await self._patiently(
            public(url), lambda: self._http.build_request("GET", url), lambda answer: 0, 0
        )

    async def _patiently(
        self,
        named: str,
        question: Callable[[], httpx.Request],
        weight: Callable[[Any], int],
        most: int,
    ) -> Any:
        """Ask until there is an answer; ``weight`` tells what one weighs, ``most`` at most."""
        self.asked += 1
        trouble = ""
        for attempt in range(ATTEMPTS):
            # What is set aside is asked at once: a question that waited for room would be
            # asked in another minute than the one it was counted in.
            async with self._room:
                taken = await self.budget.take(most)
                try:
                    answer, trouble = await self._once(named, question())
                except SourceError:
                    self.budget.settle(taken, weight(None), answered=True)
                    raise
                self.budget.settle(taken, weight(answer), answered=not trouble)
            if not trouble:
                return answer
            if attempt + 1 < ATTEMPTS:
                self.repeated += 1
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
                self._say(f"{named}: {trouble}; asks again")
                await self._sleep(wait * (0.5 + self._jitter.random()))
        raise UnreachableError(f"{named}: {trouble}, {ATTEMPTS} times")

    async def _once(self, named: str, question: httpx.Request) -> tuple[Any, str]:
        """Return the answer, or what was wrong that may pass."""
        try:
            response = await self._http.send(question)
        except httpx.TimeoutException:
            return None, "no answer in time"
        except httpx.TransportError as error:
            return None, f"connection failed ({type(error).__name__})"
        if response.status_code == 429:
            pause = self.budget.refused()
            return None, f"asked too often (429), pauses {pause:.0f} s"
        if response.status_code >= 500:
            return None, f"the server failed ({response.status_code})"
        if response.status_code != 200:
            said = one_line(public(response.text))
            raise SourceError(f"{named}: {response.status_code} {said}")
        try:
            return orjson.loads(response.content), ""
        except orjson.JSONDecodeError:
            return None, "the answer is no JSON"

    def _named(self, body: dict[str, Any]) -> str:
        """Return a question in a few words; addresses are public, who asks is not."""
        about = " ".join(str(body[key]) for key in ("coin", "user", "dex") if body.get(key))
        return f"{public(self.base_url)}/info {body.get('type')} {about}".rstrip()


def _is_url(text: str) -> bool:
    """Return whether a venue may lie there.

    >>> _is_url("http://[::1]:3001"), _is_url("http://venue:port"), _is_url("ftp://venue")
    (True, False, False)
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and url.host != ""
