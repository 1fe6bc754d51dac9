"""This module describes the oldest archive of trades, one trade with both its sides a line.

Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/historical-data (as of 2026-08-22), and
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/nodes/l1-data-schemas, section
Trades (read 2026-11-21): ``side_info[0]`` is the buyer and ``[1]`` the seller.
``node_trades/hourly/YYYYMMDD/H.lz4`` is LZ4 of one JSON object a line: ``{"coin", "side",
"time", "px", "sz", "hash", "trade_dir_override", "side_info": [{"user", "start_pos", "oid",
"twap_id", "cloid"}, {…}]}``.  ``time`` is the block's, UTC, to the nanosecond; it is cut to
microseconds.  ``side`` is the taker's.

``trade_dir_override`` is ``LiquidatedMarket`` of a forced order in the book,
``NetChildVaultPositions`` of a vault's children netted, otherwise ``Na``.  It names neither a
takeover by the liquidator vault nor auto-deleveraging: here these look like any other trade.

The archive goes on for four weeks after ``node_fills`` has begun.  The ids of its trades are
made, so the two do not match by id; readers of a lake that holds both are shown each fill once,
by order, account, time, price and size.
"""

from datetime import UTC, datetime, timedelta

from pipelines.sources.hourly_files import HOUR, HourlyFills, read_packed
from pipelines.sources.node_trade_rows import to_fills

# Not documented for this archive: taken to be as for node_fills_by_block, which the same
# venue writes to the same bucket.
PUBLISHED_AFTER = 2 * HOUR + timedelta(minutes=2)

NODE_TRADES = HourlyFills(
    name="node_trades",
    bucket="hl-mainnet-node-data",
    prefixes=("node_trades/hourly",),
    endings=(".lz4",),
    published_after=PUBLISHED_AFTER,
    # Of the last day no hour is documented.
    covers=(datetime(2025, 3, 22, 10, tzinfo=UTC), datetime(2025, 6, 21, 23, tzinfo=UTC)),
    read=read_packed,
    to_rows=to_fills,
)
