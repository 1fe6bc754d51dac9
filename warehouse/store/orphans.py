"""This module removes files that nobody lists: of killed writers, and those compacted away.

On a disk this happens under the ledger's lock, under which writers put their files in place
too, so a file that is about to be listed is never seen.  A bucket has no lock: there a file
must have lain unlisted for longer than a writer takes from its upload to its entry.
"""

from collections.abc import Iterable
from datetime import datetime

from warehouse.store.lake import Lake
from warehouse.store.ledger import PATH, paths_in


def orphans_of(lake: Lake, tables: Iterable[str], before: datetime) -> set[str]:
    """Return the part files of some tables that no line names, written before a moment."""
    found = {
        path
        for table in tables
        for path, written in lake.changed(table).items()
        if path.endswith(".parquet") and written <= before
    }
    return found - paths_in(lake.read(PATH)) if found else found


def remove_unlisted(lake: Lake, paths: Iterable[str]) -> list[str]:
    """Remove those of ``paths`` that no line names now, and return them."""
    removed: list[str] = []

    def checked(body: bytes | None) -> None:
        removed[:] = sorted(set(paths) - paths_in(body))
        lake.remove(removed)

    lake.swap(PATH, checked)
    return removed
