"""This module asks the venue for order books, those of the largest coins."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.landed import Landed
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.books import to_book
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.metas import to_contexts
from pipelines.steps.land_rows import land_rows
from warehouse.contracts.tables import ORDER_BOOKS
from warehouse.store import Origin

SOURCE = "info"


def land_books_now(
    client_of: Callable[[], InfoClient],
    lake: Path | str,
    coins: int | Sequence[str],
    *,
    source: str = SOURCE,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Landed:
    """Land the order books of this moment.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    lake
        Folder or URL of the lake.
    coins
        Which; a number: those of the largest open interest on the first dex.
    source
        What the rows say of where they came from.
    now
        The clock.

    Raises
    ------
    UnreachableError
        If the venue does not answer.
    """
    books, failed, url = asyncio.run(_ask(client_of, coins, now))
    rows = [book | {"source": source, "known_ts": book["book_ts"]} for book in books]
    part = f"{source}-{int(now().timestamp() * 1000)}"
    landed = land_rows(lake, {ORDER_BOOKS: rows}, part, [Origin.of(f"{url}/info")], now)[0]
    landed.gaps = [f"order_books: {coin}: {why}" for coin, why in failed.items()]
    return landed


async def _ask(
    client_of: Callable[[], InfoClient],
    coins: int | Sequence[str],
    now: Callable[[], datetime],
) -> tuple[list[dict[str, Any]], dict[str, str], str]:
    books, failed = [], {}
    async with client_of() as client:
        if isinstance(coins, int):
            coins = await _largest(client, coins, now())
        questions = [client.ask({"type": "l2Book", "coin": coin}) for coin in coins]
        answers = await asyncio.gather(*questions, return_exceptions=True)
        for coin, answer in zip(coins, answers, strict=True):
            try:
                if isinstance(answer, BaseException):
                    raise answer
                books.append(to_book(answer, coin))
            except SourceError as error:
                failed[coin] = str(error)
        if not books and coins:
            raise UnreachableError(f"order_books: no coin answered: {failed[coins[0]]}")
        return books, failed, client.base_url


async def _largest(client: InfoClient, count: int, at: datetime) -> list[str]:
    """Return the coins of the largest open interest, largest first."""
    _, contexts = to_contexts(await client.ask({"type": "metaAndAssetCtxs"}), at)
    by_size = sorted(
        contexts, key=lambda row: (-(row["open_interest_notional"] or 0.0), row["coin"])
    )
    return [row["coin"] for row in by_size[:count]]
