"""This module notes what came of asking a venue for what only this hour can tell.

An hour in which nobody answered is lost: nothing lands it later, and ``gaps`` says why.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.errors import SourceError
from pipelines.steps.noted import as_line
from warehouse.contracts.table import ContractError
from warehouse.store.asks import Ask, record
from warehouse.store.lake import Lake


def noted_now(
    where: Lake | Path | str,
    source: str,
    tables: Collection[str],
    due: datetime,
    verb: Callable[[], list[Landed]],
) -> list[Landed]:
    """Run a verb that asks for the present, and keep in the lake what came of it.

    Parameters
    ----------
    where
        Folder or URL of the lake.  One that is not there yet is not made to hold a failure.
    source
        What the rows say of where they come from.
    tables
        What it lands.
    due
        When it should have been asked; its hour is the one that failed.
    verb
        Asks and lands.

    Raises
    ------
    Exception
        What the verb raises; what the venue got wrong, or that it could not be reached, is
        noted first.
    """
    lake, hour = Lake.at(where), due.astimezone(UTC)

    def note(outcome: str, reason: str | None = None) -> None:
        if lake.exists():
            asks = [
                Ask(table, source, hour.date(), hour.hour, outcome, reason) for table in tables
            ]
            record(lake, asks, datetime.now(UTC))

    try:
        landed = verb()
    except (SourceError, ContractError, OSError) as error:
        with suppress(OSError):
            note("failed", as_line(error))
        raise
    note("landed")
    return landed
