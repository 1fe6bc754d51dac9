"""This module reads what the lake is checked for, one ``.sql`` file a check.

A file is a bare select after a header: what it checks, ``-- check: stop`` or ``warn``, the
table it is about and the tables it reads.  The name of the file is a sentence that is true of
sound rows.  It reads days in ``[getvariable('since'), getvariable('until'))``, of neighbours at
most the day before and the day after, and returns the columns of a
:class:`~warehouse.checks.finding.Finding`, ``start_ts`` within that window, so that the same is
found whatever days are checked together.  ``getvariable('overlapping')`` are the days on which
two parts of its table may hold the same row.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

FOLDER = files("warehouse") / "sql" / "checks"
STOP, WARN = "stop", "warn"


class Check(NamedTuple):
    """One check, as its file says it."""

    name: str
    level: str  # STOP: what fails is not published; WARN: it is, with an incident
    table: str
    reads: tuple[str, ...]
    purpose: str
    query: str


@cache
def checks() -> tuple[Check, ...]:
    """Return all checks, in order of name."""
    found = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".sql"))
    return tuple(
        parsed(name.removesuffix(".sql"), (FOLDER / name).read_text()) for name in found
    )


def chosen(names: Iterable[str] | None) -> tuple[Check, ...]:
    """Return the checks of these names; all without.

    Raises
    ------
    ValueError
        If there is none of a name.
    """
    if names is None:
        return checks()
    known = {check.name: check for check in checks()}
    wanted = list(names)
    if odd := [name for name in wanted if name not in known]:
        raise ValueError(f"check {odd[0]!r}: must be one of {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def parsed(name: str, text: str) -> Check:
    """Return the check that a file holds.  Pure.

    Raises
    ------
    ValueError
        If its header lacks something.

    >>> lines = "-- A is B.", "--", "-- check: warn", "-- table: t", "-- reads: t, u", "from t"
    >>> made = parsed("a_is_b", chr(10).join(lines))
    >>> made.level, made.reads, made.purpose, made.query
    ('warn', ('t', 'u'), 'A is B.', 'from t')
    """
    lines = text.splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = [line.removeprefix("--").strip() for line in lines[:count]]
    said = {}
    for key in ("check", "table", "reads"):
        given = [line for line in header if line.startswith(f"{key}: ")]
        if len(given) != 1:
            raise ValueError(f"{name}.sql: its header must have one line `-- {key}: …`")
        header.remove(given[0])
        said[key] = given[0].removeprefix(f"{key}: ")
    if said["check"] not in (STOP, WARN):
        raise ValueError(f"{name}.sql: check must be stop or warn, is {said['check']}")
    reads = tuple(part.strip() for part in said["reads"].split(","))
    query = "\n".join(lines[count:]).strip().rstrip(";")
    return Check(name, said["check"], said["table"], reads, "\n".join(header).strip(), query)
