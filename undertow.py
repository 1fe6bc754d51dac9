"""This module is the front door: one command, whose verbs are found when they are called."""

import atexit
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warehouse.cli import lake_option

if TYPE_CHECKING:
    import duckdb

    from backtest.terms import Terms

# Verb -> (module, attribute, caption).  The caption stands here so that `undertow --help` need
# not import what it lists: numba, DuckDB and Prefect together take seconds.
VERBS = {
    "demo": (
        "undertow",
        "demo",
        "The whole road once: rows to lake to maps to backtest to report.",
    ),
    "compile": ("undertow", "compile_", "Compile the kernels ahead, once a version."),
    "ingest": ("pipelines.cli", "ingest", "Land rows in the lake from archives and files."),
    "backfill": (
        "pipelines.cli",
        "backfill",
        "Land a range of days of archives, or what is missing.",
    ),
    "schedule": (
        "pipelines.cli",
        "schedule",
        "Run the hourly and the nightly job on their cron, until stopped.",
    ),
    "simulate": (
        "pipelines.simulator.cli",
        "simulate",
        "A made-up venue: serve it, or write its archives.",
    ),
    "compact": (
        "warehouse.store.cli",
        "compact",
        "Make one file of each closed day and table.",
    ),
    "marts": (
        "warehouse.marts.cli",
        "marts",
        "Bin the maps of every snapshot ahead, so that they answer sooner.",
    ),
    "gaps": ("warehouse.health.cli", "gaps", "What should be in the lake and is not, and why."),
    "check": (
        "warehouse.health.cli",
        "check",
        "Whether rows are what they must be, and how old they are.",
    ),
    "sql": ("warehouse.cli", "sql", "Run one SELECT over the lake."),
    "map": ("warehouse.cli", "map_", "Where a coin's leverage lay at a moment."),
    "coverage": (
        "warehouse.cli",
        "coverage",
        "How much of the open interest a map has seen.",
    ),
    "scenarios": ("warehouse.cli", "scenarios", "What a fall or rise would have triggered."),
    "changes": (
        "warehouse.cohorts_cli",
        "changes",
        "Where the mass of a map comes from.",
    ),
    "risk": (
        "warehouse.cohorts_cli",
        "risk",
        "How near liquidation a segment's positions are.",
    ),
    "joint-map": (
        "warehouse.cross.cli",
        "joint_map",
        "What closes, and where, if all coins move together.",
    ),
    "flow": (
        "warehouse.flow_cli",
        "flow",
        "How liquidations went, interval by interval.",
    ),
    "cascades": (
        "warehouse.flow_cli",
        "cascades_",
        "Cascades that happened: when, how much, how far.",
    ),
    "survival": (
        "warehouse.survival.cli",
        "survival_",
        "How long positions lasted until they were liquidated.",
    ),
    "dictionary": (
        "warehouse.dictionary_cli",
        "dictionary_",
        "Every table, view and macro: columns, units, what null means.",
    ),
    "export-catalog": (
        "warehouse.export_cli",
        "export_catalog_",
        "Write views and macros to a .duckdb file, for clients without undertow.",
    ),
    "backtest": ("backtest.cli", "backtest", "Replay rules against what the map knew."),
    "report": (
        "undertow",
        "report",
        "Write maps, heatmaps and backtests as one HTML file, or one backtest's own.",
    ),
}


class LateGroup(click.Group):
    """A group that imports a verb's module when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the road."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        module, attribute, _ = VERBS[cmd_name]
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, caption) for name, (*_, caption) in VERBS.items()])


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="undertow", message="undertow %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Hyperliquid liquidations: where leverage lived, what would have cascaded, what did."""
    # Verbs of the backtest know no flows; over a cluster they work through what this gives.
    ctx.obj = _spread_on


