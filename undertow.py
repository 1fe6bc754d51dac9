"""This module is the front door: one command, whose verbs are found when they are called."""

import importlib
import os
import sys
from pathlib import Path

import click

# Verb -> (module, attribute, caption).  The caption stands here so that `undertow --help` need
# not import what it lists: numba, DuckDB and Prefect together take seconds.
VERBS = {
    "demo": (
        "undertow",
        "demo",
        "The whole road once: rows to lake to maps to backtest to report.",
    ),
    "ingest": ("pipelines.cli", "ingest", "Land rows in the lake from archives and files."),
    "schedule": (
        "pipelines.cli",
        "schedule",
        "Run the nightly ingest on a cron, until stopped.",
    ),
    "sql": ("warehouse.cli", "sql", "Run one SELECT over the lake."),
    "map": ("warehouse.cli", "map_", "Where a coin's leverage lay at a moment."),
    "scenarios": ("warehouse.cli", "scenarios", "What a fall or rise would have triggered."),
    "backtest": ("backtest.cli", "backtest", "Replay rules against what the map knew."),
    "report": (
        "warehouse.cli",
        "report",
        "Write maps, heatmaps and backtests as one HTML file.",
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
def cli() -> None:
    """Hyperliquid liquidations: where leverage lived, what would have cascaded, what did."""


DEMO_COINS = ("BTC", "ETH", "SOL", "HYPE")
# Bars before the first snapshot, so that a rule that looks back has something to look at.
WARM_UP_DAYS = 8


@click.command()
@click.option(
    "--real",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of real archive rows; embedded, simulated rows without it.",
)
@click.option(
    "--lake",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/demo/lake"),
    show_default=True,
    envvar="UNDERTOW_LAKE",
    help="Folder of the lake to build.",
)
@click.option(
    "--report",
    "to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; report.html beside the lake without it.",
)
def demo(real: str | None, lake: Path, to: Path | None) -> None:
    """Rows to lake to maps to backtest to report; says where the report is."""
    import tempfile

    from warehouse import open_lake
    from warehouse.report import write_report
    from warehouse.terminal import say

    report = to or lake.parent / "report.html"
    say(f"demo: builds a lake in {lake} and writes {report}; run it again to replace both")
    if real is not None:
        say(f"demo: lands the real rows of {real}")
        _land_everything(real, lake)
    else:
        from pipelines.demo_rows import write_demo_rows

        with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
            say("demo: makes 14 days of simulated rows and lands them")
            write_demo_rows(Path(folder))
            _land_everything(folder, lake, "simulated")
    say(f"demo: replays the rules on {', '.join(DEMO_COINS)}")
    _replay(lake)
    say("demo: draws the report")
    write_report(lake, report, DEMO_COINS)
    with open_lake(lake) as con:
        newest = con.sql("select max(snapshot_ts) from snapshots").fetchall()[0][0]
    say(f"Ask it more: undertow map BTC --at {newest:%Y-%m-%dT%H:%MZ} --lake {lake}")
    click.echo(f"The report is at {report.resolve()}")


def _land_everything(root: str, lake: Path, label: str | None = None) -> None:
    """Land every kind of row below ``root``; ``label`` replaces the sources' own names."""
    from datetime import timedelta

    from pipelines.cli import show_landed
    from pipelines.sources.reservoir import reservoir, snapshot_files
    from pipelines.steps.fills import land_node_fills
    from pipelines.steps.market import land_market
    from pipelines.steps.positions import land_reservoir
    from warehouse.terminal import progress_bar

    days = [file.snapshot_ts.date() for file in snapshot_files(reservoir(root))]
    since = min(days) - timedelta(days=WARM_UP_DAYS)
    until = max(days) + timedelta(days=1)
    named = {"source": label} if label else {}
    with progress_bar("market") as progress:
        landed = land_market(root, lake, since, until, progress=progress, **named)
    with progress_bar("positions") as progress:
        landed += land_reservoir(root, lake, progress=progress, **named)
    with progress_bar("fills") as progress:
        landed.append(land_node_fills(root, lake, progress=progress, **named))
    show_landed(landed, as_json=False)


def _replay(lake: Path) -> None:
    """Replay the rules on every coin, over the days that have snapshots and bars."""
    from backtest.study import run_study
    from warehouse import open_lake
    from warehouse.terminal import progress_bar

    with open_lake(lake) as con:
        since, until = con.sql(
            "select min(day)::timestamptz, max(day)::timestamptz + interval 1 day "
            "from snapshots"
        ).fetchall()[0]
    with progress_bar("backtest") as progress:
        for number, coin in enumerate(DEMO_COINS):
            progress(coin, number, len(DEMO_COINS))
            run_study(lake, coin, since, until)
        progress("done", len(DEMO_COINS), len(DEMO_COINS))


def main() -> None:
    """Run the command line; what a user can mend is one line and exit status 2."""
    try:
        sys.exit(cli.main(prog_name="undertow", standalone_mode=False))
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _complain(error.format_message())
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, LookupError, OSError) as error:
        _complain(str(error) or type(error).__name__, error)
    except Exception as error:
        if type(error).__module__.split(".")[0] not in {"duckdb", "_duckdb"}:
            raise
        _complain(str(error).split("\n\n")[0].removeprefix("Invalid Input Error: "), error)


def _complain(text: str, error: Exception | None = None) -> None:
    """Print one line and leave; with UNDERTOW_DEBUG set, leave with the traceback instead."""
    if error is not None and os.environ.get("UNDERTOW_DEBUG"):
        raise error
    sys.stderr.write("undertow: " + " ".join(text.split()) + "\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
