"""This module notes what came of asking a source, whether a landing ended well or not."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines.landed import Landed, PartlyLanded
from pipelines.sources.errors import SourceError, public
from warehouse.contracts.table import ContractError
from warehouse.health.cadences import cadences
from warehouse.store.asks import ALL_DAY, Ask, record
from warehouse.store.lake import Lake

DAY = timedelta(days=1)


def _wall() -> datetime:
    return datetime.now(UTC)


def noted(
    where: Lake | Path | str,
    source: str,
    day: date | None,
    verb: Callable[[], Landed | list[Landed]],
    until: date | None = None,
    clock: Callable[[], datetime] = _wall,
) -> list[Landed]:
    """Run a verb that lands rows of ``source``, and keep in the lake what came of it.

    Parameters
    ----------
    where
        Folder or URL of the lake.  One that is not there yet is not made to hold a failure.
    source
        What the rows say of where they come from.
    day
        First UTC day that is asked for; null: from the source's first, and a failure is then
        of no day that could be noted.
    verb
        Lands, and says in ``Landed.asked`` what came of each batch.
    until
        First UTC day that is not asked for; null: ``day`` is the only one.
    clock
        When the answers came.

    Raises
    ------
    Exception
        What the verb raises.  What a source got wrong, or that it could not be reached, is
        noted first: each day as failed, as a verb lands all or nothing.
    """
    lake = Lake.at(where)
    days = [] if day is None else list(_days(day, until or day + DAY))
    try:
        given = verb()
    except PartlyLanded as error:
        _record(lake, [ask for one in error.landed for ask in one.asked], clock)
        raise
    except (SourceError, ContractError, OSError) as error:
        # A root that is not there is its namer's mistake; a lake that cannot be written has the
        # first word.
        if not isinstance(error, FileNotFoundError):
            with suppress(OSError):
                if lake.exists():
                    _record(lake, failures(source, days, str(error)), clock)
        raise
    landed = given if isinstance(given, list) else [given]
    tables = {one.table for one in landed}
    # That a day failed is over once a verb of the same tables has ended well.
    over = [
        replace(ask, outcome="landed", reason=None)
        for ask in failures(source, days, "")
        if ask.table_name in tables
    ]
    _record(lake, [*over, *(ask for one in landed for ask in one.asked)], clock)
    return landed


def failures(source: str, days: Iterable[date], reason: str) -> list[Ask]:
    """Return that a source gave nothing on ``days``, for each table it has rows of.

    >>> (ask,) = failures("asset_ctxs", [date(2026, 1, 2)], "https://me:key@b/a?sig=x: cut")
    >>> ask.table_name, ask.outcome, ask.reason
    ('asset_contexts', 'failed', 'https://b/a: cut')
    """
    # What only its own moment tells is never asked for by the day: see noted_now.
    ours = [
        (table, one.source)
        for one in cadences()
        for table in one.tables
        if one.asked == source and not one.once
    ]
    line = as_line(reason)
    return [
        Ask(table, name, day, ALL_DAY, "failed", line) for day in days for table, name in ours
    ]


def as_line(reason: object) -> str:
    r"""Return a reason as one line without what may be a secret.

    >>> as_line("https://me:key@b/a?sig=x:\n cut"), as_line("")
    ('https://b/a: cut', 'no reason was given')
    """
    return " ".join(public(reason).split()) or "no reason was given"


def _record(lake: Lake, asked: list[Ask], clock: Callable[[], datetime]) -> None:
    if any(ask.outcome != "landed" for ask in asked) or (asked and lake.exists()):
        record(lake, asked, clock())


def _days(since: date, until: date) -> Iterator[date]:
    while since < until:
        yield since
        since += DAY