def _spread_on(runner: str, workers: int | None) -> Callable:
    """Return what spreads work over a task runner; see :mod:`pipelines.flows.spread`."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    if "PREFECT_API_URL" not in os.environ:
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
        # Its own 20 seconds are too few where all cores are busy.
        os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    from pipelines.flows.spread import spread_on

    return spread_on(runner, workers)


# Bars before the first snapshot, so that a rule that looks back has something to look at.
WARM_UP_DAYS = 8
DEMO_COINS = ("BTC", "ETH", "SOL", "HYPE")


@click.command()
@click.option(
    "--real",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of real archive rows; embedded, simulated rows without it.",
)
@click.option(
    "--lake",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the lake to build.  [default: data/demo/lake, or data/demo/real/lake]",
)
@click.option(
    "--report",
    "to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; report.html beside the lake without it.",
)
def demo(real: str | None, lake: Path | None, to: Path | None) -> None:
    """Rows to lake to maps to backtest to report; says where the report is."""
    from warehouse.terminal import progress_bar, say

    lake = lake or Path("data/demo/real/lake" if real else "data/demo/lake")
    report = to or lake.parent / "report.html"
    _refuse_a_lake_of_others(lake, simulated=real is None)
    say(f"demo: builds a lake in {lake} and writes {report}; run it again to replace both")
    if real is not None:
        say(f"demo: lands the real rows of {real}")
        _land_everything(real, lake)
    else:
        from pipelines.simulator.archive.demo import DAYS, write_demo_archive

        with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
            say(f"demo: lets a simulated venue run for {DAYS} days and lands what it left")
            with progress_bar("days") as progress:
                write_demo_archive(Path(folder), progress)
            _land_everything(folder, lake, "simulated")
    _replay_and_report(lake, report)


@click.command(name="compile")
def compile_() -> None:
    """Compile the kernels ahead, so that nobody waits for them later; half a minute, once."""
    from backtest.question import Question
    from backtest.strategies.catalogue import made
    from backtest.study import play
    from pipelines.simulator.archive.write import write_archive
    from pipelines.simulator.world import WorldSpec
    from warehouse import open_lake
    from warehouse.joint_map import joint_map
    from warehouse.terminal import say

    # Kernels are compiled for what they are called with: so walk the road once, in the small.
    spec = WorldSpec(coins=4, accounts=60)
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
        root, lake = Path(folder, "archive"), Path(folder, "lake")
        say("compile: the simulated venue")
        write_archive(spec, 3, root, snapshot_every=6, books=False, contexts=False)
        say("compile: margin, maps, replay")
        _land_everything(str(root), lake, "simulated", quiet=True)
        start = datetime.combine(spec.start, time(), UTC)
        rule = made("breakout+asymmetry_filter+cluster_take_profit", {})
        question = Question(
            strategy=rule, coins=("BTC",), since=start, until=start + timedelta(days=3)
        )
        with open_lake(lake) as con:
            play(con, question)
            joint_map(con, "BTC", start + timedelta(days=2))


@click.command()
@click.argument("run", required=False)
@lake_option
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="File to write.",
)
@click.option("--coin", "coins", help="Coins of the maps.  [default: BTC,ETH,SOL,HYPE]")
@click.option("--at", help="Moment of the maps; the newest without it.")
def report(run: str | None, lake: str, to: Path, coins: str | None, at: str | None) -> None:
    """Write one HTML file: maps, heatmaps, scenarios, gaps; or, of RUN, its backtest.

    RUN is the name of a study or of a run, or an unambiguous beginning of one.
    """
    from warehouse.terminal import say

    if run is None:
        from warehouse.report.cli import draw

        file = draw(lake, to, coins or "BTC,ETH,SOL,HYPE", at)
    else:
        if coins is not None or at is not None:
            raise ValueError("--coin and --at are of the maps; a backtest has its own")
        from backtest.report import write_backtest_report

        file = write_backtest_report(lake, run, to)
    say(f"report: {file}")


def _refuse_a_lake_of_others(lake: Path, simulated: bool) -> None:
    """Raise if the lake holds rows of the other kind: made-up and real ones never mix."""
    from warehouse import open_lake

    if not lake.is_dir():
        return
    with open_lake(lake) as con:
        kinds = con.sql("select distinct source = 'simulated' from snapshots").fetchall()
    if (not simulated,) in kinds:
        held, wanted = ("real", "simulated") if simulated else ("simulated", "real")
        raise ValueError(
            f"the lake {lake} holds {held} rows, with which {wanted} ones must not mix; "
            "name another with --lake"
        )


def _land_everything(
    root: str, lake: Path, label: str | None = None, quiet: bool = False
) -> None:
    """Land every kind of row below ``root``; ``label`` replaces the sources' own names."""
    from pipelines.cli import show_landed
    from pipelines.sources.reservoir import reservoir, snapshot_files
    from pipelines.steps.fills import land_hourly_fills
    from pipelines.steps.margin_errors import land_margin_errors
    from pipelines.steps.market import land_market
    from pipelines.steps.positions import land_reservoir
    from warehouse.marts.refresh import refresh
    from warehouse.terminal import progress_bar, say

    named = {"source": label} if label else {}
    days = sorted(file.snapshot_ts.date() for file in snapshot_files(reservoir(root)))
    if not days:
        raise FileNotFoundError(f"root {root}: holds no snapshot of positions to make maps of")
    since, until = days[0] - timedelta(days=WARM_UP_DAYS), days[-1] + timedelta(days=1)
    landed = []
    with progress_bar("market") as progress, _maybe_absent(say):
        landed += land_market(root, lake, since, until, progress=progress, **named)
    with progress_bar("positions") as progress:
        landed += land_reservoir(root, lake, progress=progress, **named)
    with progress_bar("fills") as progress, _maybe_absent(say):
        landed.append(land_hourly_fills(root, lake, progress=progress, label=label))
    landed += land_margin_errors(lake, sorted(set(days)), lambda: datetime.now(UTC))
    refresh(lake)
    if not quiet:
        show_landed(landed, as_json=False)


