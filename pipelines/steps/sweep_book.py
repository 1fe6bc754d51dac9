"""This module reads from the lake whom a sweep may ask, and what is known of them.

On the first dex everybody is asked; on a builder's dex, who was seen there: by a fill of one of
its coins, by a discovery, or by an earlier answer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb
import polars as pl

from pipelines.steps.sweep_asking import FIRST_DEX

BOOK = """
with asked as (
    select a.account, a.scope, a.state_ts, a.notional, a.nearest_pct
    from accounts as a
    where a.positions is not null
    qualify row_number() over (
        partition by a.account, a.scope order by a.state_ts desc, a.source
    ) = 1
),
worth as (
    select a.account, a.scope, max_by(a.account_value, a.state_ts) as account_value
    from accounts as a
    where a.account_value is not null
    group by a.account, a.scope
),
seen as (
    select b.account, '' as dex, $first as scope from account_book as b
    union
    select f.account, split_part(f.coin, ':', 1), split_part(f.coin, ':', 1)
    from fills as f
    where contains(f.coin, ':')
    union
    select a.account, a.scope, a.scope from accounts as a where a.scope not in ($first, 'all')
)
select s.account, s.dex, q.state_ts as last_asked_ts, q.notional, q.nearest_pct,
    coalesce(w.account_value, l.account_value) as account_value
from seen as s
left join asked as q on s.account = q.account and s.scope = q.scope
left join worth as w on s.account = w.account and s.scope = w.scope
left join worth as l on s.account = l.account and l.scope = 'all'
where list_contains($dexes, s.dex)
order by s.dex, s.account
"""


class KnownModes(NamedTuple):
    """What the lake knows of accounts' modes: the newest, and when each was asked for."""

    words: dict[str, str]
    asked_ts: dict[str, datetime]


def read_book(con: duckdb.DuckDBPyConnection, dexes: Sequence[str]) -> pl.DataFrame:
    """Return who may be asked: a row for each account and dex.

    Parameters
    ----------
    con
        An open lake.
    dexes
        Names; the first dex has none.

    Returns
    -------
    DataFrame
        account, dex, last_asked_ts (null: never on this dex), notional (USD), nearest_pct and
        account_value (USD, by the dex's answer, else by the leaderboard; null: not known).
    """
    return con.sql(BOOK, params={"first": FIRST_DEX, "dexes": list(dexes)}).pl()


def read_modes(con: duckdb.DuckDBPyConnection) -> KnownModes:
    """Return the newest mode of each account that was asked for one."""
    rows = con.sql(
        "select account, max_by(account_mode, state_ts) as word, max(state_ts) as asked_ts "
        "from accounts where account_mode is not null group by account"
    ).pl()
    accounts = rows["account"].to_list()
    return KnownModes(
        dict(zip(accounts, rows["word"].to_list(), strict=True)),
        dict(zip(accounts, rows["asked_ts"].to_list(), strict=True)),
    )
