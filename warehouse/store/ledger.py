"""This module keeps the ledger: which parts the lake holds, from where, and since when.

A part counts once the ledger lists it, so replacing ``_ledger/parts.parquet`` makes all parts
of a batch appear in one step, whatever was killed when.  Lines of days that rest lie in pages
beside it (:mod:`warehouse.store.book`).  A batch that its source corrects becomes a new
revision beside the old one, which the ledger keeps with the time it was superseded: what was
knowable before stays as it was.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.ledger import PARTS
from warehouse.store.book import Book, Reader
from warehouse.store.lake import Lake
from warehouse.store.parts import is_shared, path_of

LINES = Book(PARTS)


class Origin(NamedTuple):
    """What rows were read from; no hash: an answer of a service, not a file."""

    url: str
    size: int | None = None
    hash: str | None = None

    @classmethod
    def of(cls, url: str, body: bytes | None = None) -> "Origin":
        """Return the origin of ``body``; what may be a secret in the URL is left out.

        >>> Origin.of("https://me:key@vendor.example/fills?token=t", b"x")[:2]
        ('https://vendor.example/fills', 1)
        """
        if "://" in url:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2]
            url = urlunsplit((parts.scheme, host, parts.path, "", ""))
        if body is None:
            return cls(url)
        return cls(url, len(body), hashlib.sha256(body).hexdigest())


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the ledger; its fields are the columns of the contract ``parts``."""

    table_name: str
    day: date
    part: str
    revision: int
    path: str
    source: str | None
    origins: tuple[Origin, ...]
    bytes: int
    hash: str
    rows: int
    min_ts: datetime
    max_ts: datetime
    known_ts: datetime | None
    contract: int
    code: str
    received_ts: datetime
    since_ts: datetime | None = None
    superseded_ts: datetime | None = None

    @property
    def key(self) -> tuple[str, date, str]:
        """Return what its revisions share."""
        return self.table_name, self.day, self.part

    @property
    def compacted(self) -> bool:
        """Return whether its rows lie in one file with those of other parts."""
        return is_shared(self.path)

    @property
    def other_path(self) -> str:
        """Return where its own bytes lie if the place of its name is taken, or was."""
        return path_of(self.table_name, self.day, self.part, self.revision, self.hash)


@cache
def code_version() -> str:
    """Return the version of undertow that runs."""
    return version("undertow")


def parts_of(lake: Lake, days: Collection[date] | None = None) -> pa.Table:
    """Return the ledger: one row a part, columns as in the contract ``parts``, in no order.

    Parameters
    ----------
    lake
        Whose ledger.
    days
        Only parts of these UTC days, which is cheap however old the lake is; all without.
    """
    return LINES.read(lake, days)


def as_parts(rows: pa.Table) -> list[Part]:
    """Return rows of the ledger as objects."""
    return [
        Part(**row | {"origins": tuple(Origin(**one) for one in row["origins"])})
        for row in rows.to_pylist()
    ]


def change(
    lake: Lake,
    keys: Sequence[tuple[str, date, str]],
    how: Callable[[list[Part]], Iterable[Part]],
    agreed: Callable[[Reader], None] | None = None,
) -> None:
    """Replace the lines of some parts by what ``how`` makes of them, as one step.

    Parameters
    ----------
    lake
        Whose ledger.
    keys
        Table, day and name of the parts that change.
    how
        Takes their lines, all revisions, and those of parts that share a file with them;
        returns the lines that take their place.  Called again if somebody else wrote first.
    agreed
        See :meth:`warehouse.store.book.Book.change`.
    """
    wanted = pa.array([_joined(*key) for key in keys], pa.string())

    def replaced(held: pa.Table) -> pa.Table | None:
        names = pc.binary_join_element_wise(
            held["table_name"], held["day"].cast(pa.string()), held["part"], "/"
        )
        shared = held.filter(pc.is_in(names, wanted))["path"]
        touched = pc.or_(
            pc.is_in(names, wanted), pc.is_in(held["path"], shared.combine_chunks())
        )
        before = sorted(as_parts(held.filter(touched)), key=_place)
        after = sorted(how(before), key=_place)
        if after == before:
            return None
        rows = pa.Table.from_pylist([_row(part) for part in after], PARTS.schema)
        return pa.concat_tables([held.filter(pc.invert(touched)), PARTS.check(rows)])

    LINES.change(lake, {day for _, day, _ in keys}, replaced, agreed)


def _place(part: Part) -> tuple[str, date, str, int]:
    return *part.key, part.revision


def _joined(table: str, day: date, part: str) -> str:
    return f"{table}/{day:%Y-%m-%d}/{part}"


def _row(part: Part) -> dict:
    return asdict(part) | {"origins": [one._asdict() for one in part.origins]}
