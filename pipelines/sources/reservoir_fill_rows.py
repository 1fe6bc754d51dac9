"""This module translates rows of Reservoir's fills to columns of ``fills``.

Docs: https://docs.hydromancer.xyz/reservoir/schema-reference/fills (read 2026-08-22).

The columns do not say whose liquidation it was.  One row proves it only where its direction is
``Liquidated …`` and it made no taker of its account: of 40,000 fills of 9 to 27 October 2025
in the venue's own archive, 187 of 187 such rows are the liquidated account's.  Of takers in
liquidations of method ``market``, 681 of 682 are: nearly is not always, and they stay null.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.arrow_columns import Columns
from pipelines.sources.unknown import Unknown, odd_columns

USED = (
    "coin",
    "asset_class",
    "address",
    "side",
    "price",
    "size",
    "timestamp",
    "direction",
    "start_position",
    "realized_pnl",
    "fee",
    "fee_token",
    "crossed",
    "is_liquidation",
    "liquidation_mark_px",
    "liquidation_method",
    "order_id",
    "trade_id",
)
UNUSED = (
    "dex",
    "base_symbol",
    "quote_symbol",
    "builder",
    "builder_fee",
    "deployer_fee",
    "priority_gas",
    "twap_id",
    "client_order_id",
    "tx_hash",
)
METHODS = ("market", "backstop", "adl")
DELEVERAGED, TAKEN_OVER = "Auto-Deleveraging", "Liquidated "


class Piece(NamedTuple):
    """Translated rows of a file.

    Attributes
    ----------
    fills
        Columns of ``fills`` but ``source`` and ``known_ts``.
    unknown
        Fields that are not documented: in how many rows, and what each held.
    spot
        Rows of spot markets, which are left out.
    """

    fills: pa.Table
    unknown: Unknown
    spot: int


def to_fills(piece: pa.Table, path: str, first_row: int = 0) -> Piece:
    """Translate rows of one file to the ``fills`` contract.  Pure.

    ``liquidation_method`` is what the column says, and ``adl`` where the direction says
    ``Auto-Deleveraging``, as the venue's own archive is read; ``liquidated_account`` is null
    wherever one row does not prove it (above); ``fee`` and ``closed_pnl`` are as given.

    Parameters
    ----------
    piece
        Rows of the file.
    path
        Name of the file, for errors.
    first_row
        Number in the file of the piece's first row, for errors.

    Raises
    ------
    SourceError
        If a field is missing, of another type, null where it may not be, or not as documented;
        names file, row and field.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> row = {
    ...     "coin": "ETH", "asset_class": "perp", "address": "0x" + "AB" * 20, "side": "sell",
    ...     "price": 4215.9, "size": 0.3, "timestamp": datetime(2025, 10, 10, 21, tzinfo=UTC),
    ...     "direction": "Liquidated Cross Long", "start_position": 0.3, "realized_pnl": -1.5,
    ...     "fee": 0.0, "fee_token": "USDC", "crossed": False, "is_liquidation": True,
    ...     "liquidation_mark_px": 4216.5, "liquidation_method": "backstop", "order_id": 7,
    ...     "trade_id": 9, "mood": "grim",
    ... }
    >>> piece = to_fills(pa.Table.from_pylist([row]), "fills.parquet")
    >>> fill = piece.fills.to_pylist()[0]
    >>> fill["is_buy"], fill["px"], fill["liquidated_account"] == fill["account"]
    (False, 4215.9, True)
    >>> dict(piece.unknown)
    {'mood': 1}
    """
    every = Columns(piece, path, np.arange(first_row, first_row + piece.num_rows))
    kind = every.one_of("asset_class", ("perp", "spot"), every.text("asset_class"))
    given = every.keep(pc.equal(kind, "perp"))
    spot = piece.num_rows - given.table.num_rows
    unknown = Unknown()
    odd = odd_columns(given.table, {*USED, *UNUSED})
    unknown.keep_columns(odd, given.rows.tolist())
    for name in odd if spot else ():
        unknown[name] += spot
    return Piece(_fills(given), unknown, spot)


def _fills(given: Columns) -> pa.Table:
    """Return the columns of ``fills``; raise where one is not as documented."""
    side = given.one_of("side", ("buy", "sell"), given.text("side"))
    account, direction = given.account("address"), given.text("direction")
    px, size, taker = given.number("price"), given.number("size"), given.truth("crossed")
    given.refuse(pc.less(px, 0), "price", "must be 0 or more")
    given.refuse(pc.less(size, 0), "size", "must be 0 or more")
    for name, values in (("coin", given.text("coin")), ("direction", direction)):
        given.refuse(pc.equal(values, ""), name, "must not be empty")
    method = _method(given, direction)
    marked = pc.is_valid(method)
    mark = pc.if_else(marked, given.maybe_number("liquidation_mark_px", read_text=False), None)
    given.refuse(pc.less_equal(mark, 0), "liquidation_mark_px", "must be above 0")
    own = pc.and_(
        pc.and_(marked, pc.invert(taker)), pc.starts_with(direction, pattern=TAKEN_OVER)
    )
    token = given.text("fee_token")
    given.refuse(pc.equal(token, ""), "fee_token", "must not be empty")
    return pa.table(
        {
            "time_ts": given.moment("timestamp"),
            "coin": given.text("coin"),
            "account": account,
            "px": px,
            "size": size,
            "is_buy": pc.equal(side, "buy"),
            "start_position": given.number("start_position"),
            "direction": direction,
            "closed_pnl": given.number("realized_pnl"),
            "fee": given.number("fee"),
            "fee_token": token,
            "trade_id": given.integer("trade_id"),
            "order_id": given.integer("order_id"),
            "is_taker": taker,
            "liquidation_method": method,
            "liquidated_account": pc.if_else(own, account, pa.scalar(None, pa.string())),
            "liquidation_mark_px": mark,
        }
    )


def _method(given: Columns, direction: pa.Array) -> pa.Array:
    """Return how each row was liquidated, null where it was not."""
    name = "liquidation_method"
    words = given.one_of(name, METHODS, given.maybe_text(name))
    forced, deleveraged = given.truth("is_liquidation"), pc.equal(direction, DELEVERAGED)
    method = pc.if_else(deleveraged, "adl", words)
    unsaid = pc.and_(forced, pc.is_null(method))
    given.refuse(unsaid, name, "must be given where is_liquidation")
    untrue = pc.and_(pc.invert(pc.or_(forced, deleveraged)), pc.is_valid(method))
    given.refuse(untrue, name, "must be null where not is_liquidation")
    return method
