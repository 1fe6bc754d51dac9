"""This module decides whom a sweep asks, when it cannot ask everybody.

The budget goes where the map is: accounts near liquidation first, each time; then the rest by
what they hold times how long nobody has looked.  Who was never asked counts with what it is
worth, at a usual leverage.  An account holds on each dex apart, and is planned for each apart.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

HOT_WITHIN = 5.0  # per cent of the mark to the nearest liquidation price
USUAL_LEVERAGE = 3.0  # notional over value, of accounts that were never asked
UNKNOWN_WORTH = 1_000.0  # USD, of accounts of which nothing but trades is known
NEVER = timedelta(days=7)  # how stale a look that never happened is


class Plan(NamedTuple):
    """Whom to ask.

    Attributes
    ----------
    accounts
        Dex -> accounts, in order; a dex on which nobody is asked is not there.
    hot
        How many of them are near liquidation.
    skipped
        Dex -> how many are known but left out.
    """

    accounts: dict[str, list[str]]
    hot: int
    skipped: dict[str, int]

    @property
    def asked(self) -> int:
        """Return how many questions for one account there are, all dexes together."""
        return sum(map(len, self.accounts.values()))


def plan_sweep(book: pl.DataFrame, now: datetime, affordable: int | None) -> Plan:
    """Choose the accounts to ask.

    Parameters
    ----------
    book
        A row for each account and dex: see :func:`pipelines.steps.sweep_book.read_book`.
    now
        The sweep's start.
    affordable
        How many can be asked, all dexes together; None: all.

    Examples
    --------
    >>> at = datetime(2026, 1, 2)
    >>> book = pl.DataFrame({
    ...     "account": ["far", "near", "stale", "new"],
    ...     "dex": ["", "", "xyz", "xyz"],
    ...     "last_asked_ts": [at, at, at - timedelta(days=2), None],
    ...     "notional": [9e6, 1e3, 1e5, None],
    ...     "nearest_pct": [60.0, 2.0, 60.0, None],
    ...     "account_value": [None, None, None, 10.0],
    ... })
    >>> plan_sweep(book, at, 3)
    Plan(accounts={'': ['near'], 'xyz': ['stale', 'new']}, hot=1, skipped={'': 1})
    """
    worth = pl.coalesce(
        pl.col("notional"), pl.col("account_value") * USUAL_LEVERAGE, UNKNOWN_WORTH
    )
    hours = (pl.lit(now) - pl.col("last_asked_ts")).dt.total_seconds() / 3600
    ordered = book.with_columns(
        hot=(pl.col("nearest_pct") <= HOT_WITHIN).fill_null(False),
        due=worth * hours.fill_null(NEVER.total_seconds() / 3600),
    ).sort(
        pl.col("hot").not_(),
        pl.when("hot").then("nearest_pct"),
        -pl.col("due"),
        "account",
        "dex",
    )
    count = ordered.height if affordable is None else max(0, affordable)
    chosen, left = ordered.head(count), ordered.slice(count)
    accounts = {dex: rows["account"].to_list() for dex, rows in _by_dex(chosen)}
    skipped = {dex: rows.height for dex, rows in _by_dex(left)}
    return Plan(accounts, int(chosen["hot"].sum()), skipped)


def _by_dex(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    parts = rows.partition_by("dex", as_dict=True, maintain_order=True)
    return [(str(key[0]), part) for key, part in parts.items()]
