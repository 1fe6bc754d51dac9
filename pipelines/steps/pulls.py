"""This module lists the files that a landing of each source would read; nothing is read."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

from pipelines.sources import artemis_balances as balances
from pipelines.sources import asset_ctxs, market_files, reservoir
from pipelines.sources import l2_books as books
from pipelines.sources import reservoir_fills as daily_fills
from pipelines.sources.archive import Archive
from pipelines.sources.hourly_fills import HOUR, KINDS, hourly_files, open_archive
from pipelines.steps.books import book_days, check_coins, wanted_files
from pipelines.steps.day_range import DayRange
from pipelines.steps.pull import Files, Pull, listed
from warehouse.contracts.tables import (
    ASSET_CONTEXTS,
    CANDLES,
    FILLS,
    ORDER_BOOKS,
    POSITIONS,
)


def hourly_pull(source: str, root: str, since: date | None, until: date | None) -> Pull:
    """Return what a landing of hourly fills reads: of a day, the hours beside it too."""
    kind = KINDS[source]
    archive = open_archive(kind, root)
    paths = hourly_files(kind, archive).paths
    wanted: dict[date, list[str]] = {}
    for day in DayRange({hour.date() for hour in paths}, since, until).there:
        start = datetime.combine(day, time(), UTC)
        hours = (start + n * HOUR for n in range(-1, 25))
        wanted[day] = [paths[hour] for hour in hours if hour in paths]
    return Pull(FILLS.name, archive, _by_day(archive, wanted), beside=True)


def positions_pull(root: str, since: date | None, until: date | None) -> Pull:
    """Return what a landing of the Reservoir's snapshots reads."""
    archive = reservoir.reservoir(root)
    paths: dict[date, list[str]] = defaultdict(list)
    for file in reservoir.snapshot_files(archive, since, until):
        paths[file.snapshot_ts.date()].append(file.path)
    return Pull(POSITIONS.name, archive, _by_day(archive, paths))


def daily_fills_pull(
    root: str, since: date | None, until: date | None, dex: str | None = "hyperliquid"
) -> Pull:
    """Return what a landing of the Reservoir's fills reads."""
    archive = daily_fills.reservoir_fills(root)
    files = daily_fills.fill_files(archive, since, until, dex)
    return Pull(FILLS.name, archive, _by_day(archive, {day: [files[day]] for day in files}))


def contexts_pull(root: str, since: date | None, until: date | None) -> Pull:
    """Return what a landing of contexts reads."""
    archive = asset_ctxs.asset_ctxs(root)
    files = asset_ctxs.daily_files(archive).paths
    days = DayRange(files, since, until).there
    return Pull(
        ASSET_CONTEXTS.name, archive, _by_day(archive, {day: [files[day]] for day in days})
    )


def balances_pull(root: str, since: date | None, until: date | None) -> Pull:
    """Return what a landing of Artemis' balances reads."""
    archive = balances.artemis_balances(root)
    files = balances.balance_files(archive, since, until)
    return Pull(POSITIONS.name, archive, _by_day(archive, files))


def books_pull(
    root: str, since: date | None, until: date | None, coins: Collection[str] | None = None
) -> Pull:
    """Return what a landing of order books reads.

    Raises
    ------
    ValueError
        If one of ``coins`` is in no file of the range.
    """
    archive = books.l2_books(root)
    days = DayRange(book_days(archive), since, until).there
    if coins is not None:
        check_coins(archive, days, coins)
    paths = {day: list(wanted_files(archive, day, coins)[0].values()) for day in days}
    return Pull(ORDER_BOOKS.name, archive, _by_day(archive, paths))


def market_pull(root: str, since: date | None, until: date | None) -> Pull:
    """Return what a landing of market files reads: all of them, whatever the days."""
    archive = market_files.market_files(root)
    names = [name for name in market_files.FILES if archive.has(name)]
    return Pull(CANDLES.name, archive, _by_day(archive, {date.min: names}), daily=False)


def _by_day(archive: Archive, paths: Mapping[date, list[str]]) -> dict[date, Files]:
    found = listed(archive, (path for some in paths.values() for path in some))
    return {
        day: {name: file for path in some for name, file in found[path].items()}
        for day, some in sorted(paths.items())
    }
