"""This module shows stop checks a lake as it would be with a landing's drafts in it.

Only the days that the drafts touch are looked at, and of the lake's own parts only where one of
the same source lies at the same time as a draft: elsewhere a batch can only contradict itself.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.checks.definitions import STOP, Check, checks
from warehouse.checks.finding import Finding, settled
from warehouse.checks.window import DAY, asked, overlaps, shown
from warehouse.contracts.incidents import INCIDENTS
from warehouse.contracts.ledger import PARTS
from warehouse.store.landing import Landing
from warehouse.store.ledger import Part, parts_of
from warehouse.store.local import LocalLake

# Of the ledger, what finding and reading a part takes.
NAMES = (
    "table_name", "day", "part", "path", "source", "min_ts", "max_ts", "contract", "since_ts",
    "superseded_ts",
)  # fmt: skip
SLIM = pa.schema([PARTS.schema.field(name).remove_metadata() for name in NAMES])


class Candidate:
    """A lake and the drafts of a landing that has not been committed.

    Attributes
    ----------
    drafts
        What waits.
    incidents
        Keys of the parts of ``incidents`` the lake holds.
    """

    def __init__(self, batches: Landing) -> None:
        self.drafts = tuple(batches.drafts)
        self._lake = batches.lake
        self._staged = LocalLake(batches.stage)
        touched = {draft.table_name for draft in self.drafts}
        self._checks = [
            check for check in checks() if check.level == STOP and touched & set(check.reads)
        ]
        self._reads = {table for check in self._checks for table in check.reads}
        lines = parts_of(self._lake).select(NAMES).cast(SLIM)
        lines = lines.filter(pc.is_null(lines["superseded_ts"]))
        self.incidents = _keys(lines.filter(pc.equal(lines["table_name"], INCIDENTS.name)))
        near = {draft.day + n * DAY for draft in self.drafts for n in (-1, 0, 1)}
        self._lines = lines.filter(
            pc.and_(
                pc.is_in(lines["table_name"], pa.array(sorted(self._reads), pa.string())),
                pc.is_in(lines["day"], pa.array(sorted(near), pa.date32())),
            )
        )

    def findings(self, drafts: Sequence[Part]) -> list[Finding]:
        """Return what stop checks find with some of the drafts in the lake, on the days of all.

        Without any it is what they find in the lake as it is.
        """
        if not self._checks:
            return []
        replaced = {draft.key for draft in drafts}
        lines = self._lines.to_pylist()
        held = [line for line in lines if _key(line) not in replaced]
        if drafts:
            held = _beside(held, drafts)
        added = [{name: getattr(draft, name) for name in NAMES} for draft in drafts]
        parts = pa.Table.from_pylist(held + added, SLIM)
        staged = {draft.path for draft in drafts} - {line["path"] for line in held}

        def pattern(path: str) -> str:
            return (self._staged if path in staged else self._lake).pattern(path)

        found: list[Finding] = []
        with shown(self._lake, parts, self._reads, pattern) as con:
            for since, until in self._spans():
                found += asked(con, self._checks_of(parts), since, until, overlaps(parts))
        return settled(found)

    def _checks_of(self, parts: pa.Table) -> list[Check]:
        there = set(parts["table_name"].to_pylist())
        return [check for check in self._checks if check.table in there]

    def _spans(self) -> Iterator[tuple[date, date]]:
        """Yield the touched days as spans ``[since, until)``."""
        days = sorted({draft.day for draft in self.drafts})
        since = before = days[0]
        for day in days[1:]:
            if day != before + DAY:
                yield since, before + DAY
                since = day
            before = day
        yield since, before + DAY


def _beside(lines: list[dict], drafts: Sequence[Part]) -> list[dict]:
    """Return the lines of days on which one of a source lies at the same time as a draft."""
    by_day: dict[tuple[str, date], list[Part]] = {}
    for draft in drafts:
        by_day.setdefault((draft.table_name, draft.day), []).append(draft)
    mixed = {
        line["day"]
        for line in lines
        for draft in by_day.get((line["table_name"], line["day"]), ())
        if line["min_ts"] <= draft.max_ts
        and draft.min_ts <= line["max_ts"]
        and (None in (line["source"], draft.source) or line["source"] == draft.source)
    }
    near = {day + n * DAY for day in mixed for n in (-1, 0, 1)}
    return [line for line in lines if line["day"] in near]


def _keys(lines: pa.Table) -> set[tuple[str, date, str]]:
    return {_key(line) for line in lines.select(["table_name", "day", "part"]).to_pylist()}


def _key(line: dict) -> tuple[str, date, str]:
    return line["table_name"], line["day"], line["part"]
