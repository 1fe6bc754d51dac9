"""This module writes the data dictionary as a page of Markdown."""

import re
from collections.abc import Iterable, Sequence

from warehouse.dictionary import Entry

HEAD = """\
<!-- Made by `make dictionary` from contracts and headers; a change by hand is lost. -->

# Data dictionary

Every table, view and macro that `warehouse.open_lake` shows, and what each column means. Times
are UTC with microseconds. `null` says what a missing value means; "never": there always is one.
Where a column's unit comes from a table that it is passed on from, `from` names it.

Every table `T` has a view `T_versions` too: all that it ever said, with what a correction
replaced, and two columns more: `since_ts` (of a correction: when it could be known; null: known
as its rows say) and `superseded_ts` (when a correction took its place; null: it counts today).
`T` shows what counts today; the macro [`stands`](#stands) says what counted at a moment.
Reasons and worked examples are in [definitions.md](definitions.md).
"""
KINDS = {
    "table": "Tables",
    "view": "Views",
    "table macro": "Table macros",
    "macro": "Scalar macros",
}
ABOUT = {
    "table": "What is landed, and what the ledger tells of it.",
    "view": "What follows from the tables.",
    "table macro": "Questions: `from liquidation_map('BTC', timestamptz '2026-02-05T12:00Z')`.",
    "macro": "Functions that give one value.",
}


def page(entries: Sequence[Entry]) -> str:
    """Return the dictionary as Markdown: an index, then a section for each relation and macro.

    Parameters
    ----------
    entries
        As :func:`warehouse.dictionary.dictionary` gives them.
    """
    named = {entry.name for entry in entries}
    parts = [HEAD]
    for kind, title in KINDS.items():
        rows = (
            (f"[{one.name}](#{one.name})", one.grain, first_sentence(one.purpose))
            for one in entries
            if one.kind == kind
        )
        parts.append(f"**{title}.** {ABOUT[kind]}\n")
        parts.append(_table(("name", "one row per", "what"), rows))
    for kind, title in KINDS.items():
        parts.append(f"## {title}\n")
        parts += [section(one, named) for one in entries if one.kind == kind]
    return "\n".join(parts).rstrip() + "\n"


def section(entry: Entry, named: set[str]) -> str:
    """Return the section of one entry; ``named`` are those to which a link leads."""
    parts = [f"### {entry.name}\n", f"{_escaped(entry.purpose)}\n"]
    facts = []
    if entry.grain:
        facts.append(f"One row per: {entry.grain}.")
    if entry.reads:
        links = (f"[{one}](#{one})" if one in named else one for one in entry.reads)
        facts.append(f"Reads: {', '.join(links)}.")
    if facts:
        parts.append(f"{' '.join(facts)}\n")
    if entry.units:
        parts.append(f"Units: {_escaped(entry.units)}.\n")
    if entry.parameters:
        rows = (
            (
                f"`{one.name}`",
                f"`{one.default}`" if one.default else "must be given",
                one.says,
            )
            for one in entry.parameters
        )
        parts.append(_table(("parameter", "default", "what"), rows))
    if entry.columns:
        columns = (
            (
                f"`{one.name}`",
                shorter(one.type),
                one.unit,
                one.null,
                one.says,
                f"`{one.origin}`" if one.origin else "",
            )
            for one in entry.columns
        )
        parts.append(_table(("column", "type", "unit", "null", "what", "from"), columns))
    return "\n".join(parts)


def first_sentence(text: str) -> str:
    r"""Return the first sentence of a text.

    >>> first_sentence("What lay where, e.g. here.  More\nof it.")
    'What lay where, e.g. here.'
    """
    return re.split(r"(?<=[.:])\s{2,}|\n\n|(?<=[.])\s(?=[A-Z])", text.strip())[0].replace(
        "\n", " "
    )


def shorter(kind: str) -> str:
    """Return the name of a type as one writes it.

    >>> shorter("TIMESTAMP WITH TIME ZONE"), shorter("DOUBLE")
    ('timestamptz', 'double')
    """
    return kind.lower().replace("timestamp with time zone", "timestamptz")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; columns that no row has anything in are left out."""
    held = [[_escaped(cell) for cell in row] for row in rows]
    kept = [nth for nth in range(len(head)) if any(row[nth] for row in held)]
    lines = [[head[nth] for nth in kept], ["---"] * len(kept)]
    lines += [[row[nth] for nth in kept] for row in held]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _escaped(text: str) -> str:
    """Return text whose signs Markdown leaves alone."""
    return (
        text.replace("|", "\\|").replace("<", "&lt;")
        if "`" not in text
        else text.replace("|", "\\|")
    )
