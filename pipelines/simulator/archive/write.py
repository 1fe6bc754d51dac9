"""This module lets a world run and writes what archives would keep of it, and what was true."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipelines.simulator.archive.book_files import BookFiles
from pipelines.simulator.archive.context_files import ContextFiles
from pipelines.simulator.archive.fault_plan import KNOWN, FaultPlan
from pipelines.simulator.archive.file_faults import FileFaults
from pipelines.simulator.archive.fill_faults import FillFaults
from pipelines.simulator.archive.fill_files import FillFiles
from pipelines.simulator.archive.hours import HOUR_MS, MINUTE_MS, Hour
from pipelines.simulator.archive.market_files import MarketFiles
from pipelines.simulator.archive.snapshot_files import SnapshotFiles
from pipelines.simulator.archive.target import Target
from pipelines.simulator.archive.truth import Truth
from pipelines.simulator.fault_delisting import NAME, with_delisting
from pipelines.simulator.faults import parse_faults
from pipelines.simulator.world import Simulation, Told, WorldSpec

# Raised when the same seed makes other rows: files of two such worlds must not mix.
RULES = 1

Progress = Callable[[str, int, int], None]


class Written(NamedTuple):
    """What a world came to."""

    files: int
    bytes: int
    trades: int
    liquidations: int


def write_archive(
    spec: WorldSpec,
    days: int,
    target: str | Path,
    *,
    truth: Path | None = None,
    snapshot_every: int = 24,
    books: bool = True,
    faults: Sequence[str] = (),
    progress: Progress | None = None,
    market: bool = True,
    contexts: bool = True,
) -> Written:
    """Write a world as its archives, hour by hour; memory holds a day of it at the most.

    Parameters
    ----------
    spec, days
        The world, and how long it lasts.
    target
        Folder or ``s3://`` URL; buckets become folders in it.
    truth
        Folder for what was true, see :mod:`pipelines.simulator.archive.truth`; without it
        nothing keeps a record of it, nor of the faults.
    snapshot_every
        Hours between position snapshots, a divisor of 24; each is of the last minute.
    books
        Whether to write order books.
    faults
        ``NAME`` or ``NAME=SEED`` each, see :data:`fault_plan.KNOWN`.
    progress
        Called with what is done, how many days are done, and of how many.
    market, contexts
        Whether to write market files, and what each coin showed each minute.

    Returns
    -------
    Written
        Files and bytes at ``target``, trades and liquidations in the world.

    Raises
    ------
    ValueError
        If an argument is none of these, or if ``target`` or ``truth`` holds other files than
        those of this world: nothing is written then.  Its own are written again.
    """
    if days < 1:
        raise ValueError(f"days {days}: a world lasts one day or more")
    if snapshot_every < 1 or 24 % snapshot_every:
        raise ValueError(f"snapshot_every {snapshot_every}: must divide the 24 hours of a day")
    plan = FaultPlan(parse_faults(faults, KNOWN))
    asked, spec = spec, with_delisting(spec, plan.seeds, days)
    for each in spec.delistings[len(asked.delistings) :]:
        plan.note(NAME, coin=each.coin, at_ms=each.at_ms)
    sim = Simulation(spec)
    parts = {"books": books, "market": market, "contexts": contexts}
    told_of = _described(spec, days, plan) | parts | {"snapshot_every": snapshot_every}
    place = Target(str(target), told_of)
    true = Truth(sim, truth, told_of) if truth is not None else None
    place.claim()
    if true is not None:
        true.claim()
    files = _Files(sim, days, snapshot_every, plan, books, contexts)
    kept = MarketFiles(sim)
    trades = liquidations = 0
    for number in range(days):
        waiting: dict[str, bytes] = {}
        for hour in _hours(sim, snapshot_every, books, true is not None):
            waiting.update(files.of(hour))
            kept.take(hour)
            if true is not None:
                true.take(hour)
            trades += hour.told.trades.size
            liquidations += hour.told.liquidations.size
        place.put(waiting)
        if progress:
            progress(f"{spec.start + timedelta(days=number)}", number + 1, days)
    place.put(dict(files.rest()))
    if market:
        place.put(dict(kept.files()))
    if true is not None:
        true.close(sim.moment(), plan)
    return Written(place.files, place.bytes, trades, liquidations)


def _described(spec: WorldSpec, days: int, plan: FaultPlan) -> dict[str, Any]:
    """Return what the files are made from, for those who come back to them."""
    return {
        **spec._asdict(),
        "rules": RULES,
        "start": spec.start.isoformat(),
        "shocks": [shock._asdict() for shock in spec.shocks],
        "delistings": [each._asdict() for each in spec.delistings],
        "days": days,
        "faults": plan.seeds,
    }


def _hours(sim: Simulation, snapshot_every: int, books: bool, states: bool) -> Iterator[Hour]:
    """Let a day pass, and yield its hours."""
    for number in range(24):
        start, before = sim.now_ms, sim.world.coins.copy()
        held = sim.moment() if states else None
        snapshot = None
        if (number + 1) % snapshot_every:
            told = sim.run(60, books)
        else:
            first = sim.run(59, books)
            snapshot = sim.moment()
            last = sim.run(1, books)
            told = Told(*(np.concatenate(rows) for rows in zip(first, last, strict=True)))
        yield Hour(start, before, held, told, snapshot)


class _Files:
    """All files but those of the market, with what befalls them."""

    def __init__(
        self,
        sim: Simulation,
        days: int,
        snapshot_every: int,
        plan: FaultPlan,
        books: bool,
        contexts: bool,
    ) -> None:
        start, hours = sim.spec.start_ms, 24 * days
        every = snapshot_every * HOUR_MS
        due = [start + n * every - MINUTE_MS for n in range(1, hours // snapshot_every + 1)]
        self._end = start + hours * HOUR_MS
        self._faults = FileFaults(plan, start, hours, due)
        self._fills = FillFiles(sim, FillFaults(plan, start, hours))
        self._books = BookFiles(sim) if books else None
        self._contexts = ContextFiles(sim) if contexts else None
        self._snapshots = SnapshotFiles(sim)

    def of(self, hour: Hour) -> Iterator[tuple[str, bytes]]:
        """Yield the files that an hour completes."""
        yield from self._left(self._fills.files(hour))
        if self._books is not None:
            for path, body in self._books.files(hour):
                left = self._faults.hourly(path, hour.start_ms, body, fills=False)
                if left is not None:
                    yield path, left
        if self._contexts is not None:
            for path, body in self._contexts.files(hour):
                if not self._faults.loses(path, hour.start_ms):
                    yield path, body
        for path, body in self._snapshots.files(hour):
            assert hour.snapshot is not None
            if self._faults.was_taken(path, hour.snapshot.ms):
                yield path, body

    def rest(self) -> Iterator[tuple[str, bytes]]:
        """Yield the files of what arrived after the end."""
        yield from self._left(self._fills.rest(self._end))

    def _left(self, files: Iterator[tuple[int, str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for ms, path, body in files:
            left = self._faults.hourly(path, ms, body, fills=True)
            if left is not None:
                yield path, left
