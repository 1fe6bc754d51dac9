"""This module runs a search and keeps what it finds: chunk by chunk, so that it can go on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pyarrow.compute as pc

from backtest.card import code_hash, data_hash
from backtest.search.asked import Search
from backtest.search.lacking import check_tapes
from backtest.search.spread import Spread, in_threads
from backtest.search.tapes import TAPES
from backtest.search.work import work
from warehouse import open_lake
from warehouse.contracts.tables import BACKTEST_TRIALS
from warehouse.store import Lake, land, parts_of

# How many trials are done, of how many; told once at the start, and after each chunk.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """A search whose trials all lie in the lake.

    Attributes
    ----------
    sweep_id
        Its name: of the search, the rows it may read and the code.
    settings, trials
        Settings, and settings times coins times periods.
    found
        Trials that lay there already.
    """

    sweep_id: str
    settings: int
    trials: int
    found: int


def search(
    lake: str, asked: Search, *, spread: Spread = in_threads, progress: Progress | None = None
) -> Kept:
    """Try every setting that the lake does not hold yet; each chunk is landed when it is done.

    Parameters
    ----------
    lake
        Where the lake lies.
    asked
        What is tried.
    spread
        Where chunks are worked.
    progress
        Told how far it is; what it raises ends the search, and whole chunks stay.

    Raises
    ------
    LookupError
        If bars, funding or slippage are missing on any coin or in any period: before anything
        is tried, and all that is missing in one line.
    ValueError
        As :func:`backtest.search.work.work`; a setting that the rule does not allow is refused
        before anything is tried.
    """
    with open_lake(lake) as con:
        furthest = replace(asked.question, strategy=asked.longest)
        sweep_id = asked.name(data_hash(con, furthest), code_hash())
    chunks = list(asked.chunks(lake, sweep_id))
    total = sum(one.trials for one in chunks)
    there = parts_there(lake)
    left = [one for one in chunks if not one.keys <= there]
    found = done = total - sum(one.trials for one in left)
    if progress is not None:
        progress(done, total)
    try:
        # Before any is tried, for what was tried and landed counts.
        check_tapes(left)
        for chunk, rows in spread(work, left):
            land(lake, BACKTEST_TRIALS, rows, chunk.part)
            done += chunk.trials
            if progress is not None:
                progress(done, total)
    finally:
        TAPES.clear()
    return Kept(sweep_id, len(asked.settings), total, found)


def parts_there(lake: str) -> set[tuple[date, str]]:
    """Return day and name of the parts of trials that count in a lake."""
    lines = parts_of(Lake.at(lake))
    mine = pc.and_(
        pc.equal(lines["table_name"], BACKTEST_TRIALS.name), pc.is_null(lines["superseded_ts"])
    )
    rows = lines.filter(mine)
    return set(zip(rows["day"].to_pylist(), rows["part"].to_pylist(), strict=True))
