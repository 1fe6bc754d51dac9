"""This module asks the venue for the candles and funding of a closed day.

The venue keeps the 5,000 most recent candles of an interval: 1m reaches back 3.5 days, 1h 208.
What could be asked for and is not there is said in ``gaps``.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pipelines.sources.errors import SourceError
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.metas import to_meta
from pipelines.sources.info.series import (
    CANDLES_AT_ONCE,
    FUNDINGS_AT_ONCE,
    to_candles,
    to_funding,
)

Progress = Callable[[str, int, int], None]
Row = dict[str, Any]

SOURCE = "info"
INTERVALS = {"1m": timedelta(minutes=1), "1h": timedelta(hours=1)}
DAY = timedelta(days=1)
MS = timedelta(milliseconds=1)
PAGES = 10  # a day has fewer; a venue that answers without end is cut off


@dataclass
class Market:
    """What was asked for one day.

    Attributes
    ----------
    candles, funding
        Rows of the contracts, whole.
    gaps
        What should be there and is not, one sentence each.
    failed
        Of these, the questions that were not answered, or not as documented.
    """

    candles: list[Row] = field(default_factory=list)
    funding: list[Row] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    failed: list[SourceError] = field(default_factory=list)


def ask_market(
    client_of: Callable[[], InfoClient],
    day: date,
    now: datetime,
    *,
    interval: str = "1m",
    coins: Sequence[str] | None = None,
    dexes: Sequence[str] = ("",),
    source: str = SOURCE,
    progress: Progress | None = None,
) -> Market:
    """Return the candles and funding of a UTC day that has ended.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    day
        Which day; bars that start in it, payments made in it.
    now
        When it is: the day must be over, and a bar that ends later is not ended.
    interval
        Length of a bar, ``1m`` or ``1h``.
    coins
        Which; without it, all that ``dexes`` list.
    dexes
        Perp dexes to take coins from; the first has no name.
    source
        What the rows say of where they came from.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    Market
        Rows in the order of coins and times.  ``known_ts`` is a bar's end and a payment's time:
        who asks all the time has them then.

    Raises
    ------
    ValueError
        If the day is not over, or the interval is another.
    SourceError
        If the list of coins is not as documented, or nothing was answered at all; one coin
        without an answer, or with one that is not as documented, is a gap.
    """
    since = datetime.combine(day, time(), UTC)
    if now < since + DAY:
        raise ValueError(f"market of {day}: the day must be over, it is {now:%Y-%m-%dT%H:%MZ}")
    if interval not in INTERVALS:
        raise ValueError(f"interval {interval}: must be one of {', '.join(INTERVALS)}")
    asking = _Asking(since, since + DAY, interval, now, source)
    return asyncio.run(asking.all(client_of, coins, dexes, progress))


@dataclass
class _Asking:
    """One day's questions."""

    since: datetime
    until: datetime
    interval: str
    now: datetime
    source: str

    async def all(
        self,
        client_of: Callable[[], InfoClient],
        coins: Sequence[str] | None,
        dexes: Sequence[str],
        progress: Progress | None,
    ) -> Market:
        async with client_of() as client:
            if coins is None:
                coins = [coin for dex in dexes for coin in await self._listed(client, dex)]
            found = {coin: Market() for coin in coins}
            questions = [self._coin(client, coin, found[coin]) for coin in found]
            for done, finished in enumerate(asyncio.as_completed(questions), start=1):
                await finished
                if progress:
                    progress(f"market of {self.day}", done, len(found))
        failed = [error for one in found.values() for error in one.failed]
        if failed and len(failed) == 2 * len(found):
            raise failed[0]
        return Market(
            [row for one in found.values() for row in one.candles],
            [row for one in found.values() for row in one.funding],
            [gap for one in found.values() for gap in one.gaps],
            failed,
        )

    async def _listed(self, client: InfoClient, dex: str) -> list[str]:
        body = {"type": "meta"} | ({"dex": dex} if dex else {})
        return [row["coin"] for row in to_meta(await client.ask(body), self.now).instruments]

    async def _coin(self, client: InfoClient, coin: str, found: Market) -> None:
        """Ask for one coin; what is not as documented is left out and said."""
        hour = timedelta(hours=1)
        try:
            found.candles = self._kept(await self._candles(client, coin), "start_ts")
            self._count(found, coin, "candles", len(found.candles), INTERVALS[self.interval])
        except SourceError as error:
            found.failed.append(error)
            found.gaps.append(f"{coin}: no candles: {error}")
        try:
            found.funding = self._kept(await self._funding(client, coin), "time_ts")
            self._count(found, coin, "fundings", len(found.funding), hour)
        except SourceError as error:
            found.failed.append(error)
            found.gaps.append(f"{coin}: no funding: {error}")

    def _count(self, found: Market, coin: str, what: str, count: int, each: timedelta) -> None:
        wanted = (self.until - self.since) // each
        if count < wanted:
            found.gaps.append(f"{coin}: {count} of {wanted} {what} of {self.day}")

    async def _candles(self, client: InfoClient, coin: str) -> list[Row]:
        async def page(since: datetime) -> tuple[int, list[Row]]:
            asked = {"coin": coin, "interval": self.interval, **self._span(since)}
            answer = await client.ask({"type": "candleSnapshot", "req": asked})
            rows = to_candles(answer, coin, self.interval, self.now)
            return len(answer), rows

        return await self._pages(page, "start_ts", CANDLES_AT_ONCE, coin)

    async def _funding(self, client: InfoClient, coin: str) -> list[Row]:
        async def page(since: datetime) -> tuple[int, list[Row]]:
            asked = {"type": "fundingHistory", "coin": coin, **self._span(since)}
            answer = await client.ask(asked)
            return len(answer) if isinstance(answer, list) else 0, to_funding(answer, coin)

        return await self._pages(page, "time_ts", FUNDINGS_AT_ONCE, coin)

    async def _pages(
        self, page: Callable[[datetime], Any], time_of: str, most: int, coin: str
    ) -> list[Row]:
        """Return the rows of all pages; a page that is full may have a next one."""
        rows: list[Row] = []
        since = self.since
        for _ in range(PAGES):
            count, more = await page(since)
            rows += more
            last = max((row[time_of] for row in more), default=since)
            if count < most or last < since:
                return rows
            since = last + MS
        raise SourceError(f"{coin}: more than {PAGES} pages of {most} for one day")

    def _span(self, since: datetime) -> dict[str, int]:
        """Return a question's times, ms, both included."""
        return {"startTime": _ms(since), "endTime": _ms(self.until) - 1}

    def _kept(self, rows: list[Row], time_of: str) -> list[Row]:
        """Return the day's own rows, each once, in order of time."""
        found = {row[time_of]: row for row in rows if self.since <= row[time_of] < self.until}
        return [found[at] | {"source": self.source} for at in sorted(found)]

    @property
    def day(self) -> date:
        """Return the day that is asked for."""
        return self.since.date()


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
