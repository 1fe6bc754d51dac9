"""This module keeps what sources were asked for and did not give, beside the ledger of parts.

``_ledger/asks.parquet``, a :mod:`warehouse.store.book` too, holds the newest outcome of each
thing that was asked for and is no part: the reason why a day is missing.  What was landed needs
no line here, its part tells.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

import pyarrow as pa

from warehouse.contracts.asks import ASKS
from warehouse.store.book import Book
from warehouse.store.lake import Lake

LINES = Book(ASKS)
ALL_DAY = -1  # hour of a source that has one batch a day


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a source was asked for; its fields are columns of the contract ``asks``.

    Attributes
    ----------
    table_name, source, day
        What was asked for.
    hour
        UTC hour; ``ALL_DAY``: the whole day at once.
    outcome
        ``landed``; ``absent``: the source says there is none; ``failed``: it did not answer, or
        gave what could not be read; ``blocked``: a check refused it.
    reason
        In words; null with ``landed``.
    """

    table_name: str
    source: str
    day: date
    hour: int
    outcome: str
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str, date, int]:
        """Return what was asked for."""
        return self.table_name, self.source, self.day, self.hour


def asks_of(lake: Lake) -> pa.Table:
    """Return what was asked for in vain: rows of the contract ``asks``, in no order."""
    return LINES.read(lake)


def record(lake: Lake, asked: Iterable[Ask], now: datetime) -> None:
    """Note outcomes; the same outcome again keeps the time it was first met.

    What has been landed is forgotten here: its part tells.
    """
    news = {ask.key: ask for ask in asked}

    def noted(held: pa.Table) -> pa.Table | None:
        before = {
            (row["table_name"], row["source"], row["day"], row["hour"]): row
            for row in held.to_pylist()
        }
        after = dict(before)
        for key, ask in news.items():
            if ask.outcome == "landed":
                after.pop(key, None)
                continue
            row = asdict(ask) | {"asked_ts": now}
            old = before.get(key)
            if old is None or any(old[name] != row[name] for name in ("outcome", "reason")):
                after[key] = row
        if after == before:
            return None
        return ASKS.check(pa.Table.from_pylist(list(after.values()), ASKS.schema))

    if news:
        LINES.change(lake, {ask.day for ask in news.values()}, noted)
