"""This module is the front door: one command, whose verbs are found when they are called."""

import atexit
import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from warehouse.cli import lake_option

# Verb -> (module, attribute, caption).  The caption stands here so that `undertow --help` need
# not import what it lists: numba, DuckDB and Prefect together take seconds.
VERBS = {
    "demo": (
        "undertow_road",
        "demo",
        "The whole road once: rows to lake to maps to backtest to report.",
    ),
    "compile": ("undertow_road", "compile_", "Compile the kernels ahead, once a version."),
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
