"""This module finds the snapshots that landed lately and are not trusted."""

from datetime import datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.tables import SNAPSHOTS
from warehouse.store.lake import Lake
from warehouse.store.ledger import parts_of


class Untrusted(NamedTuple):
    """A snapshot that too many accounts did not answer; counts are null where unknown."""

    snapshot_ts: datetime
    source: str
    scope: str
    accounts_asked: int | None
    accounts_failed: int | None


def untrusted_since(lake: Lake, since: datetime) -> list[Untrusted]:
    """Return the untrusted snapshots that a lake received since then, oldest first."""
    lines = parts_of(lake)
    lately = pc.and_(
        pc.equal(lines["table_name"], SNAPSHOTS.name),
        pc.greater_equal(lines["received_ts"], pa.scalar(since, lines["received_ts"].type)),
    )
    held = lines.filter(pc.and_(lately, pc.is_null(lines["superseded_ts"])))
    if not held.num_rows:
        return []
    files = [lake.pattern(path) for path in pc.unique(held["path"]).to_pylist()]
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        lake.connect(con)
        names = ", ".join(Untrusted._fields)
        # A file may hold what other parts of its day brought before.
        spans = held.select(["source", "min_ts", "max_ts"])  # noqa: F841  read by name below
        query = (
            f"select distinct {names} from read_parquet($files) as s where not trusted and "
            "exists (from spans where spans.source = s.source "
            "and s.snapshot_ts between spans.min_ts and spans.max_ts) order by all"
        )
        return [Untrusted(*row) for row in con.execute(query, {"files": files}).fetchall()]
