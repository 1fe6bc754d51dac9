"""This module holds the command line's verbs that run jobs: hourly, nightly, backfill."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import DAY, MAX_USD, day_range, utc_day
from pipelines.cli.pulling import check_lake
from pipelines.cli.shown import show_landed
from warehouse.cli import json_option
from warehouse.terminal import progress_bar, say

if TYPE_CHECKING:
    from pipelines.settings import Settings

plain_option = click.option(
    "--plain", is_flag=True, help="Without Prefect: no retries, no server."
)


def settings_options(verb: Callable) -> Callable:
    """Add what tells a job where to read; it is handed to the verb as ``settings``."""

    def with_settings(
        settings: Path | None,
        roots: tuple[str, ...],
        lake: str | None,
        url: str | None,
        leaderboard: str | None,
        simulated: bool,
        **others: Any,
    ) -> None:
        from pipelines.jobs.watched import Watch

        with Watch(verb.__name__):  # a job whose settings went wrong calls too
            chosen = _settings(settings, roots, lake, url, leaderboard, simulated)
            check_lake(chosen.lake)
        verb(settings=chosen, **others)

    with_settings.__doc__ = verb.__doc__
    with_settings.__name__ = verb.__name__
    given: Callable = with_settings
    for option in (
        click.option("--simulated", is_flag=True, help="The venue is a simulated one."),
        click.option("--leaderboard", help="Where the venue's accounts are listed."),
        click.option("--url", help="The venue's API; without it and [venue], it is not asked."),
        click.option(
            "--lake",
            envvar="UNDERTOW_LAKE",
            show_envvar=True,
            help="Folder or s3:// URL of the lake.  [default: the settings', or data/lake]",
        ),
        click.option(
            "--root",
            "roots",
            multiple=True,
            metavar="SOURCE=PLACE",
            help="An archive to read: reservoir=s3://hydromancer-reservoir; may be repeated.",
        ),
        click.option(
            "--settings",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="TOML file: roots, venue, schedule; see pipelines/settings.py.",
        ),
    ):
        given = option(given)
    for option in getattr(verb, "__click_params__", []):
        given.__click_params__.append(option)  # type: ignore[attr-defined]
    return given


def _now() -> datetime:
    return datetime.now(UTC)


def _settings(
    file: Path | None,
    roots: tuple[str, ...],
    lake: str | None,
    url: str | None,
    leaderboard: str | None,
    simulated: bool,
) -> "Settings":
    """Return the settings of the file, with what was said on the command line over them."""
    from pipelines.settings import Settings, SettingsError, Venue, read_settings

    settings = read_settings(file) if file else Settings()
    named = dict(settings.roots)
    for text in roots:
        name, given, place = text.partition("=")
        if not (given and name and place):
            raise SettingsError(f"--root {text}: must be SOURCE=PLACE")
        named[name] = place
    venue = settings.venue
    if url or leaderboard or simulated:
        said = {"url": url, "leaderboard": leaderboard, "simulated": simulated or None}
        venue = replace(
            venue or Venue(), **{key: value for key, value in said.items() if value}
        )
    return replace(settings, lake=lake or settings.lake, roots=named, venue=venue).check()


@click.command()
@plain_option
@json_option
@settings_options
def hourly(settings: "Settings", plain: bool, as_json: bool) -> None:
    """Who is near liquidation, contexts and books, as they are now."""
    _run("hourly", settings, {}, plain, as_json)


@click.command()
@click.option("--day", type=DAY, help="UTC day to land; yesterday without it.")
@plain_option
@json_option
@settings_options
def nightly(settings: "Settings", day: datetime | None, plain: bool, as_json: bool) -> None:
    """Everything of one closed UTC day, then checks, compaction and freshness."""
    wanted = utc_day(day)
    _run("nightly", settings, {"day": str(wanted) if wanted else None}, plain, as_json)


@click.command()
@click.option("--from", "since", type=DAY, help="First UTC day; with --gaps: the lake's.")
@click.option("--to", "until", type=DAY, help="First UTC day not to land.")
@click.option("--gaps", is_flag=True, help="Only what `undertow gaps` says is missing.")
@click.option("--source", "sources", multiple=True, help="Only these; all roots without it.")
@click.option(
    "--order",
    type=click.Choice(["newest", "oldest"]),
    default="newest",
    show_default=True,
    help="Which day comes first.",
)
@click.option(
    "--max-usd",
    type=click.FloatRange(0),
    help=f"What reading may cost.  [default: the settings', or {MAX_USD:.0f}]",
)
@click.option("--again", is_flag=True, help="Days too that the lake holds whole.")
@click.option("--plan", "plan_only", is_flag=True, help="Say what would be read; stop.")
@plain_option
@json_option
@settings_options
def backfill(
    settings: "Settings",
    since: datetime | None,
    until: datetime | None,
    gaps: bool,
    sources: tuple[str, ...],
    order: str,
    again: bool,
    max_usd: float | None,
    plan_only: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Days of archives: a range, or the gaps; what the lake holds whole is left out."""
    from pipelines.jobs.planned import days_to_fill
    from pipelines.jobs.spending import priced, spending

    first, end = day_range(since, until)
    if not gaps and not (first and end):
        raise click.UsageError("backfill takes --from and --to, or --gaps")
    if max_usd is not None:
        settings = replace(settings, run=replace(settings.run, max_usd=max_usd))
    days = days_to_fill(
        settings, first, end, gaps=gaps, sources=sources, order=order, now=_now(), again=again
    )
    planned = spending(priced(settings, days, folders=True), settings.run.max_usd)
    for line in planned.lines():
        say(line)
    if plan_only:
        return
    planned.allow()
    if not days:
        say("backfill: nothing is missing")
        return
    asked = {"days": [[source, str(day)] for source, day in days]}
    _run("backfill", settings, asked, plain, as_json)


