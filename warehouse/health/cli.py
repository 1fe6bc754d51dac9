"""This module holds the command line's verbs that say whether the lake is whole and fresh."""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, progress_bar, say

DAY = click.DateTime(["%Y-%m-%d"])
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.command()
@click.option("--from", "since", type=DAY, help="First UTC day; the lake's first without it.")
@click.option("--to", "until", type=DAY, help="First UTC day not to look at; now without it.")
@click.option("--table", help="Only this table.")
@click.option("--source", help="Only this source.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if more is missing than facts explain."
)
@lake_option
@json_option
def gaps(
    since: datetime | None,
    until: datetime | None,
    table: str | None,
    source: str | None,
    strict: bool,
    lake: str,
    as_json: bool,
) -> None:
    """What should be in the lake and is not, and why."""
    from warehouse.health.gaps import EXCUSED, gaps_in, runs_of
    from warehouse.store import Lake

    _known(table, source)
    first, end = _day(since, "--from"), _day(until, "--to")
    if first and end and first >= end:
        raise ValueError(f"--from {first} must be before --to {end}, which is exclusive")
    found = [
        gap
        for gap in gaps_in(Lake.at(lake), datetime.now(UTC), first, end)
        if table in {None, gap.table_name} and source in {None, gap.source}
    ]
    columns = ("table", "source", "day", "reason", "missing", "there", "expected", "hours")
    if as_json:
        print_json((*columns, "why"), found)
    elif found:
        # Days in a row that lack the same are one line to a person.
        rows = [
            (
                *first[:2],
                f"{first.day}" if first is last else f"{first.day} to {last.day}",
                first.reason,
                first.missing * ((last.day - first.day).days + 1),
                hours_said(first.hours) or None,
                first.why,
            )
            for first, last in runs_of(found)
        ]
        print_table(("table", "source", "days", "reason", "missing", "hours", "why"), rows)
    open_ones = [gap for gap in found if gap.reason not in EXCUSED]
    batches = sum(gap.missing for gap in open_ones)
    say(
        f"gaps: {batches} batches missing on {len({gap.day for gap in open_ones})} days; "
        f"{sum(gap.missing for gap in found) - batches} more are known holes or not published"
    )
    if strict and open_ones:
        click.get_current_context().exit(1)


@click.command()
@click.option(
    "--freshness", is_flag=True, help="How old the newest rows are, not what they say."
)
@click.option(
    "--files",
    is_flag=True,
    help="Whether each file is there and has the bytes that were landed; reads them all.",
)
@click.option("--max-age", help="How old they may be, as 26h; by source without it.")
@click.option("--from", "since", type=DAY, help="First UTC day to check.")
@click.option("--to", "until", type=DAY, help="First UTC day not to check.")
@click.option("--table", help="Only this table; with --freshness or --files.")
@lake_option
@json_option
def check(
    freshness: bool,
    files: bool,
    max_age: str | None,
    since: datetime | None,
    until: datetime | None,
    table: str | None,
    lake: str,
    as_json: bool,
) -> None:
    """Whether rows are what they must be, or with --freshness as new as they should be."""
    if freshness and files:
        raise click.UsageError("--freshness and --files are two questions: ask one")
    if files and not max_age:
        _check_files(lake, _day(since, "--from"), _day(until, "--to"), table, as_json)
    elif freshness:
        if since or until:
            raise click.UsageError("--freshness is of now: without --from and --to")
        _check_freshness(lake, None if max_age is None else span(max_age), table, as_json)
    elif max_age or table:
        raise click.UsageError("--max-age goes with --freshness, --table with that or --files")
    else:
        _check_rows(lake, _day(since, "--from"), _day(until, "--to"), as_json)


def _check_rows(lake: str, since: date | None, until: date | None, as_json: bool) -> None:
    """Print what the checks find and note it as incidents; exit with 1 if any would stop."""
    from warehouse.checks import note_findings, run_checks
    from warehouse.marts.refresh import days_of
    from warehouse.store import Lake
    from warehouse.store.files import lost_files
    from warehouse.store.ledger import parts_of

    with progress_bar("check") as progress:
        found = run_checks(lake, since, until, progress=progress)
    note_findings(lake, found, since, until, None, lambda: datetime.now(UTC))
    if as_json:
        rows = [one.as_incident(one.level) for one in found]
        names = list(rows[0]) if rows else []
        print_json(names, [tuple(row.values()) for row in rows])
    elif found:
        # A check that fails for every coin of every snapshot is one line to a person.
        by_check: dict[tuple[str, str, str, str], list] = {}
        for one in found:
            key = one.level, one.check_name, one.table_name, one.source
            by_check.setdefault(key, []).append(one)
        summed = [
            (*key, len(some), some[0].subject, some[0].start_ts, some[0].what)
            for key, some in sorted(by_check.items())
        ]
        columns = ("level", "check", "table", "source", "findings", "subject", "start_ts")
        print_table((*columns, "what"), summed)
    stops = sum(one.stops for one in found)
    say(f"check: {stops} findings that stop a landing, {len(found) - stops} warnings")
    stale, current = days_of(parts_of(Lake.at(lake)))
    if stale:
        say(
            f"check: maps of {current} of {current + len(stale)} days are binned ahead and "
            f"current, {stale[0]} is the first that is not: they are made from the rows, which "
            "takes longer, until undertow marts"
        )
    elif current:
        say(f"check: maps of all {current} days are binned ahead and current")
    lost = lost_files(Lake.at(lake))
    if lost:
        say(
            f"check: {len(lost)} files that the ledger lists are gone, {lost[0].path} the "
            "first, and were not checked: see undertow check --files"
        )
    if stops or lost:
        click.get_current_context().exit(1)


