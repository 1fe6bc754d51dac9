"""This module keeps which coins sources have told of, and since when, beside the ledger.

A landing writes the file when a batch holds a coin that nobody knew, or one from earlier than
it was known, and before the ledger lists the batch's parts: whatever was killed when, every
coin of a row that counts is known.  It has a folder, and so a lock, of its own, for it is
written while the ledger is changed; and it has no days, for a coin has one line however far
back it is heard of later.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contracts.coins import COINS, TOLD_BY
from warehouse.contracts.market import CANDLES
from warehouse.contracts.table import Table
from warehouse.store.lake import LEDGER, Lake
from warehouse.store.whole import whole

PATH = f"{LEDGER}/{COINS.name}/first.parquet"
_FIRST = ("first_ts", "first_known_ts")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def coins_of(lake: Lake) -> pa.Table:
    """Return the coins that are known: rows of the contract ``coins``, in order of name."""
    return _read(lake.read(PATH))


def told_of(table: Table, rows: pa.Table) -> pa.Table:
    """Return which coins rows tell of, as rows of the contract ``coins``.

    Parameters
    ----------
    table
        Their contract; of one that no source tells, none.
    rows
        As the contract has them.
    """
    if table not in TOLD_BY or not rows.num_rows:
        return COINS.schema.empty_table()
    happened = rows[table.time] if table is not CANDLES else _ends(rows)
    known = _later(happened, rows["known_ts"])
    return _earliest([pa.table([rows["coin"], happened, known], names=COINS.schema.names)])


def received(told: pa.Table, since_ts: datetime | None) -> pa.Table:
    """Return the same coins, knowable from ``since_ts`` on at the earliest; None: as told."""
    if since_ts is None:
        return told
    since = pa.scalar(since_ts, told[_FIRST[1]].type)
    return told.set_column(2, _FIRST[1], _later(told[_FIRST[1]], since))


def unheard(lake: Lake, told: Iterable[pa.Table]) -> bool:
    """Return whether the lake does not know all of these coins, or not from so early on."""
    news = _earliest(told)
    return bool(news.num_rows) and not covers(coins_of(lake), news)


def covers(held: pa.Table, told: pa.Table) -> bool:
    """Return whether coins are all known, from as early on as they are told of."""
    return _earliest([held, told]) == held


def hear(lake: Lake, told: Iterable[pa.Table]) -> None:
    """Note coins; what is known already is not written."""
    news = _earliest(told)

    def noted(body: bytes | None) -> bytes | None:
        held = _read(body)
        after = _earliest([held, news])
        if after == held:
            return None
        sink = pa.BufferOutputStream()
        pq.write_table(COINS.check(after), sink, compression="zstd")
        return sink.getvalue().to_pybytes()

    lake.swap(PATH, noted)


def _read(body: bytes | None) -> pa.Table:
    if body is None:
        return COINS.schema.empty_table()
    with whole(PATH, "remove it, and land anew what undertow check --files then lists"):
        return pq.ParquetFile(pa.BufferReader(body)).read().cast(COINS.schema)


def _earliest(told: Iterable[pa.Table]) -> pa.Table:
    """Return each coin once, since the earliest moments told of it, in order of name."""
    schema = COINS.schema.remove_metadata()
    rows = [one.select(COINS.schema.names).cast(schema) for one in told]
    every = pa.concat_tables([schema.empty_table(), *rows])
    each = every.group_by("coin").aggregate([(name, "min") for name in _FIRST])
    named = each.select(["coin", *(f"{name}_min" for name in _FIRST)])
    return named.rename_columns(COINS.schema.names).cast(COINS.schema).sort_by("coin")


def _later(one: pa.ChunkedArray, other: pa.ChunkedArray | pa.Scalar) -> pa.ChunkedArray:
    return pc.if_else(pc.greater(one, other), one, other)


def _ends(bars: pa.Table) -> pa.ChunkedArray:
    """Return when bars end; one of a length that is no such word is of when it was known."""
    words = pc.unique(bars["interval"]).to_pylist()
    ends = bars["known_ts"]
    for word in words:
        if found := re.fullmatch(r"([0-9]{1,4})([mhd])", word):
            length = pa.scalar(timedelta(**{_UNITS[found[2]]: int(found[1])}))
            of_word = pc.equal(bars["interval"], word)
            ends = pc.if_else(of_word, pc.add(bars["start_ts"], length), ends)
    return ends
