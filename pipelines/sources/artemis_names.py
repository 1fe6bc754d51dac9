"""This module knows what Artemis' files of fills call their columns.

No reference page lists them.  They are the venue's own fields of a fill, as public readers of
the files use them (read 2026-08-22); the spellings of other exports of the same fields are
taken too.
"""

from pipelines.sources.arrow_columns import Columns
from pipelines.sources.errors import SourceError
from warehouse.contracts.fills import FILLS

# Column of `fills` -> names it has in files, the one that is preferred first.
NAMES = {
    "time_ts": ("time", "timestamp"),
    "coin": ("coin",),
    "account": ("user", "address"),
    "px": ("px", "price"),
    "size": ("sz", "size"),
    "is_buy": ("side",),
    "start_position": ("startPosition", "start_position"),
    "direction": ("dir", "direction"),
    "closed_pnl": ("closedPnl", "closed_pnl", "close_pnl"),
    "fee": ("fee",),
    "fee_token": ("feeToken", "fee_token"),
    "trade_id": ("tid", "trade_id"),
    "order_id": ("oid", "order_id"),
    "is_taker": ("crossed",),
}
HEADER, LIQUIDATION = "_metadata", "liquidation"
UNUSED = (
    *("hash", "cloid", "twapId", "twap_id", "builder", "builderFee", "builder_fee"),
    *("deployerFee", "deployer_fee"),
)
# The contract may do without a direction; here it tells what was deleveraged.
NULLABLE = frozenset(
    column.name for column in FILLS.columns if column.null and column.name != "direction"
)


def names_of(given: Columns) -> dict[str, str]:
    """Return under which name each column is there; what may be missing may be left out."""
    found = {}
    for column, names in NAMES.items():
        there = [name for name in names if name in given.table.column_names]
        if there:
            found[column] = there[0]
        elif column not in NULLABLE:
            raise SourceError(f"{given.file}: field {' or '.join(names)} is missing")
    return found
