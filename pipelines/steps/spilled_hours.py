"""This module keeps rows of a long file on disk, an hour of their time a file.

A day of Reservoir's fills does not fit into memory, and nobody promises that it is ordered.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipelines.steps.fill_hours import by_hour

_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


class SpilledHours:
    """Rows with ``time_ts`` by hour, in the order they were given.

    Parameters
    ----------
    folder
        Where they wait; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[datetime, pa.ipc.RecordBatchFileWriter] = {}

    def add(self, rows: pa.Table) -> None:
        """Take rows, all of the same columns."""
        for hour, some in by_hour(rows):
            if hour not in self._writers:
                self._folder.mkdir(parents=True, exist_ok=True)
                place = str(self._place(hour))
                self._writers[hour] = pa.ipc.new_file(place, some.schema, options=_PACKED)
            self._writers[hour].write_table(some)

    def close(self) -> None:
        """Let go of the files; nothing can be added afterwards."""
        for writer in self._writers.values():
            writer.close()

    def hours(self) -> Iterator[datetime]:
        """Yield the hours that have rows, in order."""
        yield from sorted(self._writers)

    def take(self, hour: datetime) -> pa.Table | None:
        """Return the rows of an hour, and forget them; null: there are none."""
        if hour not in self._writers:
            return None
        with pa.OSFile(str(self._place(hour))) as file:
            rows = pa.ipc.open_file(file).read_all()
        self._place(hour).unlink()
        return rows

    def _place(self, hour: datetime) -> Path:
        return self._folder / f"{hour:%Y%m%d%H}.arrow"
