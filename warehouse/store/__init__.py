"""This package keeps the lake: Parquet parts, and the ledger that says which of them count.

``lake``, ``local``, ``bucket``: where bytes lie, on a disk or in a bucket.  ``parts``: one
batch on one day as a file.  ``ledger``: what is there, from where and since when.  ``landing``:
both together, all of a batch or nothing.
"""

from warehouse.contracts.table import ContractError
from warehouse.store.lake import Lake, NoLake
from warehouse.store.landing import Landing, land, landing
from warehouse.store.ledger import Origin, parts_of

__all__ = [
    "ContractError",
    "Lake",
    "Landing",
    "NoLake",
    "Origin",
    "land",
    "landing",
    "parts_of",
]
