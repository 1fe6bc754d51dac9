"""This module holds the command line's verbs that read the lake."""

import re
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from warehouse.terminal import print_json, print_table, say, short

if TYPE_CHECKING:
    from warehouse.ask import Answer

# Of a table for people; --json prints every row, and every column.
MOST_ROWS = 1000
# The findings of a study fill a screen; a table of them is read in beginnings.
MOST_TEXT = 100
COVERAGE_SHOWN = (
    "side",
    "band",
    "mapped_notional",
    "mapped_size",
    "positions",
    "venue_open_interest",
    "coverage",
)

lake_option = click.option(
    "--lake",
    default="data/lake",
    envvar="UNDERTOW_LAKE",
    show_default=True,
    show_envvar=True,
    help="Folder or s3:// URL of the lake.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print an array of objects, for programs."
)


def _moment_options(verb: Callable) -> Callable:
    """Add what every question about a coin at a moment takes."""
    for option in (
        json_option,
        lake_option,
        click.option(
            "--knowable", is_flag=True, help="Use only what had been published by then."
        ),
        click.option("--at", required=True, help="Moment, as 2026-02-05T12:00Z."),
        click.argument("coin"),
    ):
        verb = option(verb)
    return verb


def _print(columns: list[str], rows: list[tuple], as_json: bool) -> None:
    if as_json:
        print_json(columns, rows)
    else:
        print_table(columns, rows)


def _print_answer(answer: "Answer", as_json: bool) -> None:
    """Print an answer; people read what is the same in every row once, in the last line."""
    shared = set() if as_json else {"coin", "current_px", "snapshot_ts"}
    kept = [index for index, name in enumerate(answer.columns) if name not in shared]
    if answer.rows or as_json:
        rows = [tuple(row[index] for index in kept) for row in answer.rows]
        _print([answer.columns[index] for index in kept], rows, as_json)
    say(answer.basis)


def _is_long(value: object) -> bool:
    return isinstance(value, str | dict | list) and len(str(value)) > MOST_TEXT


@click.command()
@click.argument("query")
@lake_option
@json_option
def sql(query: str, lake: str, as_json: bool) -> None:
    """Run one SELECT over the lake; it can read the lake and nothing else."""
    from warehouse.sandbox import select

    # Nothing is written here, so Ctrl-C may end the process at once, even within a query.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    relation = select(lake, query)
    if as_json:
        print_json(relation.columns, relation.fetchall())
        return
    rows = relation.limit(MOST_ROWS + 1).fetchall()
    shown = [
        [short(str(value), MOST_TEXT) if _is_long(value) else value for value in row]
        for row in rows[:MOST_ROWS]
    ]
    print_table(relation.columns, shown)
    if any(_is_long(value) for row in rows[:MOST_ROWS] for value in row):
        say(f"texts are cut to {MOST_TEXT} characters; --json has them whole")
    if len(rows) > MOST_ROWS:
        say(f"… and more: the first {MOST_ROWS} rows are shown; ask for fewer, or for --json")


@click.command("map")
@_moment_options
@click.option(
    "--width", "width_pct", type=float, default=0.5, show_default=True, help="Bucket, per cent."
)
@click.option("--ticks", "width_px", type=float, help="Bucket, USD, in place of --width.")
def map_(
    coin: str,
    at: str,
    knowable: bool,
    lake: str,
    as_json: bool,
    width_pct: float,
    width_px: float | None,
) -> None:
    """Where a coin's leverage lay at a moment: notional by side and price."""
    from warehouse import ask, open_lake

    with open_lake(lake) as con:
        answer = ask.liquidation_map(con, coin, ask.moment(at), width_pct, knowable, width_px)
    _print_answer(answer, as_json)


@click.command()
@_moment_options
@click.option("--pct", default="5,10,15", show_default=True, help="Whole per cent, 1 to 50.")
def scenarios(coin: str, at: str, knowable: bool, lake: str, as_json: bool, pct: str) -> None:
    """What falls and rises by some per cent would have triggered."""
    from warehouse import ask, open_lake

    pcts = _pcts(pct)
    with open_lake(lake) as con:
        answer = ask.cascade_scenarios(con, coin, ask.moment(at), pcts, knowable)
    _print_answer(answer, as_json)


def _pcts(text: str) -> list[int]:
    """Read ``5,10,15``.

    >>> _pcts("5, 10")
    [5, 10]
    """
    parts = [part.strip() for part in text.split(",")]
    if wrong := [part for part in parts if not re.fullmatch("0?[1-9]|[1-4][0-9]|50", part)]:
        raise ValueError(
            f"--pct {', '.join(map(repr, wrong))} is not allowed; use whole numbers from 1 to "
            "50, with commas between them"
        )
    return [int(part) for part in parts]


@click.command()
@_moment_options
def coverage(coin: str, at: str, knowable: bool, lake: str, as_json: bool) -> None:
    """How much of the venue's open interest the map of a moment has seen."""
    from warehouse import ask, open_lake

    with open_lake(lake) as con:
        answer = ask.map_coverage(con, coin, ask.moment(at), knowable)
    if not as_json:
        answer = answer.of(COVERAGE_SHOWN)
    _print_answer(answer, as_json)
