"""Where the macros keep the future out: every comparison of a row's time, found by its form.

A guard is a call of ``stands``, or a row's time or day held below another moment.  Of each
there is the macro without it, which a test of the future must notice.
"""

import re
from typing import NamedTuple

from warehouse import catalog

MOMENT = r"(?:\w+\.\w++(?: [+-] \w+\.\w+)?+|\(\w+\.\w+ at time zone 'UTC'\)::date|\"at\")"
TIME = r"(?:\w+\.(?:\w+_ts|day)(?: \+ \w+\.\w+)?|known_ts|since_ts)"
BELOW = re.compile(rf"(?<!- ){TIME}\s+(?:<=|<)\s+{MOMENT}(?! [+-])")
SPAN = re.compile(
    rf"({TIME}) between ({MOMENT}|\(\w+\.\w+ - \w+\.\w+\)|\(\(.*\)::date)\s+and {MOMENT}"
)
# What came later is to be told apart here: without it, it is taken for known, or counts today.
REPLACED = re.compile(rf"coalesce\(superseded_ts > {MOMENT}, true\)")
UNKNOWN = re.compile(r"\w+\.known_ts > \w+\.\w+_asked")
CALL = "stands("


class Guard(NamedTuple):
    """A part of a macro's text, and what stands there when it is gone."""

    made: catalog.Definition
    start: int
    end: int
    text: str
    instead: str
    nth: int  # of the guards of the macro

    @property
    def name(self):
        return f"{self.made.name} {self.nth}: {self.text}"

    @property
    def without(self):
        """The definition of the macro that lacks it."""
        body = self.made.body
        return self.made._replace(body=body[: self.start] + self.instead + body[self.end :])


def guards():
    """Return every guard of every macro, in order of their texts."""
    return [guard for made in catalog.definitions() for guard in _of(made)]


def _of(made):
    found = []
    body = re.sub(r"--.*", lambda line: " " * len(line[0]), made.body)
    start = body.find(CALL)
    while start >= 0:
        end = _closed(body, start + len(CALL))
        found.append((start, end, "true"))
        start = body.find(CALL, end)
    found += [(one.start(), one.end(), "true") for one in BELOW.finditer(body)]
    found += [
        (one.start(), one.end(), instead)
        for form, instead in ((REPLACED, "superseded_ts is null"), (UNKNOWN, "false"))
        for one in form.finditer(body)
    ]
    found += [(one.start(), one.end(), f"{one[1]} >= {one[2]}") for one in SPAN.finditer(body)]
    return [
        Guard(made, start, end, " ".join(body[start:end].split()), instead, nth)
        for nth, (start, end, instead) in enumerate(sorted(found))
    ]


def _closed(body, at):
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(body[at], 0)
        at += 1
    return at
