"""This module knows what parts were landed from before, beside what is read now."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.table import Table
from warehouse.store import Lake, Origin, parts_of
from warehouse.store.ledger import Part, as_parts


class LandedBefore:
    """The parts of a lake that count when a landing begins, of one archive.

    Parameters
    ----------
    lake
        Whose ledger is read, once.
    tables, label
        Which tables, and what the parts' names begin with.
    """

    def __init__(self, lake: Lake, tables: Iterable[Table], label: str) -> None:
        lines = parts_of(lake)
        ours = pc.and_(
            pc.is_in(lines["table_name"], pa.array([table.name for table in tables])),
            pc.starts_with(lines["part"], pattern=f"{label}-"),
        )
        self._parts: dict[tuple[str, date, str], Part] = {
            line.key: line
            for line in as_parts(lines.filter(ours))
            if line.superseded_ts is None
        }

    def unread(self, table: Table, day: date, part: str, paths: Iterable[str]) -> list[Origin]:
        """Return what a part was landed from beside the files, or folders, of ``paths``.

        A file is the same wherever its archive's root was: a mirror may have moved.
        """
        line = self._parts.get((table.name, day, part))
        ends = [f"/{path}" for path in paths]
        return [
            one
            for one in (line.origins if line else ())
            if not any(one.url.endswith(end) or f"{end}/" in one.url for end in ends)
        ]
