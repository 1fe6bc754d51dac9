"""This module keeps when each thing that a job does ended well, beside the ledger.

A job that died leaves no rows, and of a source that publishes once a month their age shows it
months late; the age of its newest good end shows it the next day.  Remembered too is which
unknown fields were met, so that each is told once.  A line a unit: the file does not grow.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.store.lake import LEDGER, Lake

PATH = f"{LEDGER}/runs.parquet"
TS = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        pa.field("job", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("since_ts", TS, nullable=False),
        pa.field("ended_ts", TS),
        pa.field("fields", pa.list_(pa.string()), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Run:
    """What is remembered of one thing that a job does.

    Attributes
    ----------
    job, unit
        ``nightly`` and ``sweep``, say.
    since_ts
        When it was first tried.
    ended_ts
        When it last ended well; null: never.
    fields
        Unknown fields it has met.
    """

    job: str
    unit: str
    since_ts: datetime
    ended_ts: datetime | None
    fields: tuple[str, ...]

    @property
    def known_ts(self) -> datetime:
        """Return when it was last known to be well: when it began, if it never was."""
        return self.ended_ts or self.since_ts


class Ended(NamedTuple):
    """How one thing that a job does has ended: well or not, and which unknown fields it met."""

    well: bool
    fields: Collection[str]


def runs_of(lake: Lake) -> list[Run]:
    """Return what is remembered of jobs, in order of job and unit."""
    return _runs(lake.read(PATH))


def remember(
    lake: Lake,
    job: str,
    ended: Mapping[str, Ended],
    others: Iterable[str],
    now: datetime,
) -> list[tuple[str, str]]:
    """Note how the units of a job have ended, and return each with a field it never met before.

    Parameters
    ----------
    lake
        One that is there.
    job
        Which job ran.
    ended
        Everything that it does; what it does no longer is forgotten.
    others
        Other jobs that are still run; the rest is forgotten.
    now
        When it ended.
    """
    kept = set(others) - {job}
    news: list[tuple[str, str]] = []

    def noted(body: bytes | None) -> bytes:
        held = {(run.job, run.unit): run for run in _runs(body)}
        runs = [run for run in held.values() if run.job in kept]
        news.clear()
        for unit, how in ended.items():
            old = held.get((job, unit)) or Run(job, unit, now, None, ())
            fresh = sorted(set(how.fields) - set(old.fields))
            news.extend((unit, name) for name in fresh)
            fields = tuple(sorted({*old.fields, *fresh}))
            runs.append(Run(job, unit, old.since_ts, now if how.well else old.ended_ts, fields))
        rows = [asdict(run) for run in sorted(runs, key=lambda run: (run.job, run.unit))]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), sink, compression="zstd")
        return sink.getvalue().to_pybytes()

    lake.swap(PATH, noted)
    return news


def _runs(body: bytes | None) -> list[Run]:
    if body is None:
        return []
    rows = pq.ParquetFile(pa.BufferReader(body)).read().cast(SCHEMA).to_pylist()
    return [Run(**row | {"fields": tuple(row["fields"])}) for row in rows]