def _run(
    job: str, settings: "Settings", asked: dict[str, Any], plain: bool, as_json: bool
) -> None:
    """Run a job, with or without Prefect, and print what it landed."""
    if plain:
        _run_plainly(job, settings, asked, as_json)
        return
    # A server of one run's length keeps no log; one that is named (PREFECT_API_URL) does.
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    if "PREFECT_API_URL" not in os.environ:
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
    from pipelines.flows.run import run_once

    show_landed(run_once(job, settings, asked), as_json)


def _run_plainly(job: str, settings: "Settings", asked: dict[str, Any], as_json: bool) -> None:
    from pipelines.jobs.job import job_of, run_plainly
    from pipelines.jobs.watched import Watch

    with Watch(job, settings) as watch:
        found = job_of(job, settings, asked, _now())
        # A backfill has said what it reads, before it was allowed to.
        for line in found.plan if job != "backfill" else ():
            say(line)
        with progress_bar(job) as progress:
            done = run_plainly(found, progress)
        watch.close(found.name, found.units, done)
    show_landed(done.landed, as_json)
    done.check(found.name)


@click.command()
@click.option("--hourly", help="When, in UTC, as cron writes it.  [default: 5 * * * *]")
@click.option("--nightly", help="When, in UTC, as cron writes it.  [default: 30 2 * * *]")
@settings_options
def schedule(settings: "Settings", hourly: str | None, nightly: str | None) -> None:
    """Run the hourly and the nightly job on their cron, until stopped."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from pipelines.flows.server import a_server

    crons = {"hourly": hourly, "nightly": nightly}
    said = {name: cron for name, cron in crons.items() if cron}
    settings = replace(settings, schedule=replace(settings.schedule, **said))
    for name in ("hourly", "nightly"):
        if name == "nightly" or settings.venue:
            cron = getattr(settings.schedule, name)
            say(f"{name} job into {settings.lake} at '{cron}' UTC; stop it with Ctrl-C")
    with a_server():
        from pipelines.flows.run import serve_jobs

        serve_jobs(settings)
