"""This module translates lines of node trades to columns of ``fills``, two rows a trade.

A trade gives each side's position before it, but not what a side earned or paid.  The direction
follows from position, side and size; of a trade between two orders of one account none does.
"""

from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.arrow_values import decimals
from pipelines.sources.errors import SourceError
from pipelines.sources.made_trade_ids import made_trade_id
from pipelines.sources.node_fill_faults import first_fault
from pipelines.sources.node_fill_rows import FAULTS, parsed
from pipelines.sources.node_trade_faults import OVERRIDES, TIME, TO_MICROSECONDS, trade_faults
from pipelines.sources.trade_directions import directions
from pipelines.sources.unknown import Unknown
from warehouse.contracts.fills import FILLS
from warehouse.contracts.table import TS

TRADE = ("coin", "side", "time", "px", "sz", "trade_dir_override", "side_info")
SIDE = ("user", "start_pos", "oid")
TRADE_FIELDS = frozenset({*TRADE, "hash"})
SIDE_FIELDS = frozenset({*SIDE, "twap_id", "cloid"})
_KINDS = (pa.string(), pa.string(), pa.int64())
_RAW = pa.schema(
    [
        *((name, pa.string()) for name in TRADE[:-1]),
        *(
            (f"{name} {n}", kind)
            for n in (0, 1)
            for name, kind in zip(SIDE, _KINDS, strict=True)
        ),
    ]
)
_COLUMNS = [name for name in FILLS.schema.names if name not in {"source", "known_ts"}]
_NONE = pa.scalar(None, pa.string())
_trade, _side = itemgetter(*TRADE), itemgetter(*SIDE)


def to_fills(body: bytes, path: str) -> tuple[pa.Table, Unknown]:
    """Translate the lines of one file to the ``fills`` contract.  Pure.

    Parameters
    ----------
    body
        Lines, each a trade.
    path
        Name of the file, for errors.

    Returns
    -------
    Table
        Columns of ``fills`` but ``source`` and ``known_ts``: of each trade, in the order of
        the file, the buyer's row and the seller's.  ``closed_pnl``, ``fee``, ``fee_token`` and
        ``liquidation_mark_px`` are null: not given.
    Unknown
        Fields that are not known: how often each came, and what each trade held, in time of
        its buyer's row.  Of a side's field, the values of ``buyer`` and ``seller``.

    Raises
    ------
    SourceError
        If a field is missing or mistyped; names file, line and field.

    Examples
    --------
    >>> trade = (
    ...     '{"coin":"AAVE","side":"A","time":"2025-05-25T13:59:59.974190721","px":"264.56",'
    ...     '"sz":"0.06","hash":"0x84","trade_dir_override":"LiquidatedMarket","side_info":['
    ...     '{"user":"0xAB","start_pos":"-0.02","oid":7,"twap_id":null,"cloid":null},'
    ...     '{"user":"0xCD","start_pos":"0.1","oid":9,"twap_id":null,"cloid":null}]}'
    ... )
    >>> rows, unknown = to_fills(trade.encode(), "13.lz4")
    >>> for row in rows.to_pylist():
    ...     row["account"], row["is_buy"], row["is_taker"], row["direction"]
    ('0xab', True, False, 'Short > Long')
    ('0xcd', False, True, 'Close Long')
    >>> row["time_ts"].isoformat(), row["liquidation_method"], row["liquidated_account"]
    ('2025-05-25T13:59:59.974190+00:00', 'market', '0xcd')
    """
    unknown = Unknown()
    try:
        batches = [_gathered(trades, unknown) for trades in parsed(body)]
        return _typed(pa.Table.from_batches(batches, _RAW).combine_chunks()), unknown
    except FAULTS as error:
        said = first_fault(body, path, trade_faults)
        raise SourceError(said or f"{path}: {error}".partition("\n")[0]) from error


