"""This module translates events of node fills to columns of ``fills``, fast.

An event is an account and its fill; an archive has them one by one or by block.  Lines are
parsed, gathered and turned into Arrow columns a few at a time, with no Python loop over fields:
a fault shows as an exception of the library that trips over it, and then
:mod:`pipelines.sources.node_fill_faults` says where it is.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.arrow_values import decimals, instants
from pipelines.sources.errors import SourceError
from pipelines.sources.node_fill_faults import (
    DECIMALS,
    INTEGERS,
    METHODS,
    STRINGS,
    block_faults,
    first_fault,
)
from pipelines.sources.unknown import Unknown

REQUIRED = (*INTEGERS, *DECIMALS, *STRINGS, "side", "crossed")
UNUSED = ("hash", "cloid", "twapId", "builder", "builderFee", "deployerFee")
FILL_FIELDS = frozenset({*REQUIRED, *UNUSED, "liquidation"})
LIQUIDATION_FIELDS = frozenset({"method", "liquidatedUser", "markPx"})
BLOCK_FIELDS = frozenset({"local_time", "block_time", "block_number", "events"})

# Fills gathered at once.  Few, so that they are still in the processor's cache when their
# columns are read: 256 cost 2.6 µs a fill, 4,096 cost 4.8 µs, all of a file 8.4 µs.
AT_ONCE = 256
_KINDS = {
    "user": pa.string(),
    **dict.fromkeys(INTEGERS, pa.int64()),
    **dict.fromkeys((*DECIMALS, *STRINGS, "side"), pa.string()),
    "crossed": pa.bool_(),
    **dict.fromkeys(("method", "liquidatedUser", "markPx"), pa.string()),
}
_RAW = pa.schema(_KINDS)
# The parser's own strings as keys: a dict finds what is identical faster than what is equal,
# 0.3 µs a fill instead of 0.45.
_required = itemgetter(*orjson.loads(orjson.dumps(dict.fromkeys(REQUIRED))))
# What the fast path raises over a line that is not as documented.
FAULTS = (KeyError, TypeError, ValueError, OverflowError, AttributeError)


def to_fills(body: bytes, path: str) -> tuple[pa.Table, Unknown]:
    """Translate the lines of one file to the ``fills`` contract.  Pure.

    Parameters
    ----------
    body
        Lines, each a block.
    path
        Name of the file, for errors.

    Returns
    -------
    Table
        Columns of ``fills`` but ``source`` and ``known_ts``, in the order of the file.
    Unknown
        Fields that are not known: how often each came, and what each event held.

    Raises
    ------
    SourceError
        If a field is missing or mistyped; names file, line and field.

    Examples
    --------
    >>> fill = (
    ...     '{"coin":"ETH","px":"4215.9","sz":"0.3","side":"A","time":1761584399797,'
    ...     '"startPosition":"0.3","dir":"Close Long","closedPnl":"-1.5","oid":7,'
    ...     '"crossed":true,"fee":"0.2","tid":9,"feeToken":"USDC","mood":"grim","liquidation":'
    ...     '{"liquidatedUser":"0xAB","markPx":"4216.5","method":"market"}}'
    ... )
    >>> rows, unknown = to_fills(f'{{"events":[["0xAB",{fill}]]}}'.encode(), "0.lz4")
    >>> row = rows.to_pylist()[0]
    >>> row["time_ts"].isoformat(), row["account"], row["is_buy"], row["px"]
    ('2025-10-27T16:59:59.797000+00:00', '0xab', False, 4215.9)
    >>> row["liquidation_method"], row["liquidated_account"], row["liquidation_mark_px"]
    ('market', '0xab', 4216.5)
    >>> dict(unknown)
    {'mood': 1}
    """
    return translated(body, path, _events_of_blocks, block_faults)


def translated(
    body: bytes,
    path: str,
    events_of: Callable[[bytes, Unknown], Iterator[list]],
    faults_of: Callable[[bytes], Iterator[str]],
) -> tuple[pa.Table, Unknown]:
    """Translate lines of one shape; see :func:`to_fills`.  Pure.

    Parameters
    ----------
    body, path
        Lines, and the name of their file.
    events_of
        Yields lists of events and keeps fields beside them that are not known; raises one of
        ``FAULTS`` over a line that is not as documented.
    faults_of
        Yields what is wrong with one line.
    """
    unknown = Unknown()
    try:
        batches = [_gathered(events, unknown) for events in events_of(body, unknown)]
        return _typed(pa.Table.from_batches(batches, _RAW).combine_chunks()), unknown
    except FAULTS as error:
        said = first_fault(body, path, faults_of)
        raise SourceError(said or f"{path}: {error}".partition("\n")[0]) from error


def parsed(body: bytes) -> Iterator[list]:
    """Yield the JSON of a few lines at a time; raise one of ``FAULTS`` where a line is none."""
    lines = body.splitlines()
    for first in range(0, len(lines), AT_ONCE):
        yield [orjson.loads(line) for line in lines[first : first + AT_ONCE]]


def _events_of_blocks(body: bytes, unknown: Unknown) -> Iterator[list]:
    """Yield the events of a few blocks at a time; a block's fields are its first event's."""
    events: list = []
    for line in body.splitlines():
        block = orjson.loads(line)
        if block.keys() != BLOCK_FIELDS:
            odd = {f"block.{name}": block[name] for name in block.keys() - BLOCK_FIELDS}
            if block["events"]:
                unknown.keep(unknown.passed + len(events), odd)
            else:  # it became no row
                unknown.update(odd.keys())
        if type(block["events"]) is not list:
            raise TypeError
        events += block["events"]
        if len(events) >= AT_ONCE:
            yield events
            events = []
    if events:
        yield events


def _gathered(events: list, unknown: Unknown) -> pa.RecordBatch:
    """Return events as columns; raise one of ``FAULTS`` where a value is not as documented."""
    users, fills = zip(*events, strict=True)
    names: set[str] = set().union(*fills)
    if not names <= FILL_FIELDS:
        for record, fill in enumerate(fills, unknown.passed):
            if odd := fill.keys() - FILL_FIELDS:
                unknown.keep(record, {name: fill[name] for name in odd})
    values: list[Sequence] = list(zip(*map(_required, fills), strict=True))
    # Arrow itself would take 1.5 for the integer 1.
    if any(set(map(type, column)) != {int} for column in values[: len(INTEGERS)]):
        raise TypeError
    if "liquidation" in names:
        values += _liquidations([fill.get("liquidation") for fill in fills], unknown)
    else:
        values += [[None] * len(fills)] * 3
    unknown.passed += len(fills)
    columns = zip([users, *values], _RAW.types, strict=True)
    return pa.RecordBatch.from_arrays([pa.array(v, kind) for v, kind in columns], schema=_RAW)


def _liquidations(given: list, unknown: Unknown) -> list[list]:
    """Return method, account and mark of each fill's liquidation; null where there is none."""
    for record, each in enumerate(given, unknown.passed):
        if each is not None:
            if each["method"] not in METHODS:
                raise ValueError
            if odd := each.keys() - LIQUIDATION_FIELDS:
                unknown.keep(record, {f"liquidation.{name}": each[name] for name in odd})
    some = [each or {} for each in given]
    return [
        [each.get(name) for each in some] for name in ("method", "liquidatedUser", "markPx")
    ]


