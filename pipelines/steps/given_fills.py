"""This module knows which fills the files of a node gave already.

A node that starts again may write what it had written, mostly at the end of the same file or at
the beginning of the next.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.hourly_files import HOUR
from pipelines.steps.fill_hours import joined, sides
from pipelines.steps.first_known import first_known
from warehouse.contracts.tables import FILLS
from warehouse.store import Landing
from warehouse.store.ledger import Part

# Hour of a file -> byte -> parts of the stretch that begins there.
Stretches = Mapping[datetime, Mapping[int, list[Part]]]


class GivenFills:
    """Grains of the fills of two files: the one that is landed, and the one before.

    What other files gave of the same time is read when it is wanted, which is rare.
    """

    def __init__(self) -> None:
        self._grains: dict[datetime, pa.Table] = {}

    def fresh(
        self, batches: Landing, hour: datetime, landed: Stretches, rows: pa.Table
    ) -> pa.Table:
        """Return those of ``rows`` that neither they, nor these files, gave before.

        Parameters
        ----------
        batches
            Of the lake that holds what was landed.
        hour
            Of the file that ``rows`` are of.
        landed
            Parts of these files; each file's are read once.
        rows
            Rows of ``fills``, in the order of the file.
        """
        near = (hour - HOUR, hour)
        self._grains = {one: self._of(batches, one, landed) for one in near}
        fresh = first_known(rows, FILLS.grain, sides(rows)).rows
        others = _of_others(batches, near, landed, fresh)
        given = pa.concat_tables([*self._grains.values(), *others])
        # A side's number is nearly its grain: mostly none is there, and nothing is compared.
        same = np.isin(sides(given), sides(fresh))
        if same.any():
            keys = list(FILLS.grain)
            fresh = fresh.join(given.filter(pa.array(same)), keys, join_type="left anti")
        some = [self._grains[hour], fresh.select(FILLS.grain)]
        self._grains[hour] = pa.concat_tables(some)
        return fresh

    def _of(self, batches: Landing, hour: datetime, landed: Stretches) -> pa.Table:
        """Return the grains of the rows that the file of ``hour`` has given."""
        if hour in self._grains:
            return self._grains[hour]
        parts = [part for some in landed.get(hour, {}).values() for part in some]
        nothing = joined(FILLS, [FILLS.schema.empty_table()]).select(FILLS.grain)
        return pa.concat_tables([nothing, *_grains(batches, parts)])


def _of_others(
    batches: Landing, near: Collection[datetime], landed: Stretches, rows: pa.Table
) -> Iterator[pa.Table]:
    """Yield what other files gave of the time of ``rows``, those of this landing too."""
    span = pc.min_max(rows[FILLS.time]).as_py()

    def meets(part: Part) -> bool:
        return part.max_ts >= span["min"] and part.min_ts <= span["max"]

    far = [some for hour, some in landed.items() if hour not in near]
    parts = [part for some in far for each in some.values() for part in each]
    yield from _grains(batches, filter(meets, parts))
    for draft in filter(meets, batches.drafts):
        if draft.table_name == FILLS.name:
            drafted = batches.drafted(FILLS, draft.day, draft.part)
            if drafted is not None:
                yield joined(FILLS, [drafted]).select(FILLS.grain)


def _grains(batches: Landing, parts: Iterable[Part]) -> Iterator[pa.Table]:
    for part in parts:
        if (held := batches.held(FILLS, part.day, part.part)) is not None:
            yield joined(FILLS, [held[0]]).select(FILLS.grain)
