"""This module reads what the header of a view or macro says: purpose, grain, reads, columns.

A header says of every column what it is, one line each, or that it is another's::

    -- columns:
    --   from positions: account, size
    --   notional | USD | at the mark | it has no mark | positions.size, positions.mark_px

The parts are the name, the unit, what it is, what null means, and where it comes from.
``from`` passes columns on as they are; ``as`` says that they are made in the way of another's.
A scalar has one line ``-- gives: unit | what it is | what null means``.  What does not read so
is an error.
"""

import re
from typing import NamedTuple

KEYS = ("grain", "reads", "columns", "gives")
COLUMN = ("name", "unit", "what it is", "null", "from")
ALIKE = re.compile(r"(from|as) (\w+): (\w+(?:, \w+)*)")
VALUE, HERE = "value", "made here"


class HeaderError(ValueError):
    """A header does not say what it should, or not in the way it should."""


class Said(NamedTuple):
    """What a header says of one column.

    Attributes
    ----------
    unit
        ``none`` of a word, a moment and whatever else is not measured.
    null
        ``never``, or in words when it is null.
    origin
        ``table.column``, several with commas; ``argument name``; or ``made here``.
    """

    name: str
    unit: str
    says: str
    null: str
    origin: str


class Alike(NamedTuple):
    """Columns that are those of another relation: passed on, or made in the same way."""

    is_passed_on: bool
    relation: str
    columns: tuple[str, ...]


class Header(NamedTuple):
    """What a header says.

    Attributes
    ----------
    purpose
        Its paragraphs in words, those after the keys too.
    grain
        What identifies a row; empty of a scalar.
    reads
        Relations and table macros that it reads, in the order in which it names them.
    columns, alike
        What it says of columns; of a scalar one column, ``value``.
    """

    purpose: str
    grain: str
    reads: tuple[str, ...]
    columns: tuple[Said, ...]
    alike: tuple[Alike, ...]


def header(name: str, comment: str) -> Header:
    r"""Read the comment of the view or macro ``name``.

    >>> said = header("m", "What lies there.\n\ngrain: coin\nreads: a, b\ncolumns:\n"
    ...               "  from a: coin\n  x | USD | what\n   it is | never | made here\n\nMore.")
    >>> said.purpose, said.reads, said.columns[0].says, said.alike[0].columns
    ('What lies there.\n\nMore.', ('a', 'b'), 'what it is', ('coin',))

    Raises
    ------
    HeaderError
        If a line of a column has other parts than it should.
    """
    prose: list[str] = []
    found: dict[str, list[str]] = {key: [] for key in KEYS}
    now = None
    for line in comment.splitlines():
        key, colon, rest = line.partition(":")
        if colon and key in KEYS:
            now = found[key]
            now.append(rest)
        elif now is not None and line.strip():
            now.append(line)
        else:
            now = None
            prose.append(line)
    said = [_said(name, line) for line in _entries(found["columns"][1:])]
    columns = [one for one in said if isinstance(one, Said)]
    if found["gives"]:
        text = f"{VALUE} | {_one_line(found['gives'])} | {HERE}"
        columns.append(_column(name, text))
    return Header(
        re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip(),
        _one_line(found["grain"]),
        tuple(_one_line(found["reads"]).split(", ")) if found["reads"] else (),
        tuple(columns),
        tuple(one for one in said if isinstance(one, Alike)),
    )


def _one_line(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _entries(lines: list[str]) -> list[str]:
    """Return entries: what is indented by more than two belongs to the line before.

    >>> _entries(["  a", "    b", "  c"])
    ['a b', 'c']
    """
    out: list[str] = []
    for line in lines:
        if out and line.startswith("   "):
            out[-1] += f" {line.strip()}"
        else:
            out.append(line.strip())
    return out


def _said(name: str, line: str) -> Said | Alike:
    if told := ALIKE.fullmatch(line):
        return Alike(told[1] == "from", told[2], tuple(told[3].split(", ")))
    return _column(name, line)


def _column(name: str, line: str) -> Said:
    parts = [part.strip() for part in line.split(" | ")]
    if len(parts) != len(COLUMN) or not all(parts):
        raise HeaderError(f"{name}.sql: a column is {' | '.join(COLUMN)}; found: {line}")
    return Said(*parts)
