"""This module lands rows of several tables as one batch."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.landed import Landed
from warehouse.checks import guarded
from warehouse.contracts.table import Table
from warehouse.store import Lake, Origin

Rows = Mapping[Table, list[dict[str, Any]] | pa.Table]


def land_rows(
    lake: Lake | Path | str,
    rows: Rows,
    part: str,
    origins: Sequence[Origin],
    now: Callable[[], datetime],
) -> list[Landed]:
    """Land the rows of each table under one part's name, all or none; no rows make no part.

    Parameters
    ----------
    lake
        Folder or URL of the lake.
    rows
        Table -> its rows, as Arrow or as dictionaries; a key that is left out is null.
    part
        Name of the batch.
    origins
        What the rows were read from.
    now
        The clock.
    """
    landed = {table.name: Landed(table.name) for table in rows}
    with guarded(lake, now) as batches:
        for table, given in rows.items():
            batch = given
            if not isinstance(batch, pa.Table):
                batch = pa.Table.from_pylist(batch, table.schema)
            if batch.num_rows:
                batches.land(table, batch, part, origins)
            landed[table.name].rows = batch.num_rows
    for name, places in batches.places.items():
        landed[name].files = places
    return list(landed.values())
