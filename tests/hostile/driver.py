"""One road for every adapter: harm a payload, read it, and hold what comes to its promise."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import isclose
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.sources.errors import SourceError
from warehouse.contracts.table import ContractError, Table

THOROUGH = os.environ.get("EXAMPLES") == "thorough"
COUNT = 10_000 if THOROUGH else 150  # payloads of an adapter
SECONDS = 5.0  # for one payload; the slowest took 1.0 s, at a load of 10 on 2 cores
LONGEST = 1_000  # characters of a complaint
KNOWN = datetime.fromisoformat("2026-08-22T00:00:00Z")

Rows = list[tuple[Table | None, list[dict[str, Any]] | pa.Table]]


@dataclass(frozen=True)
class Adapter:
    """What is harmed, and who reads it.

    Attributes
    ----------
    payload
        What is as documented: bytes, or a table that becomes Parquet.
    mutation
        Generator and payload -> other bytes.
    read
        Bytes -> tables and their rows; a column that is not there is given by ``more``.  Rows
        of no table are what an answer says that is landed by no step alone.
    plain
        Bytes -> what the first table's rows must say, read slowly by other means: some of the
        columns, in the order of the rows.
    more
        Columns that a step adds.
    contract
        A row may break the contract, which refuses it when it is landed.
    order
        Columns that both are sorted by; none: they have the order of the payload.
    """

    payload: Any
    mutation: Callable[[np.random.Generator, Any], bytes]
    read: Callable[[bytes], Rows]
    plain: Callable[[bytes], list[dict[str, Any]]]
    more: dict[str, Any]
    contract: bool = False
    order: tuple[str, ...] = ()


class Hang(BaseException):
    """A payload took too long; no adapter may catch it."""


def outcomes(adapter: Adapter, seed: int, count: int = COUNT) -> Counter[str]:
    """Read ``count`` harmed payloads; return how often they were refused, and read."""
    done: Counter[str] = Counter()
    for number in range(count):
        body = adapter.mutation(np.random.default_rng([seed, number]), adapter.payload)
        try:
            done[outcome(adapter, body)] += 1
        except (Exception, Hang) as error:
            error.add_note(f"payload {number} of seed {seed}: {body[:3000]!r}")
            raise
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of polars, which no `except` meets
                raise
            raise AssertionError(f"payload {number} of seed {seed}: {error}") from error
    return done


def outcome(adapter: Adapter, body: bytes) -> str:
    """Return what came of one payload; raise where it is anything but refused or read well."""
    try:
        with in_time():
            given = adapter.read(body)
    except SourceError as error:
        hold_complaint(str(error))
        return "refused"
    try:
        for table, rows in given:
            if table is not None:
                hold_contract(table, rows, adapter.more)
    except ContractError:
        if not adapter.contract:
            raise
        return "refused by its contract"
    if not given:
        return "empty"
    rows = given[0][1]
    hold_same(rows, adapter.plain(body), adapter.order)
    return "read" if len(rows) else "empty"


def hold_complaint(said: str) -> None:
    """Raise if a complaint is not one short line that can be printed anywhere."""
    assert len(said.splitlines()) == 1, f"must be one line: {said!r}"
    assert said.isprintable(), f"must be printable: {said!r}"
    assert len(said) < LONGEST, f"must be short: {said!r}"


def hold_contract(table: Table, rows, more: dict[str, Any]) -> None:
    """Raise if rows, each grain once, are not what ``table`` promises."""
    if isinstance(rows, list):
        rows = pa.Table.from_pylist(
            [{name: more.get(name) for name in table.schema.names} | row for row in rows],
            table.schema,
        )
    for name in table.schema.names:
        if name not in rows.column_names:
            kind = table.schema.field(name).type
            rows = rows.append_column(name, pa.repeat(pa.scalar(more[name], kind), len(rows)))
    # Who lands rows sees to those that come twice.
    at = pl.DataFrame(rows.select(list(table.grain))).with_row_index()
    table.check(rows.take(at.unique(table.grain, keep="first")["index"].to_arrow()))


def hold_same(rows, wanted: list[dict[str, Any]], order: tuple[str, ...] = ()) -> None:
    """Raise if rows are not what was read slowly."""
    found = rows if isinstance(rows, list) else rows.to_pylist()
    if order:
        found, wanted = (
            sorted(some, key=lambda row: [str(row[name]) for name in order])
            for some in (found, wanted)
        )
    assert len(found) == len(wanted), f"{len(found)} rows, slowly {len(wanted)}"
    for number, (row, slow) in enumerate(zip(found, wanted, strict=True)):
        for name, value in slow.items():
            assert same(row[name], value), (
                f"row {number} {name}: {row[name]!r}, slowly {value!r}"
            )


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same; floats may differ by how they were parsed."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-12)
    return type(one) is type(other) and one == other


@contextmanager
def in_time():
    """Raise :class:`Hang` in a block that takes longer than a payload may."""

    def stop(*_):
        raise Hang(f"took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
