"""This module says what was wrong with a run of a job, so short that it is read.

A trouble names what happened, where, why in the words of who met it, and what to do.  Reasons
pass through :func:`pipelines.steps.noted.as_line`: no URL in them keeps what may be a secret.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.jobs.units import Done
from pipelines.jobs.upkeep import STOPS
from pipelines.landed import PartlyLanded
from pipelines.steps.cost import TooDear
from pipelines.steps.noted import as_line
from warehouse.checks.guard import Blocked
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.tables import INCIDENTS
from warehouse.health.untrusted import Untrusted
from warehouse.terminal import plain

MOST = 8  # troubles in one message; more are counted
LENGTH = 240  # characters of one reason

DO = {
    "failed": "`undertow gaps` says what is missing; what can be had later, a night lands",
    "blocked": "`undertow sql \"from incidents where severity = 'stop'\"`; it lands once its "
    "source has it right",
    "too dear": "raise run.max_usd in the settings, or land it by hand with --max-usd",
    "died": "run it by hand and read what it says; nothing after this was done",
    "no lake": "is its disk mounted, its bucket reachable, its name right in the settings?",
    "stale": "does its job run, does its source publish? `undertow check --freshness`",
    "not trusted": "did the venue answer? maps rest on the sweep before, until the next",
    "found": "`undertow check` of that day; maps of it may be wrong",
    "damaged": "`undertow check --files`, and land its batch again",
    "new field": "does it mean something? of files it is kept: `from unknown_fields`",
}


class Trouble(NamedTuple):
    """One thing that somebody must hear of."""

    what: str
    where: str
    why: str

    @property
    def do(self) -> str:
        """Return what to do about it."""
        return DO[self.what]

    def plain(self) -> dict[str, str]:
        """Return it as JSON holds it."""
        return {"what": self.what, "where": self.where, "why": self.why, "do": self.do}

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.why}"


def trouble(what: str, where: object, why: object) -> Trouble:
    r"""Return a trouble whose words can be shown to anybody.

    >>> str(trouble("failed", "reservoir", "s3://me:key@bucket/a: cut\n"))
    'failed: reservoir: s3://bucket/a: cut'
    """
    line = as_line(why)
    return Trouble(what, as_line(where), line[:LENGTH] + "…" * (len(line) > LENGTH))


def troubles_of(done: Done) -> list[Trouble]:
    """Return what the units of a run say: failures, blocked batches, what checks found."""
    found = []
    for name, error in done.failed.items():
        blocked = isinstance(error, Blocked) or (
            isinstance(error, PartlyLanded)
            and any(ask.outcome == "blocked" for one in error.landed for ask in one.asked)
        )
        what = "blocked" if blocked else "failed"
        found.append(trouble("too dear" if isinstance(error, TooDear) else what, name, error))
    for one in done.landed:
        if one.table == INCIDENTS.name:
            found += _together("found", "the lake's rows", one.notes, STOPS)
        elif one.table == PARTS.name:
            found += _together("damaged", "the lake's files", one.notes, "")
    return found


def untrusted(snapshots: Sequence[Untrusted]) -> list[Trouble]:
    """Return that sweeps were landed and not trusted, one trouble a source and scope."""
    by_scope: dict[tuple[str, str], list[Untrusted]] = {}
    for one in snapshots:
        by_scope.setdefault((one.source, one.scope), []).append(one)
    return [
        trouble(
            "not trusted",
            f"sweep of {source}, {scope}",
            f"{sum(one.accounts_failed or 0 for one in some)} of "
            f"{sum(one.accounts_asked or 0 for one in some)} accounts did not answer",
        )
        for (source, scope), some in by_scope.items()
    ]


def message(job: str, lake: str, found: Sequence[Trouble], now: datetime) -> dict[str, Any]:
    """Return what a webhook is told of a run, as JSON can hold it.

    ``text`` is all of it for people, as chats show it.
    """
    shown = found[:MOST]
    lines = [f"undertow: {job} into {as_line(lake)}: {len(found)} things to look at"]
    lines += [f"• {one} → {one.do}" for one in shown]
    if len(found) > MOST:
        lines.append(f"… and {len(found) - MOST} more")
    return {
        "text": "\n".join(lines),
        "what": "job",
        "job": job,
        "lake": as_line(lake),
        "at": plain(now),
        "troubles": [one.plain() for one in shown],
        "more": len(found) - len(shown),
    }


def _together(what: str, where: str, notes: Iterable[str], start: str) -> list[Trouble]:
    """Return one trouble for all notes that begin with ``start``."""
    said = [note.removeprefix(start) for note in notes if note.startswith(start)]
    if not said:
        return []
    more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
    return [trouble(what, where, said[0] + more)]
