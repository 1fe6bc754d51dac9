"""This module reads the older archive of node fills, one account's fill a line.

Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/historical-data (as of 2026-08-22).
``node_fills/hourly/YYYYMMDD/H.lz4`` is LZ4 of one JSON array a line, ``["0xaccount", {fill}]``:
the events of ``node_fills_by_block``, without the blocks around them.  Its last hour is the
first of that archive; fills of it that are in both have the same ids.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipelines.sources.hourly_files import HOUR, HourlyFills, read_packed
from pipelines.sources.node_fill_faults import event_faults
from pipelines.sources.node_fill_rows import parsed, translated
from pipelines.sources.unknown import Unknown

# Not documented for this archive: taken to be as for node_fills_by_block, which the same
# venue writes to the same bucket.
PUBLISHED_AFTER = 2 * HOUR + timedelta(minutes=2)


def to_fills(body: bytes, path: str) -> tuple[pa.Table, Unknown]:
    """Translate the lines of one file to the ``fills`` contract.  Pure.

    Parameters
    ----------
    body
        Lines, each an account and its fill.
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
    ...     '{"coin":"ETH","px":"2550.5","sz":"0.4","side":"B","time":1748181600123,'
    ...     '"startPosition":"-0.4","dir":"Close Short","closedPnl":"3.5","oid":7,'
    ...     '"crossed":true,"fee":"0.2","tid":9,"feeToken":"USDC"}'
    ... )
    >>> rows, unknown = to_fills(f'["0xAB",{fill}]'.encode(), "14.lz4")
    >>> row = rows.to_pylist()[0]
    >>> row["time_ts"].isoformat(), row["account"], row["is_buy"], row["direction"]
    ('2025-05-25T14:00:00.123000+00:00', '0xab', True, 'Close Short')
    """
    return translated(body, path, _events, event_faults)


def _events(body: bytes, _: Unknown) -> Iterator[list]:
    """Yield the events of a few lines at a time; a line holds no field beside its event."""
    return parsed(body)


NODE_FILLS = HourlyFills(
    name="node_fills",
    bucket="hl-mainnet-node-data",
    prefixes=("node_fills/hourly",),
    endings=(".lz4",),
    published_after=PUBLISHED_AFTER,
    covers=(datetime(2025, 5, 25, 14, tzinfo=UTC), datetime(2025, 7, 27, 8, tzinfo=UTC)),
    read=read_packed,
    to_rows=to_fills,
)