def _check_files(
    lake: str, since: date | None, until: date | None, table: str | None, as_json: bool
) -> None:
    """Print the files that are not as they must be; exit with 1 if one is."""
    from warehouse.contracts.tables import TABLES
    from warehouse.store import Lake
    from warehouse.store.files import DAMAGED, LOST, bad_files

    names = [one.name for one in TABLES]
    if table not in {None, *names}:
        raise ValueError(f"--table {table} is not known; known are {', '.join(names)}")
    with progress_bar("files") as progress:
        found, looked = bad_files(Lake.at(lake), since, until, table, progress)
    columns = ("table", "day", "state", "path", "rows", "parts")
    if as_json:
        rows = [
            (one.table_name, one.day, one.state, one.path, one.rows, list(one.parts))
            for one in found
        ]
        print_json(columns, rows)
    elif found:
        told = [
            (one.table_name, one.day, one.state, one.path, one.rows, _first(one.parts))
            for one in found
        ]
        print_table(columns, told)
    lost, damaged = (sum(one.state == state for one in found) for state in (LOST, DAMAGED))
    again = ": landing their batches again puts them back" if found else ""
    unheard = len(found) - lost - damaged
    coins = f", {unheard} tell of coins that the lake does not know" if unheard else ""
    say(f"check: of {looked} files {lost} are lost, {damaged} damaged{coins}{again}")
    if found:
        click.get_current_context().exit(1)


def _first(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are.

    >>> _first(["a"]), _first(["a", "b", "c"])
    ('a', 'a and 2 more')
    """
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _check_freshness(
    lake: str, max_age: timedelta | None, table: str | None, as_json: bool
) -> None:
    """Print how old each source's rows are; if one is stale, tell the webhook and exit 1."""
    from warehouse.health.alarms import WEBHOOK, AlarmError, post_alarm
    from warehouse.health.freshness import ages_in, alarm_of, hours, sentence_of, state_of
    from warehouse.store import Lake

    _known(table, None)
    now, place = datetime.now(UTC), Lake.at(lake)
    ages = [age for age in ages_in(place, now, max_age) if table in {None, age.table_name}]
    columns = ("table", "source", "newest_ts", "age_hours", "allowed_hours", "complete_day")
    rows = [
        (
            age.table_name,
            age.source,
            age.newest_ts,
            hours(age.age),
            hours(age.allowed),
            age.complete_day,
            state_of(age),
        )
        for age in ages
    ]
    if as_json:
        print_json((*columns, "state"), rows)
    elif rows:
        print_table((*columns, "state"), rows)
    alarm = alarm_of(ages, place, now)
    if alarm is None:
        return
    for age in ages:
        if age.stale:
            say(f"stale: {sentence_of(age)}")
    if not ages:
        say(f"stale: {table or 'the lake'} holds nothing that could be fresh")
    if url := os.environ.get(WEBHOOK):
        try:
            post_alarm(url, alarm)
        except AlarmError as error:
            say(str(error))
    click.get_current_context().exit(1)


def span(text: str) -> timedelta:
    """Read ``26h``, ``90m`` or ``2d``.

    Raises
    ------
    ValueError
        If it is none of these, or 0.

    >>> str(span("26h"))
    '1 day, 2:00:00'
    """
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text.strip(), re.ASCII)
    if match is None or not int(match[1]):
        raise ValueError(f"--max-age {text!r} is not allowed; use 90m, 26h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def hours_said(hours: Iterable[int]) -> str:
    """Return hours as people read them.

    >>> hours_said((0, 1, 2, 7, 22, 23))
    '0–2, 7, 22–23'
    """
    runs: list[list[int]] = []
    for hour in hours:
        if runs and runs[-1][-1] == hour - 1:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _known(table: str | None, source: str | None) -> None:
    """Raise if a name is no table or source that has a cadence: a typo must not look whole."""
    from warehouse.health.cadences import cadences

    tables = sorted({name for one in cadences() for name in one.tables})
    sources = sorted({one.source for one in cadences()})
    for option, given, names in (("--table", table, tables), ("--source", source, sources)):
        if given is not None and given not in names:
            raise ValueError(f"{option} {given} is not known; known are {', '.join(names)}")


def _day(moment: datetime | None, option: str) -> date | None:
    if moment is not None and not 2000 <= moment.year < 2200:
        raise ValueError(f"{option} {moment.date()}: years are 2000 to 2199")
    return moment and moment.date()