@contextmanager
def _maybe_absent(say: Callable[[str], None]) -> Iterator[None]:
    """Say what is not there, and go on: maps need positions only."""
    try:
        yield
    except FileNotFoundError as error:
        say(f"demo: goes on without: {error}")


def _replay_and_report(lake: Path, report: Path) -> None:
    """Replay the rules on every coin that has bars, and draw the reports."""
    from backtest.answer import answer, land_answers
    from backtest.cli.run import DEFAULT
    from backtest.question import Question
    from backtest.report import write_backtest_report
    from backtest.strategies.catalogue import made
    from warehouse import open_lake
    from warehouse.report import write_report
    from warehouse.terminal import progress_bar, say

    with open_lake(lake) as con:
        since, until, newest = con.sql(
            "select min(day)::timestamptz, max(day)::timestamptz + interval 1 day, "
            "max(snapshot_ts) from snapshots"
        ).fetchall()[0]
        held = con.sql("select coin from positions group by coin order by count(*) desc, coin")
        held = [coin for (coin,) in held.fetchall()]
        # The coins that people look at first, else those with the most positions.
        coins = [coin for coin in DEMO_COINS if coin in held] or held[:4]
        replayable, terms = _replayable(con, coins, since, until)
    drawn = [report]
    if replayable:
        say(f"demo: replays the rules on {', '.join(replayable)}")
        questions = [
            Question(
                strategy=made(name, {}), coins=replayable, since=since, until=until, terms=terms
            )
            for name in DEFAULT
        ]
        with progress_bar("backtest") as progress:
            answers = answer(lake, questions, progress)
        land_answers(lake, answers)
        for one in answers:
            click.echo("\n".join(one.verdict))
        drawn.append(report.with_stem(f"{report.stem}-backtest"))
        write_backtest_report(lake, answers[1].study_id, drawn[1])
    say("demo: draws the report")
    write_report(lake, report, coins)
    say(f"Ask it more: undertow map {coins[0]} --at {newest:%Y-%m-%dT%H:%MZ} --lake {lake}")
    for file, what in zip(drawn, ("The report", "The backtest's own report"), strict=False):
        click.echo(f"{what} is at {file.resolve()}")


def _replayable(
    con: "duckdb.DuckDBPyConnection", coins: list[str], since: datetime, until: datetime
) -> tuple[tuple[str, ...], "Terms"]:
    """Return the coins that have bars and funding, and terms that can be charged on them."""
    from backtest.question import Question
    from backtest.slippage import SlippageUnknown
    from backtest.strategies.catalogue import made
    from backtest.study import play
    from backtest.terms import Costs, Terms
    from warehouse.terminal import say

    found, terms = [], Terms()
    for coin in coins:
        question = Question(
            strategy=made("breakout", {}), coins=(coin,), since=since, until=until, terms=terms
        )
        try:
            play(con, question)
        except SlippageUnknown as error:
            say(f"demo: replays without slippage, for {error}")
            terms = Terms(Costs(slippage="none"))
        except LookupError as error:
            say(f"demo: no backtest of {coin}: {error}")
            continue
        found.append(coin)
    return tuple(found), terms


def main() -> None:
    """Run the command line; what a user can mend is one line and exit status 2."""
    status = _run()
    if "prefect" in sys.modules:
        # Prefect holds references past the interpreter's end, and DuckDB 2.0 then prints each
        # as a leak; so leave once its server has been stopped.  Goes when DuckDB is quiet.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


# DuckDB's words for a part's file that is gone: of a folder, and of a bucket.
_GONE = re.compile(
    r"(No files found that match|Cannot open file).*/day=\d{4}-\d\d-\d\d/"
    r"|FileNotFoundError: The specified key does not exist"
)


def _run() -> int:
    """Run the command line and return its exit status."""
    try:
        # What a verb exits with is returned here; one that ends returns nothing.
        status = cli.main(prog_name="undertow", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return 2
    except click.ClickException as error:
        return _complain(error.format_message())
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, LookupError, OSError) as error:
        return _complain(str(error) or type(error).__name__, error)
    except Exception as error:
        if "Query interrupted" in str(error):  # DuckDB's word for Ctrl-C
            return 130
        if type(error).__module__.split(".")[0] not in {"duckdb", "_duckdb"}:
            raise
        text = str(error)
        if _GONE.search(text):
            text = "the lake was compacted since it was opened; open it again"
        return _complain(text.split("\n\n")[0].removeprefix("Invalid Input Error: "), error)


def _complain(text: str, error: Exception | None = None) -> int:
    """Print one line and return 2; with UNDERTOW_DEBUG set, raise the error itself instead."""
    if error is not None and os.environ.get("UNDERTOW_DEBUG"):
        raise error
    sys.stderr.write("undertow: " + " ".join(text.split()) + "\n")
    return 2


if __name__ == "__main__":
    main()
