"""This module says what a landing did, in numbers that a person or a program can read."""

from dataclasses import dataclass, field
from typing import Any

from pipelines.sources.errors import SourceError
from warehouse.store.asks import Ask


class PartlyLanded(SourceError):
    """Some files could not be landed; what the others hold is in the lake.

    Attributes
    ----------
    landed
        What was landed, and in ``asked`` what was not.
    """

    def __init__(self, message: str, landed: "list[Landed]") -> None:
        super().__init__(message, landed)  # all of it, so that another process can tell it
        self.landed = landed

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


@dataclass(slots=True)
class Landed:
    """What one verb of the pipeline put into the lake.

    Attributes
    ----------
    table
        Table that was written.
    files
        Where its parts lie: paths, or URLs of a bucket.
    rows
        Rows in them.
    duplicates
        Rows the source gave more than once and that were landed once.
    unknown_fields
        Field the adapter does not know -> how often it came; tolerated, never lost in silence.
    gaps
        What should have been there and was not, one sentence each.
    notes
        What else a reader of the result should know, one sentence each.
    asked
        What the source was asked for and what came of it, for the ledger; see
        :class:`warehouse.store.asks.Ask`.
    """

    table: str
    files: list[Any] = field(default_factory=list)
    rows: int = 0
    duplicates: int = 0
    unknown_fields: dict[str, int] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)

    def add(self, other: "Landed") -> None:
        """Take over the numbers of ``other``, which is of the same table."""
        self.files += other.files
        self.rows += other.rows
        self.duplicates += other.duplicates
        for name, count in other.unknown_fields.items():
            self.unknown_fields[name] = self.unknown_fields.get(name, 0) + count
        self.gaps += other.gaps
        self.asked += other.asked
        self.notes += [note for note in other.notes if note not in self.notes]