def _typed(raw: pa.Table) -> pa.Table:
    """Return gathered columns as those of ``fills``; raise where a value cannot be one."""
    if any(raw[name].null_count for name in ("user", *REQUIRED)):
        raise ValueError
    if not pc.all(pc.is_in(raw["side"], pa.array(["A", "B"])), min_count=0).as_py():
        raise ValueError
    adl = pc.equal(raw["dir"], "Auto-Deleveraging")
    return pa.table(
        {
            "time_ts": instants(raw["time"]),
            "coin": raw["coin"],
            "account": pc.ascii_lower(raw["user"]),
            "px": decimals(raw["px"]),
            "size": decimals(raw["sz"]),
            "is_buy": pc.equal(raw["side"], "B"),
            "start_position": decimals(raw["startPosition"]),
            "direction": raw["dir"],
            "closed_pnl": decimals(raw["closedPnl"]),
            "fee": decimals(raw["fee"]),
            "fee_token": raw["feeToken"],
            "trade_id": raw["tid"],
            "order_id": raw["oid"],
            "is_taker": raw["crossed"],
            "liquidation_method": pc.if_else(adl, "adl", raw["method"]),
            "liquidated_account": pc.ascii_lower(raw["liquidatedUser"]),
            "liquidation_mark_px": decimals(raw["markPx"]),
        }
    )
