"""This module asks the venue for the fills of single accounts.

The venue tells nobody's liquidations but to whom it belongs; its own liquidator vaults are
accounts like others, and theirs hold every backstop.  An account's 10,000 most recent fills
can be reached: what is older is a gap.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.errors import SourceError
from pipelines.sources.info.account_fills import MOST, REACHABLE, to_account_fills
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import VAULTS
from pipelines.steps.first_known import first_known
from warehouse.contracts.tables import FILLS

SOURCE = "info"
# Newer fills come while pages are asked for; twice what can be reached is a venue without end.
PAGES = 2 * REACHABLE // MOST
# What tells a fill from all others of one source; who trades with himself has both sides.
ONE_FILL = ("coin", "time_ts", "trade_id", "account", "is_buy")


@dataclass
class AskedFills:
    """What was asked.

    Attributes
    ----------
    rows
        Of ``fills``, whole; ``known_ts`` is the fill's time, as of a follower who asks all the
        time.
    duplicates
        Fills that came on two pages.
    unknown
        Field that is not known -> how often it came.
    gaps
        What could not be reached, one sentence an account.
    """

    rows: pa.Table = field(default_factory=FILLS.schema.empty_table)
    duplicates: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)


def ask_fills(
    client_of: Callable[[], InfoClient],
    since: datetime,
    until: datetime,
    accounts: Sequence[str] = VAULTS,
    source: str = SOURCE,
) -> AskedFills:
    """Return accounts' fills with times in ``[since, until)``.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    since, until
        UTC, to the ms.
    accounts
        Whom to ask; without it the vaults that take over what the book cannot.
    source
        What the rows say of where they came from.

    Raises
    ------
    ValueError
        If ``since`` is not before ``until``.
    UnreachableError
        If the venue does not answer.
    SourceError
        If an answer is not as documented, or not of the time that was asked for.
    """
    if since >= until:
        raise ValueError(
            f"fills since {since} must be before until {until}, which is exclusive"
        )
    asked = AskedFills()
    tables = asyncio.run(_ask_all(client_of, since, until, accounts, asked))
    rows = pa.concat_tables([_whole(table, source) for table in tables] or [asked.rows])
    kept = first_known(rows, ONE_FILL, pc.cast(rows["trade_id"], pa.int64()).to_numpy())
    asked.rows, asked.duplicates = kept.rows, kept.duplicates
    return asked


async def _ask_all(
    client_of: Callable[[], InfoClient],
    since: datetime,
    until: datetime,
    accounts: Sequence[str],
    asked: AskedFills,
) -> list[pa.Table]:
    tables = []
    async with client_of() as client:
        for account in dict.fromkeys(accounts):
            for table in await _pages(client, account, since, asked):
                times = table["time_ts"]
                wanted = pc.and_(pc.greater_equal(times, since), pc.less(times, until))
                tables.append(table.filter(wanted))
    return tables


async def _pages(
    client: InfoClient, account: str, since: datetime, asked: AskedFills
) -> list[pa.Table]:
    """Return the pages from ``since`` to the newest; they overlap by one ms.

    The newest are read too: how many there are tells whether the oldest is the first that there
    was, or the last that can be reached.
    """
    where = f"userFillsByTime {account}"
    pages: list[pa.Table] = []
    start = int(since.timestamp() * 1000)
    body = {"type": "userFillsByTime", "user": account}
    for _ in range(PAGES):
        answer = await client.ask({**body, "startTime": start})
        page, unknown = to_account_fills(answer, account)
        asked.unknown += unknown
        pages.append(page)
        if not page.num_rows:
            break
        first, last = _span(page)
        if first < start:
            raise SourceError(f"{where}: field time must be {start} or more, is {first}")
        if page.num_rows < MOST:
            break
        if last == start:
            asked.gaps.append(
                f"{account}: more than {MOST} fills in the ms {last}: some missing"
            )
            last += 1
        start = last
    else:
        raise SourceError(f"{where}: more than {PAGES} pages of {MOST}")
    if _different(pages) >= REACHABLE:
        oldest = datetime.fromtimestamp(_span(pages[0])[0] / 1000, UTC)
        asked.gaps.append(
            f"{account}: fills since {since:%Y-%m-%dT%H:%M:%SZ} were asked for; the oldest of "
            f"{REACHABLE} that can be reached is of {oldest:%Y-%m-%dT%H:%M:%SZ}"
        )
    return pages


def _different(pages: list[pa.Table]) -> int:
    """Return how many fills pages have that overlap."""
    return int(pa.concat_tables(pages).group_by(list(ONE_FILL)).aggregate([]).num_rows)


def _span(page: pa.Table) -> tuple[int, int]:
    """Return the first and last time of a page, ms."""
    span = pc.min_max(pc.cast(page["time_ts"], pa.int64())).as_py()
    return span["min"] // 1000, span["max"] // 1000


def _whole(rows: pa.Table, source: str) -> pa.Table:
    """Return rows with the columns that say where they came from."""
    rows = rows.append_column("source", pa.array([source] * rows.num_rows, pa.string()))
    return (
        rows.append_column("known_ts", rows["time_ts"])
        .select(FILLS.schema.names)
        .cast(FILLS.schema)
    )
