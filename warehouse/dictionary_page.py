"""This module writes the data dictionary as a page of Markdown."""

import re
from collections.abc import Iterable, Sequence

from warehouse.dictionary_entries import LANDED, NONE, ColumnEntry, Entry
from warehouse.headers import HERE
from warehouse.lineage import ARGUMENT

HEAD = """\
<!-- Made by `make dictionary` from contracts and headers; a change by hand is lost. -->

# Data dictionary

Every table, view and macro that `warehouse.open_lake` shows, and what each column means. Times
are UTC with microseconds. `unit`: none of words, moments and whatever else is not measured.
`null`: what a missing value means; never: there always is one. `from`: landed, as its source
gave it or as the ledger has it; a formula over the table's other columns; the columns that it
is passed on from or made from; an argument of the call; or made here, of what the macro reads.

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
    if entry.kind == "macro":
        parts += [f"Gives: {_escaped(given(one))}.\n" for one in entry.columns]
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
    if entry.kind != "macro":
        columns = (
            (
                f"`{one.name}`",
                shorter(one.type),
                one.unit,
                one.says,
                one.null,
                _linked(one.origin, named),
            )
            for one in entry.columns
        )
        parts.append(_table(("column", "type", "unit", "what", "null", "from"), columns))
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


def given(value: ColumnEntry) -> str:
    """Return in words what a scalar macro gives.

    >>> given(ColumnEntry("value", "", "USD", "px is null", "lower edge", "made here"))
    'lower edge, USD; null: px is null'
    """
    unit = "" if value.unit == NONE else f", {value.unit}"
    return f"{value.says}{unit}; null: {value.null}"


def _linked(origin: str, named: set[str]) -> str:
    """Return where a column is from, with links where it is other columns.

    >>> _linked("fills.px", {"fills"}), _linked("argument coin", set())
    ('[fills.px](#fills)', 'argument `coin`')
    >>> _linked("abs(part.size) * part.mark_px", {"fills"})
    '`abs(part.size) * part.mark_px`'
    """
    if origin in {LANDED, HERE}:
        return origin
    if origin.startswith(ARGUMENT):
        return f"argument `{origin.removeprefix(ARGUMENT)}`"
    places = [(one, one.partition(".")[0]) for one in origin.split(", ")]
    if not all(relation in named for _, relation in places):
        return f"`{origin}`"
    return ", ".join(f"[{place}](#{relation})" for place, relation in places)


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
