"""This module shows stop checks a lake as it would be with a landing's drafts in it.

Only the days that the drafts touch are looked at, and of the lake's own parts only where one of
the same source lies at the same time as a draft: elsewhere a batch can only contradict itself.
What the drafts replace is not looked at, also where it shares a file with other parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.checks.definitions import STOP, Check, checks
from warehouse.checks.finding import Finding, settled
from warehouse.checks.window import DAY, asked, overlaps, shown
from warehouse.contracts.incidents import INCIDENTS
from warehouse.contracts.ledger import PARTS
from warehouse.store.book import Reader
from warehouse.store.landing import Landing
from warehouse.store.ledger import Part, as_parts, parts_of
from warehouse.store.local import LocalLake
from warehouse.store.parts import write_part
from warehouse.store.settling import rows_of

# Of the ledger, what finding and reading a part takes.
NAMES = (
    "table_name", "day", "part", "path", "source", "rows", "min_ts", "max_ts", "contract",
    "since_ts", "superseded_ts",
)  # fmt: skip
SLIM = pa.schema([PARTS.schema.field(name).remove_metadata() for name in NAMES])


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """A line that the checks may be shown: where, and when in microseconds."""

    nth: int
    key: tuple[str, date, str]
    first: int
    last: int
    source: str | None
    path: str


class Overtaken(Exception):
    """Somebody landed near the drafts after the lake was looked at."""


class Candidate:
    """A lake and the drafts of a landing that has not been committed.

    Attributes
    ----------
    drafts
        What waits.
    incidents
        Keys of the parts of ``incidents`` that the lake holds of the drafts' days.
    """

    def __init__(self, batches: Landing) -> None:
        self.drafts = tuple(batches.drafts)
        self._lake = batches.lake
        self._staged = LocalLake(batches.stage)
        self._apart: dict[tuple[str, date, str], str] = {}
        touched = {draft.table_name for draft in self.drafts}
        self._checks = [
            check for check in checks() if check.level == STOP and touched & set(check.reads)
        ]
        self._reads = {table for check in self._checks for table in check.reads}
        self._near = {draft.day + n * DAY for draft in self.drafts for n in (-1, 0, 1)}
        lines = parts_of(self._lake, self._near)
        said = lines.filter(pc.equal(lines["table_name"], INCIDENTS.name))
        self.incidents = {part.key for part in as_parts(said)}
        self._lines = self._seen(lines)
        self._places = _places(self._lines)

    def _seen(self, lines: pa.Table) -> pa.Table:
        """Return what of some days' lines the checks are shown."""
        read = pc.is_in(lines["table_name"], pa.array(sorted(self._reads), pa.string()))
        counts = pc.is_null(lines["superseded_ts"])
        seen = lines.filter(pc.and_(read, counts)).select(NAMES).cast(SLIM)
        return seen.sort_by([(name, "ascending") for name in ("table_name", "day", "part")])

    def agree(self, read: Reader) -> None:
        """Raise if what was looked at is not what is there now.

        Raises
        ------
        Overtaken
            If it is not.
        """
        if self._seen(read(self._near)) != self._lines:
            raise Overtaken

    def findings(self, drafts: Sequence[Part]) -> list[Finding]:
        """Return what stop checks find with some of the drafts in the lake, on the days of all.

        Without any it is what they find in the lake as it is.
        """
        if not self._checks:
            return []
        replaced = {draft.key for draft in drafts}
        held = [line for line in self._places if line.key not in replaced]
        if drafts:
            held = _beside(held, drafts)
        mixed = {line.path for line in self._places if line.key in replaced}
        whole = [line.nth for line in held if line.path not in mixed]
        apart = self._alone(line for line in held if line.path in mixed)
        added = [{name: getattr(draft, name) for name in NAMES} for draft in drafts]
        parts = pa.concat_tables(
            [
                self._lines.take(pa.array(whole, pa.int64())),
                pa.Table.from_pylist([*apart, *added], SLIM),
            ]
        )
        staged = {draft.path for draft in drafts} - {line.path for line in held}
        staged |= set(self._apart.values())

        def pattern(path: str) -> str:
            return (self._staged if path in staged else self._lake).pattern(path)

        found: list[Finding] = []
        with shown(self._lake, parts, self._reads, pattern) as con:
            for since, until in self._spans():
                found += asked(con, self._checks_of(parts), since, until, overlaps(parts))
        return settled(found)

    def _alone(self, lines: Iterable[Place]) -> Iterator[dict]:
        """Yield lines of parts that share a file with one that is replaced, each with its own.

        Those of a file that cannot be read are left out: they contradict nothing.
        """
        for line in lines:
            if line.key not in self._apart:
                table, day, part = line.key
                if (rows := rows_of(self._lake, line.path, part)) is None:
                    continue
                path = f"{table}/day={day}/beside~{len(self._apart)}.parquet"
                file = self._staged.place(path)
                file.parent.mkdir(parents=True, exist_ok=True)
                write_part(rows, file)
                self._apart[line.key] = path
            [told] = self._lines.slice(line.nth, 1).to_pylist()
            yield told | {"path": self._apart[line.key]}

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


def _places(lines: pa.Table) -> list[Place]:
    """Return where lines lie; a day of a tail has thousands, so as plain numbers."""
    keys = zip(
        *(lines[name].to_pylist() for name in ("table_name", "day", "part")), strict=True
    )
    spans = (lines[name].cast(pa.int64()).to_pylist() for name in ("min_ts", "max_ts"))
    others = (lines[name].to_pylist() for name in ("source", "path"))
    return list(map(Place, range(lines.num_rows), keys, *spans, *others))


def _beside(lines: Sequence[Place], drafts: Sequence[Part]) -> list[Place]:
    """Return the lines of days on which one of a source lies at the same time as a draft."""
    by_day: dict[tuple[str, date], list[tuple[int, int, str | None]]] = {}
    for draft in drafts:
        span = _micros(draft.min_ts), _micros(draft.max_ts), draft.source
        by_day.setdefault(draft.key[:2], []).append(span)
    mixed = {
        line.key[1]
        for line in lines
        for first, last, source in by_day.get(line.key[:2], ())
        if line.first <= last
        and first <= line.last
        and (None in (line.source, source) or line.source == source)
    }
    near = {day + n * DAY for day in mixed for n in (-1, 0, 1)}
    return [line for line in lines if line.key[1] in near]


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
