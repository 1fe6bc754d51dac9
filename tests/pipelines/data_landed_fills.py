from datetime import UTC, date, datetime

import pyarrow.parquet as pq

from tests.pipelines.data_fills import (
    HOUR,
    block,
    fill,
    put,
)
from warehouse.contracts.tables import FILLS

DAY = date(2025, 10, 10)


NEXT = date(2025, 10, 11)


MIDNIGHT = datetime(2025, 10, 10, tzinfo=UTC)


def rows_of(lake):
    files = sorted(lake.glob("fills/day=*/*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def in_grain_order(rows):
    return sorted(rows, key=lambda row: [row[name] for name in FILLS.grain])


def a_day(folder, hours=range(-1, 25), **changes):
    """Write one fill an hour; each file also gives a late fill and one that came early."""
    files = {}
    for n in hours:
        hour = MIDNIGHT + n * HOUR
        late, early = hour - HOUR / 60, hour + HOUR
        lines = [
            fill(hour, tid=10 * n),
            fill(late, tid=10 * n + 1),
            fill(early, tid=10 * n + 2),
        ]
        files[hour] = [block(*lines)]
    return put(folder, files | changes)
