"""This module reads what the header of a view or macro says: purpose, grain, reads, units."""

import re
from collections.abc import Collection
from typing import NamedTuple

KEYS = ("grain", "reads", "units")
# "a, b and c are USD at …": names, then what is said of them.
SAYING = re.compile(
    r"^(?P<names>[a-z_0-9]+(?:(?:, | and |, and )[a-z_0-9]+)*) "
    r"(?P<verb>is|are|has|have|says|counts|names)\b\s*(?P<what>.*)$"
)
# What a unit begins with, where something said begins with one.
UNITS = re.compile(
    r"^(?:in |an? )?(USD|coins?|per cent|hours|minutes|seconds|fractions?|shares?)\b"
    r"( (?:a|an|per) (?:minute|hour|day))?"
)
# "as positions_at", "the others as the view liquidations": whose words hold here too.
ALIKE = re.compile(r"(?:^|; )(?:the others )?as (?:the view )?([a-z_0-9]+)")
NULL = re.compile(
    r"(?:^|[,;] )(?:and )?null(?:: | (?=where|while|if|unless|until|beyond|without))"
)


class Header(NamedTuple):
    """What a header says.

    Attributes
    ----------
    purpose
        Its paragraphs in words, those after the keys too.
    grain
        What identifies a row; empty of a scalar.
    reads
        Relations and macros that it reads, in the order in which it names them.
    units
        What it says of units and of null, as one text.
    """

    purpose: str
    grain: str
    reads: tuple[str, ...]
    units: str


def header(comment: str) -> Header:
    r"""Read the comment of a view or macro.

    >>> said = header("One row a coin.\n\ngrain: coin\nreads: a, b\nunits: x is USD;\n"
    ...               "       y is coins\n\nMore.")
    >>> said.purpose, said.reads, said.units
    ('One row a coin.\n\nMore.', ('a', 'b'), 'x is USD; y is coins')
    """
    prose: list[str] = []
    found = dict.fromkeys(KEYS, "")
    now = None
    for line in comment.splitlines():
        key, colon, rest = line.partition(": ")
        if colon and key in KEYS:
            now = key
            found[now] = rest.strip()
        elif now and line.strip():
            found[now] += f" {line.strip()}"
        else:
            now = None
            prose.append(line)
    purpose = re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip()
    reads = tuple(name.strip() for name in found["reads"].split(",") if name.strip())
    return Header(purpose, found["grain"], reads, found["units"])


def sayings(units: str, columns: Collection[str]) -> dict[str, str]:
    """Return what a text of units says of single columns: column -> words.

    >>> sayings("a and b are USD, c too; null: not known; d is coins; the others as x", "abd")
    {'a': 'USD, c too; null: not known', 'b': 'USD, c too; null: not known', 'd': 'coins'}
    """
    out: dict[str, str] = {}
    now: list[str] = []
    for part in units.split("; "):
        told = SAYING.match(part)
        names = re.split(r", and |, | and ", told["names"]) if told else []
        if told and set(names) & set(columns):
            now = [name for name in names if name in columns]
            what = told["what"]
            if told["verb"] not in {"is", "are"}:
                what = f"{told['verb']} {what}"
            for name in now:
                out[name] = f"{out[name]}; {what}" if name in out else what
        elif part.startswith("null"):
            for name in now:
                out[name] += f"; {part}"
        else:
            now = []
    return out


def alike(units: str) -> tuple[str, ...]:
    """Return the relations whose words a text of units says hold here too.

    >>> alike("ts is the moment asked for; the others as positions_at")
    ('positions_at',)
    """
    return tuple(ALIKE.findall(units))


def unit_of(words: str) -> str:
    """Return the unit that something said begins with; empty: none.

    >>> unit_of("USD at liquidation_px, where it closes"), unit_of("a fraction an hour")
    ('USD', 'fraction an hour')
    """
    told = UNITS.match(words)
    if not told:
        return ""
    one = {"coins": "coin", "fractions": "fraction", "share": "fraction", "shares": "fraction"}
    return one.get(told[1], told[1]) + (told[2] or "")


def unit_by_name(name: str) -> str:
    """Return the unit that a column's name says by itself; empty: none.

    The words are the design's: px is USD, size coins, notional USD, pct per cent.

    >>> unit_by_name("liquidation_px"), unit_by_name("risk_pct"), unit_by_name("coin")
    ('USD', 'per cent', '')
    """
    last = name.rpartition("_")[2]
    units = {"px": "USD", "notional": "USD", "size": "coin", "pct": "per cent"}
    units |= {"hours": "hours", "seconds": "seconds", "share": "fraction"}
    return units.get(last, "")


def parted(words: str) -> tuple[str, str]:
    """Return what is said, and what null means.

    >>> parted("USD at the mark; null: not given"), parted("px, null where nothing is; of all")
    (('USD at the mark', 'not given'), ('px; of all', 'where nothing is'))
    """
    told = NULL.search(words)
    if not told:
        return words, ""
    null, _, rest = words[told.end() :].partition("; ")
    return "; ".join(part for part in (words[: told.start()], rest) if part), null
