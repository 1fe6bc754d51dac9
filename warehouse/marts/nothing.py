"""This module lands that a day was made and holds nothing, so that it is not made again."""

from datetime import UTC, date, datetime, time

from warehouse.contracts.table import Table
from warehouse.store.landing import Landing
from warehouse.store.ledger import Part, code_version
from warehouse.store.parts import digest, path_of, write_part


def land_nothing(batches: Landing, table: Table, day: date, part: str, now: datetime) -> None:
    """Draft a part without rows.

    Parameters
    ----------
    batches
        What it is landed with.
    table
        Contract of the rows that there are not.
    day
        UTC.
    part
        Name of the batch.
    now
        When it is received.
    """
    path = path_of(table.name, day, part)
    file = batches.stage / path
    file.parent.mkdir(parents=True, exist_ok=True)
    write_part(table.schema.empty_table(), file)
    midnight = datetime.combine(day, time(), UTC)
    batches.drafts.append(
        Part(
            table_name=table.name,
            day=day,
            part=part,
            revision=1,
            path=path,
            source=None,
            origins=(),
            bytes=file.stat().st_size,
            hash=digest(file),
            rows=0,
            min_ts=midnight,
            max_ts=midnight,
            known_ts=None,
            contract=table.version,
            code=code_version(),
            received_ts=now,
        )
    )
