"""This module removes files that nobody lists: of killed writers, and those compacted away.

On a disk this happens under the ledger's lock, under which writers put their files in place
too, so a file that is about to be listed is never seen.  A bucket has no lock: there a file
must have lain unlisted for longer than a writer takes from its upload to its entry.
"""

from collections.abc import Iterable
from datetime import datetime

import pyarrow.compute as pc

from warehouse.store import asks, ledger
from warehouse.store.lake import Lake

BOOKS = (ledger.LINES, asks.LINES)


def orphans_of(lake: Lake, tables: Iterable[str], before: datetime) -> set[str]:
    """Return the files of some tables, and pages of ledgers, that nobody lists.

    Only those written before a moment.
    """
    found = {
        path
        for folder in (*tables, *(book.folder for book in BOOKS))
        for path, written in lake.changed(folder).items()
        if path.endswith(".parquet") and written <= before
    }
    return found - _listed(lake, lake.read(ledger.LINES.path)) if found else found


def remove_unlisted(lake: Lake, paths: Iterable[str]) -> list[str]:
    """Remove those of ``paths`` that no line names now, and return them."""
    removed: list[str] = []

    def checked(body: bytes | None) -> None:
        removed[:] = sorted(set(paths) - _listed(lake, body))
        lake.remove(removed)

    lake.swap(ledger.LINES.path, checked)
    return removed


def _listed(lake: Lake, body: bytes | None) -> set[str]:
    """Return the files that lines name and the pages they lie in, given the ledger's bytes."""
    parts, asked = ledger.LINES.state(body), asks.LINES.state(lake.read(asks.LINES.path))
    paths = ledger.LINES.lines_of(lake, parts)["path"]
    own = (book.path for book in BOOKS)
    return {*own, *pc.unique(paths).to_pylist(), *parts.pages, *asked.pages}
