"""This module walks the whole road at once: rows to lake to maps to backtest to report."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import duckdb

    from backtest.terms import Terms

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
        write_archive(spec, 3, root, snapshot_every=6, books=False)
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
    from pipelines.steps.contexts import land_contexts
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
    # Hourly files say nothing of the oracle, on whose price funding is charged.
    with progress_bar("contexts") as progress, _maybe_absent(say):
        landed.append(land_contexts(root, lake, days[0], until, progress=progress))
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