def _gathered(trades: list, unknown: Unknown) -> pa.RecordBatch:
    """Return trades as columns; raise one of ``FAULTS`` where one is not as documented."""
    *values, pairs = zip(*map(_trade, trades), strict=True)
    side_names: set[str] = set()
    for sides in zip(*pairs, strict=True):
        columns = list(zip(*map(_side, sides), strict=True))
        # Arrow itself would take 1.5 for the integer 1.
        if set(map(type, columns[-1])) != {int}:
            raise TypeError
        values += columns
        side_names.update(*sides)
    if not (set().union(*trades) <= TRADE_FIELDS and side_names <= SIDE_FIELDS):
        for record, trade in enumerate(trades, unknown.passed):
            _keep(unknown, record, trade)
    unknown.passed += len(trades)
    arrays = [pa.array(v, kind) for v, kind in zip(values, _RAW.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_RAW)


def _keep(unknown: Unknown, record: int, trade: dict) -> None:
    """Keep what one trade holds in fields that are not known; its rows are two."""
    for name in trade.keys() - TRADE_FIELDS:
        unknown.keep(record, {name: trade[name]}, 2 * record)
    pairs = list(zip(("buyer", "seller"), trade["side_info"], strict=True))
    for name in set().union(*trade["side_info"]) - SIDE_FIELDS:
        told = {who: side[name] for who, side in pairs if name in side}
        unknown.keep(record, {f"side_info.{name}": told}, 2 * record)
        unknown[f"side_info.{name}"] += len(told) - 1  # each side's is one


def _typed(raw: pa.Table) -> pa.Table:
    """Return gathered columns as those of ``fills``; raise where a value cannot be one."""
    if any(column.null_count for column in raw.columns):
        raise ValueError
    for name, allowed in (("side", ("A", "B")), ("trade_dir_override", OVERRIDES)):
        if not pc.all(pc.is_in(raw[name], pa.array(allowed)), min_count=0).as_py():
            raise ValueError
    if not pc.all(pc.match_substring_regex(raw["time"], TIME), min_count=0).as_py():
        raise ValueError
    cut = pc.utf8_slice_codeunits(raw["time"], 0, TO_MICROSECONDS)
    time = cut.cast(pa.timestamp("us")).cast(TS)
    ids = zip(
        *(raw[name].to_pylist() for name in ("oid 0", "oid 1")),
        time.cast(pa.int64()).to_pylist(),
        raw["coin"].to_pylist(),
        strict=True,
    )
    trades = {
        "time_ts": time,
        "coin": raw["coin"],
        "px": decimals(raw["px"]),
        "size": decimals(raw["sz"]),
        "trade_id": pa.array([made_trade_id(*each) for each in ids], pa.int64()),
    }
    buys, sells = (_side_of(raw, trades["size"], is_buy) for is_buy in (True, False))
    forced = pc.equal(raw["trade_dir_override"], "LiquidatedMarket")
    # A forced order takes from the book and closes: its owner is who was liquidated.
    taker, word = (
        pc.if_else(pc.equal(raw["side"], "B"), buys[name], sells[name])
        for name in ("account", "direction")
    )
    closes = pc.fill_null(pc.starts_with(word, "Close "), False)
    marks = {
        "liquidation_method": pc.if_else(forced, "market", _NONE),
        "liquidated_account": pc.if_else(pc.and_(forced, closes), taker, _NONE),
        "liquidation_mark_px": pa.nulls(raw.num_rows, pa.float64()),
    }
    sides = [pa.table(side | trades | marks).select(_COLUMNS) for side in (buys, sells)]
    in_turn = np.arange(2 * raw.num_rows).reshape(2, -1).T.ravel()
    return pa.concat_tables(sides).take(in_turn).combine_chunks()


def _side_of(raw: pa.Table, size: pa.ChunkedArray, is_buy: bool) -> dict[str, pa.ChunkedArray]:
    """Return the columns that differ between the sides, of one side."""
    number, count = (0 if is_buy else 1), raw.num_rows
    start = decimals(raw[f"start_pos {number}"])
    word = directions(raw["coin"], start, size, is_buy)
    # Which of its own two orders came first is not told, so neither is the position between.
    alone = pc.equal(pc.ascii_lower(raw["user 0"]), pc.ascii_lower(raw["user 1"]))
    word = pc.if_else(alone, _NONE, word)
    nets = pc.equal(raw["trade_dir_override"], "NetChildVaultPositions")
    return {
        "account": pc.ascii_lower(raw[f"user {number}"]),
        "is_buy": pa.repeat(is_buy, count),
        "start_position": start,
        "direction": pc.if_else(nets, "Net Child Vaults", word),
        "closed_pnl": pa.nulls(count, pa.float64()),
        "fee": pa.nulls(count, pa.float64()),
        "fee_token": pa.nulls(count, pa.string()),
        "order_id": raw[f"oid {number}"],
        "is_taker": pc.equal(raw["side"], "B" if is_buy else "A"),
    }
