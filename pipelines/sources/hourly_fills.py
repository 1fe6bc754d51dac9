"""This module lists the archives of fills that are cut by the hour.

One step lands any of them: open what a description names, list its files by hour, read a file,
translate it.

>>> {name: kind.layout for name, kind in KINDS.items()}["node_trades"]
'node_trades/hourly/YYYYMMDD/H.lz4'
"""

from pipelines.sources.artemis_fills import ARTEMIS
from pipelines.sources.hourly_files import (
    HOUR,
    HourlyFiles,
    HourlyFills,
    hourly_files,
    open_archive,
)
from pipelines.sources.node_fills import NODE_FILLS_BY_BLOCK
from pipelines.sources.node_fills_by_user import NODE_FILLS
from pipelines.sources.node_trades import NODE_TRADES
from pipelines.sources.own_node import OWN_NODE

__all__ = ["HOUR", "KINDS", "HourlyFiles", "HourlyFills", "hourly_files", "open_archive"]

# Name of a source -> its description.
KINDS: dict[str, HourlyFills] = {
    kind.name: kind
    for kind in (NODE_FILLS_BY_BLOCK, NODE_FILLS, NODE_TRADES, OWN_NODE, ARTEMIS)
}
