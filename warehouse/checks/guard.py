"""This module checks what is about to be published, and leaves out what fails.

A batch is what shares a part's name and its origins; its parts of all tables stand and fall
together.  What a stop check finds in the lake already, without the landing, blocks nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from warehouse.checks.candidate import Candidate, Overtaken
from warehouse.checks.finding import Finding
from warehouse.checks.noted import forget
from warehouse.contracts.incidents import INCIDENTS
from warehouse.store.asks import ALL_DAY, Ask, record
from warehouse.store.lake import Lake
from warehouse.store.landing import Clock, Landing, landing
from warehouse.store.ledger import Part

Batch = tuple[Part, ...]
Refusal = tuple[Batch, list[Finding]]
TRIES = 30
MOST = 121  # characters of a part's name


class Blocked(ValueError):
    """A batch failed a stop check and was not published; other batches were.

    Attributes
    ----------
    refused
        Name of each part -> what was found in it.
    """

    def __init__(self, refused: dict[str, list[Finding]]) -> None:
        self.refused = refused
        part, found = next(iter(refused.items()))
        more = sum(map(len, refused.values())) - 1
        tail = f" (and {more} more findings in {len(refused)} parts)" if more else ""
        super().__init__(f"part {part} was not landed: {found[0]}{tail}")


@contextmanager
def guarded(where: Lake | Path | str, clock: Clock | None = None) -> Iterator[Landing]:
    """Yield a :class:`~warehouse.store.Landing` that publishes only what passes stop checks.

    Parameters
    ----------
    where
        The lake; made if it is not there.
    clock
        When parts are received; for the ledger only.

    Raises
    ------
    Blocked
        If a batch failed, after the others have been published.  Of a blocked batch there is
        an ``asks`` line of outcome ``blocked`` and an incident of severity ``stop``.
    """
    lake = Lake.at(where)
    with landing(lake, clock) if clock else landing(lake) as batches:
        yield batches
        candidate, passed, refused = _committed(batches)
    _clear(lake, candidate, passed)
    if refused:
        asks = [
            _ask(part, "blocked", str(found[0]))
            for batch, found in refused
            for part in batch
            if part.source is not None
        ]
        record(lake, asks, max(part.received_ts for batch, _ in refused for part in batch))
        raise Blocked({batch[0].part: found for batch, found in refused})


def _committed(batches: Landing) -> tuple[Candidate, list[Part], list[Refusal]]:
    """Commit what passes, beside what the lake holds at that moment.

    The checks look before the ledger is locked, so that others need not wait for them.  Who
    lands near the drafts meanwhile makes them look again.
    """
    drafts = batches.drafts
    for _ in range(TRIES):
        batches.drafts = list(drafts)
        candidate = Candidate(batches)
        refused = _refused(candidate)
        batches.drop(part.key for batch, _ in refused for part in batch)
        passed = list(batches.drafts)
        for batch, found in refused:
            rows = [one.as_incident("stop") for one in found]
            incidents = pa.Table.from_pylist(rows, INCIDENTS.schema)
            batches.land(INCIDENTS, incidents, _incident_part(batch[0].part))
        try:
            batches.commit(candidate.agree)
        except Overtaken:
            continue
        return candidate, passed, refused
    raise OSError(f"lake {batches.lake}: others landed beside this {TRIES} times in a row")


def _refused(candidate: Candidate) -> list[Refusal]:
    """Return the batches that must not be published, each with what was found."""
    found = candidate.findings(candidate.drafts)
    if not found:
        return []
    standing = set(candidate.findings(()))
    if not (news := set(found) - standing):
        return []
    days = {one.start_ts.date() for one in news}
    kept: list[Part] = []
    suspects: list[Batch] = []
    for batch in _batches(candidate.drafts):
        if any(abs((part.day - day).days) <= 1 for part in batch for day in days):
            suspects.append(batch)
        else:
            kept += batch
    refused = []
    for batch in suspects:
        # One by one: two batches that are sound alone may contradict each other.
        more = [one for one in candidate.findings([*kept, *batch]) if one not in standing]
        if more:
            refused.append((batch, more))
        else:
            kept += batch
    return refused


def _batches(drafts: Sequence[Part]) -> list[Batch]:
    by_batch: dict[tuple, list[Part]] = {}
    for draft in drafts:
        by_batch.setdefault((draft.part, draft.origins), []).append(draft)
    return [tuple(parts) for parts in by_batch.values()]


def _clear(lake: Lake, candidate: Candidate, passed: Sequence[Part]) -> None:
    """Take back what was said of batches when they were blocked, now that they have passed."""
    said = {(INCIDENTS.name, part.day, _incident_part(part.part)) for part in passed}
    if stale := sorted(said & candidate.incidents):
        forget(lake, stale)
        asks = [_ask(part, "landed", None) for part in passed if part.source is not None]
        record(lake, asks, max(part.received_ts for part in passed))


def _incident_part(part: str) -> str:
    return f"blocked-{part}"[:MOST]


def _ask(part: Part, outcome: str, reason: str | None) -> Ask:
    assert part.source is not None
    return Ask(part.table_name, part.source, part.day, hour_of(part), outcome, reason)


def hour_of(part: Part) -> int:
    """Return the hour a part is of, by its name and its rows; ``ALL_DAY``: of no single one."""
    start = part.min_ts
    alike = part.max_ts.replace(minute=0, second=0, microsecond=0) <= start
    return start.hour if alike and part.part.endswith(f"-{start:%H}") else ALL_DAY
