"""This module says what a check finds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from warehouse.checks.definitions import STOP


@dataclass(frozen=True, slots=True)
class Finding:
    """One window in which rows are not what a check says of them.

    Attributes
    ----------
    check_name, level, table_name
        Which check, whether it stops a landing (``stop`` or ``warn``), and what it is about.
    start_ts, end_ts
        First instant, and first after it; no end: it is of one instant.
    source, subject
        Of whose rows; coin or account, ``all``: every one.
    what
        In words, with the worst value.
    rows
        Rows or instants it was found in.
    known_ts
        When the last of these rows was known, and so that something is wrong with them.
    """

    check_name: str
    level: str
    table_name: str
    start_ts: datetime
    end_ts: datetime | None
    source: str
    subject: str
    what: str
    rows: int
    known_ts: datetime

    @property
    def key(self) -> tuple[datetime, str, str, str, str]:
        """Return the grain of ``incidents``."""
        return self.start_ts, self.check_name, self.table_name, self.source, self.subject

    @property
    def stops(self) -> bool:
        """Return whether rows like these must not be published."""
        return self.level == STOP

    def __str__(self) -> str:
        about = "" if self.subject == "all" else f" {self.subject}"
        return (
            f"{self.check_name}: {self.table_name} of {self.source}{about} "
            f"at {self.start_ts:%Y-%m-%d %H:%M:%S}: {self.what}"
        )

    def as_incident(self, severity: str) -> dict[str, Any]:
        """Return it as a row of ``incidents``."""
        names = ("start_ts", "end_ts", "check_name", "table_name", "source", "subject")
        row = {name: getattr(self, name) for name in names}
        return row | {
            "severity": severity,
            "what": self.what,
            "rows": self.rows,
            "known_ts": self.known_ts,
        }


def settled(found: Iterable[Finding]) -> list[Finding]:
    """Return findings in order; those that share a key as one, in the words of the largest."""
    by_key: dict[tuple, Finding] = {}
    for one in found:
        other = by_key.get(one.key)
        if other is not None:
            worse = max(one, other, key=lambda each: (each.rows, each.what))
            one = replace(
                worse,
                rows=one.rows + other.rows,
                known_ts=max(one.known_ts, other.known_ts),
            )
        by_key[one.key] = one
    return [by_key[key] for key in sorted(by_key)]
