"""This module holds the command line's verb that prints the data dictionary."""

import difflib

import click

from warehouse.dictionary import dictionary
from warehouse.dictionary_entries import Entry
from warehouse.dictionary_page import first_sentence, given, page, shorter
from warehouse.terminal import print_json, print_table, say


@click.command(name="dictionary")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects.")
@click.option("--markdown", is_flag=True, help="Print the page docs/dictionary.md.")
def dictionary_(name: str | None, as_json: bool, markdown: bool) -> None:
    """Print what every table, view and macro holds, or all about the one of NAME."""
    entries = dictionary()
    if name is not None:
        entries = [_named(entries, name)]
    if markdown:
        click.echo(page(entries), nl=False)
    elif as_json:
        print_json(Entry._fields, [_plain(entry) for entry in entries])
    elif name is None:
        rows = [(one.name, one.kind, one.grain, first_sentence(one.purpose)) for one in entries]
        print_table(("name", "kind", "one row per", "what"), rows)
        say("undertow dictionary NAME says all about one of them")
    else:
        _show(entries[0])


def _named(entries: list[Entry], name: str) -> Entry:
    by_name = {entry.name: entry for entry in entries}
    if name not in by_name:
        near = difflib.get_close_matches(name, by_name, n=3, cutoff=0.5)
        hint = ", ".join(near) or "undertow dictionary lists them all"
        raise click.ClickException(f"{name!r} is no table, view or macro; near it: {hint}")
    return by_name[name]


def _plain(entry: Entry) -> tuple:
    columns = [one._asdict() for one in entry.columns]
    given = [one._asdict() for one in entry.parameters]
    return tuple(entry._replace(columns=columns, parameters=given))


def _show(entry: Entry) -> None:
    click.echo(f"{entry.name} ({entry.kind})\n\n{entry.purpose}\n")
    for title, text in (
        ("one row per", entry.grain),
        ("reads", ", ".join(entry.reads)),
    ):
        if text:
            click.echo(f"{title}: {text}")
    if entry.parameters:
        rows = [
            (one.name, one.default or "must be given", one.says) for one in entry.parameters
        ]
        print_table(("parameter", "default", "what"), rows)
    if entry.kind == "macro":
        click.echo("".join(f"gives: {given(one)}" for one in entry.columns))
        return
    rows = [
        (one.name, shorter(one.type), one.unit, one.says, one.null, one.origin)
        for one in entry.columns
    ]
    print_table(("column", "type", "unit", "what", "null", "from"), rows)
