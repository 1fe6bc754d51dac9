"""This module shows a connection what its lake lacks, as the table ``gaps``.

Gaps take time that grows with the lake, and few questions want them: they are worked out when a
query reads them, each time anew, and opening a lake waits for none of it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from warehouse.attach import describe
from warehouse.contracts.gaps import GAPS
from warehouse.health.batches import COLUMNS, lines_of
from warehouse.health.cadences import by_table_and_source
from warehouse.health.gaps import gaps_of
from warehouse.known_holes import known_holes


class LateGaps:
    """Rows of ``gaps``, as Arrow's stream protocol hands them out: when the first is wanted.

    Parameters
    ----------
    parts, asks
        Lines of the ledger.
    """

    def __init__(self, parts: pa.Table, asks: pa.Table) -> None:
        self.parts, self.asks = parts.select(COLUMNS), asks

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a stream whose schema is there at once, and whose rows are not."""
        reader = pa.RecordBatchReader.from_batches(GAPS.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        asks = self.asks.to_pylist()
        found = gaps_of(
            lines_of(self.parts), asks, by_table_and_source(), known_holes(), datetime.now(UTC)
        )
        rows = [gap._asdict() for gap in found]
        yield from pa.Table.from_pylist(rows, GAPS.schema).to_batches()


def show_gaps(con: duckdb.DuckDBPyConnection, parts: pa.Table) -> None:
    """Give a connection the table ``gaps``; it must have ``asks``."""
    con.register(GAPS.name, LateGaps(parts, con.sql("from asks").to_arrow_table()))
    describe(con, GAPS.name, GAPS.purpose, GAPS.schema)
