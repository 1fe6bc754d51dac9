"""This module describes the fills that the venue's nodes write by block, one file an hour.

Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/historical-data and, for the fields of a
fill, https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (as of
2026-08-22).  ``node_fills_by_block/hourly/YYYYMMDD/H.lz4`` is LZ4 of one JSON object a line, a
block: ``{"local_time", "block_time", "block_number", "events": [["0xaccount", {fill}], …]}``.
Each event is one account's side of a trade.

Files are cut by when the node wrote them, so a fill of hour ``H`` may be in a neighbour's file.
A forced order in the book keeps the direction ``Close …`` and only its ``liquidation`` object
tells, on both sides' fills; ``Auto-Deleveraging`` fills carry the method ``backstop`` there.
"""

from datetime import UTC, datetime, timedelta

from pipelines.sources.hourly_files import HOUR, HourlyFills, read_packed
from pipelines.sources.node_fill_rows import to_fills

BUCKET = "hl-mainnet-node-data"
# The file of hour H is in the archive about 2 minutes after hour H + 1 has closed.
PUBLISHED_AFTER = 2 * HOUR + timedelta(minutes=2)

NODE_FILLS_BY_BLOCK = HourlyFills(
    name="node_fills_by_block",
    bucket=BUCKET,
    prefixes=("node_fills_by_block/hourly",),
    endings=(".lz4",),
    published_after=PUBLISHED_AFTER,
    covers=(datetime(2025, 7, 27, 8, tzinfo=UTC), None),
    read=read_packed,
    to_rows=to_fills,
)
