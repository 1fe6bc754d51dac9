"""This module is the shape of every verb that reads an archive.

List the files, say what reading them costs, refuse what is too dear, land what is left, note
what came of it, print.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.cli.options import day_range
from pipelines.cli.shown import show_landed
from warehouse.terminal import Progress, print_json, progress_bar, say

if TYPE_CHECKING:
    from pipelines.landed import Landed
    from pipelines.steps.cost import Plan
    from pipelines.steps.pull import Pull


class Asked(NamedTuple):
    """What every verb of an archive is given; see :func:`pipelines.cli.options`."""

    root: str
    lake: str
    since: datetime | None
    until: datetime | None
    max_usd: float
    again: bool
    plan_only: bool
    as_json: bool


Pulling = Callable[[str, date | None, date | None], "Pull"]
Landing = Callable[[str, str, date | None, date | None, Progress], "Landed | list[Landed]"]


def land_archive(
    source: str, asked: dict[str, Any], pulling: Pulling, landing: Landing
) -> None:
    """Plan, land and show what a verb was asked for.

    Parameters
    ----------
    source
        Name of the archive, as rows have it.
    asked
        The verb's options; their names are the fields of :class:`Asked`.
    pulling
        ``(root, since, until)`` -> the files that a landing would read.
    landing
        ``(root, lake, since, until, progress)`` -> what was landed.
    """
    from pipelines.landed import PartlyLanded
    from pipelines.steps.noted import noted

    given = Asked(**asked)
    since, until = day_range(given.since, given.until)
    spans = [(since, until)]
    check_lake(given.lake)
    # Listing a folder is for nothing, unless the plan is what was asked for.
    if given.plan_only or given.root.startswith("s3://"):
        from pipelines.steps.pull import spans as spans_of

        pull = pulling(given.root, since, until)
        left = list(pull.days) if given.again else pull.left(given.lake)
        plan = pull.plan(left)
        if given.plan_only:
            show_plan(plan, given.as_json)
            return
        say(str(plan.allow(given.max_usd)))
        if pull.days and not left:
            say("nothing is read; --again lands it anew")
        spans = spans_of(pull, left, since, until)
    landed: list[Landed] = []
    partly: list[PartlyLanded] = []
    with progress_bar(source) as progress:
        for first, end in spans:
            verb = partial(landing, given.root, given.lake, first, end, progress)
            try:
                landed = together(landed, noted(given.lake, source, first, verb, end))
            except PartlyLanded as error:
                landed = together(landed, error.landed)
                partly.append(error)
    show_landed(landed, given.as_json)
    if partly:
        raise partly[0]


def together(landed: "list[Landed]", more: "list[Landed]") -> "list[Landed]":
    """Return what was landed of each table, in the order in which tables came first."""
    by_table = {one.table: one for one in landed}
    for one in more:
        if one.table in by_table:
            by_table[one.table].add(one)
        else:
            by_table[one.table] = one
    return list(by_table.values())


def show_plan(plan: "Plan", as_json: bool) -> None:
    """Print a plan."""
    if as_json:
        columns = ("files", "bytes", "held", "usd")
        print_json(columns, [(plan.files, plan.bytes, plan.held, plan.usd)])
    else:
        say(str(plan))


def check_lake(lake: str) -> None:
    """Raise if a lake cannot be there, before anything is paid for.

    Raises
    ------
    NotADirectoryError
        If there is a file in its place.
    ValueError
        If the URL is of another kind.
    """
    from pathlib import Path

    from warehouse.store import Lake

    Lake.at(lake)
    if "://" in lake:
        return
    place = Path(lake)
    for folder in (place, *place.parents):
        if folder.exists():
            if not folder.is_dir():
                raise NotADirectoryError(f"lake {lake}: {folder} is a file, must be a folder")
            return
