"""This module names the sources that have a root: archives and files."""

SOURCES = (
    "market_files",
    "asset_ctxs",
    "reservoir",
    "artemis_balances",
    "node_fills_by_block",
    "node_fills",
    "node_trades",
    "reservoir_fills",
    "artemis",
    "own_node",
    "l2_books",
)
