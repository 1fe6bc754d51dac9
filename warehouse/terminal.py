"""This module prints rows for people and for programs, and shows how far long work is."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

Progress = Callable[[str, int, int], None]


def plain(value: object) -> object:
    """Return ``value`` as JSON can hold it: instants in ISO 8601 UTC, no NaN.

    >>> from datetime import timedelta, timezone
    >>> plain(datetime(2026, 2, 5, 13, tzinfo=timezone(timedelta(hours=1))))
    '2026-02-05T12:00:00Z'
    >>> plain(float("nan")) is None
    True
    """
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return plain(float(value))
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def print_json(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as an array of objects, one a line, column names as keys.

    Raises
    ------
    ValueError
        If two columns share a name, of which an object could hold only one.
    """
    if twice := sorted({name for name in columns if list(columns).count(name) > 1}):
        raise ValueError(f"two columns are named {twice[0]}; name them apart with `as`")
    lines = (
        json.dumps(dict(zip(columns, map(plain, row), strict=True)), ensure_ascii=False)
        for row in rows
    )
    sys.stdout.write("[" + ",\n ".join(lines) + "]\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str | None = None
) -> None:
    """Print rows as a table; numbers to the right, missing values as a dash."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, caption=caption and escape(caption), caption_justify="left"
    )
    for index, name in enumerate(columns):
        numbers = any(_is_number(row[index]) for row in rows)
        table.add_column(escape(name), justify="right" if numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row))
    # Every column gets the room it needs: a terminal wraps a long line better than columns of
    # two letters can be read, and a pipe has no width.
    needed = Console(width=10_000).measure(table).maximum
    Console(highlight=False, width=max(80, needed), soft_wrap=True).print(table)


def short(text: str, most: int) -> str:
    r"""Return a text on one line, cut to ``most`` characters.

    >>> short("No edge is shown", 10), short("one\ntwo", 10)
    ('No edge i…', 'one two')
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if value.tzinfo else str(value)
    return f"{value:,}" if _is_number(value) else str(value)


def say(text: str) -> None:
    """Print a line for the person, beside the rows and not among them."""
    sys.stderr.write(text + "\n")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Show how far long work is, on a terminal; elsewhere say nothing.

    Yields a function of what is being done, how many are done, and of how many.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, now="")

        def at(now: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, now=now)

        yield at
