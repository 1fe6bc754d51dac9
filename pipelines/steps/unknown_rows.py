"""This module makes rows of ``unknown_fields``, and says which fields are new to a lake."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.sources.unknown import Unknown
from warehouse.contracts.tables import UNKNOWN_FIELDS
from warehouse.store import Lake, parts_of


def unknown_rows(
    unknown: Unknown, rows: pa.Table, source: str, table: str, origin: str, time: str
) -> pa.Table:
    """Return what was kept as rows of ``unknown_fields``.  Pure.

    Parameters
    ----------
    unknown
        What an adapter kept of one file or answer.
    rows
        The rows it made, in its order, with ``known_ts``, shape ``(n,)``.
    source, table, origin
        What the rows say: their source, the table they are of, and the file they came in.
    time
        Column that holds the instant of a row.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> noon = datetime(2025, 10, 10, 12, tzinfo=UTC)
    >>> unknown = Unknown()
    >>> unknown.keep(3, {"mood": "grim"}, row=0)
    >>> rows = pa.table({"time_ts": [noon], "known_ts": [noon]})
    >>> made = unknown_rows(unknown, rows, "own_node", "fills", "12", "time_ts")
    >>> made.select(["record", "fields"]).to_pylist()
    [{'record': 3, 'fields': '{"mood":"grim"}'}]
    """
    if not unknown.kept:
        return UNKNOWN_FIELDS.schema.empty_table()
    places = pa.array([kept.row for kept in unknown.kept.values()], pa.int64())
    count = len(places)
    columns = {
        "time_ts": rows[time].take(places),
        "source": pa.repeat(source, count),
        "table_name": pa.repeat(table, count),
        "origin": pa.repeat(origin, count),
        "record": pa.array(unknown.kept.keys(), pa.int64()),
        "fields": pa.array([as_json(kept.fields) for kept in unknown.kept.values()]),
        "known_ts": rows["known_ts"].take(places),
    }
    return pa.table(columns)


def as_json(fields: dict[str, Any]) -> str:
    """Return raw values as a JSON object, by name.

    What JSON does not have (times, exact decimals, bytes) becomes text; NaN becomes null.

    >>> from decimal import Decimal
    >>> as_json({"b": [1.5, None], "a": Decimal("0.10")})
    '{"a":"0.10","b":[1.5,null]}'
    """
    try:
        return orjson.dumps(fields, _text, orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # text that is no UTF-8, or nested in more than 254 levels
        values = {name: _shown(value) for name, value in sorted(fields.items())}
        return json.dumps(values, separators=(",", ":"))


def fields_in(texts: pa.ChunkedArray) -> Counter[str]:
    """Return in how many rows each field is, given the column ``fields``.

    >>> dict(fields_in(pa.chunked_array([['{"a":1}', '{"a":1}', '{"a":2,"b":3}']])))
    {'a': 3, 'b': 1}
    """
    found: Counter[str] = Counter()
    for pair in pc.value_counts(texts).to_pylist():
        for name in json.loads(pair["values"]):
            found[name] += pair["counts"]
    return found


def news(lake: Lake, source: str, table: str, found: Counter[str]) -> list[str]:
    """Return a sentence for each field that the lake has not kept of this source and table."""
    fresh = set(found)
    for rows in _held(lake) if fresh else ():
        ours = pc.and_(pc.equal(rows["source"], source), pc.equal(rows["table_name"], table))
        fresh -= fields_in(rows.filter(ours)["fields"]).keys()
        if not fresh:
            break
    return [
        f"new field {name} of {source} ({found[name]} rows): kept in unknown_fields"
        for name in sorted(fresh)
    ]


def _held(lake: Lake) -> Iterator[pa.Table]:
    """Yield what the lake keeps, a file at a time, the newest first: it says most often."""
    lines = parts_of(lake)
    ours = lines.filter(pc.equal(lines["table_name"], UNKNOWN_FIELDS.name))
    ours = ours.sort_by([("received_ts", "descending")])
    for path in dict.fromkeys(ours["path"].to_pylist()):
        if (body := lake.read(path)) is not None:
            columns = ["source", "table_name", "fields"]
            yield pq.ParquetFile(pa.BufferReader(body)).read(columns)


def _text(value: Any) -> str:
    """Return what JSON has no word for."""
    return repr(value) if isinstance(value, bytes) else str(value)


def _shown(value: Any) -> Any:
    """Return a value that JSON can hold, or as much of its text as can be shown."""
    try:
        return orjson.loads(orjson.dumps(value, _text))
    except orjson.JSONEncodeError:
        pass
    if isinstance(value, int):
        return value  # of more than 64 bits
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return f"{type(value).__name__} that cannot be written"
