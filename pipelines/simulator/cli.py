"""This module holds the verbs of the simulated venue: serve it, or write its archives."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.simulator.world import WorldSpec

MOST_DAYS, DAY_MS = 3_660, 86_400_000
START = datetime(2026, 1, 5, tzinfo=UTC)  # of archives


def _world_options(verb: Callable) -> Callable:
    """Add what every world is made from."""
    for option in (
        click.option(
            "--faults",
            multiple=True,
            metavar="NAME[=SEED]",
            help="What goes wrong, each with its own seed; 'list' names them.  Repeatable.",
        ),
        click.option(
            "--delist",
            multiple=True,
            metavar="COIN@TIME",
            help="A coin that is taken off the list, such as WIF@2026-01-12T00:00Z.",
        ),
        click.option(
            "--shock",
            multiple=True,
            metavar="TIME=PCT%[/MINUTESm]",
            help="A move of the market, such as 2026-01-10T14:00Z=-12%/40m.  Repeatable.",
        ),
        click.option("--accounts", type=click.IntRange(1, 1_000_000), default=2_000),
        click.option("--coins", type=click.IntRange(1, 400), default=20),
        click.option(
            "--days", type=click.IntRange(1, MOST_DAYS), default=14, help="How long it has run."
        ),
        click.option(
            "--start",
            type=click.DateTime(["%Y-%m-%d"]),
            help="First UTC day.  [default: 2026-01-05; of what is served: it ends today]",
        ),
        click.option(
            "--seed", type=click.IntRange(0), default=7, help="Same seed, same bytes."
        ),
    ):
        verb = option(verb)
    return verb


def _spec(
    start: datetime,
    days: int | None = None,
    *,
    seed: int,
    coins: int,
    accounts: int,
    shock: tuple[str, ...],
    delist: tuple[str, ...],
) -> "WorldSpec":
    """Return what a world is made from; with ``days`` nothing may be planned for after them."""
    from pipelines.simulator.shocks import parse_shock
    from pipelines.simulator.world import WorldSpec

    spec = WorldSpec(
        seed,
        start.date(),
        coins,
        accounts,
        tuple(parse_shock(text) for text in shock),
        tuple(_delisting(text) for text in delist),
    )
    end = spec.start_ms + days * DAY_MS if days else float("inf")
    for text, plan in zip((*shock, *delist), (*spec.shocks, *spec.delistings), strict=True):
        if not spec.start_ms <= plan.at_ms < end:
            until = f" to {spec.start + timedelta(days=days)}" if days else " on"
            raise ValueError(f"{text}: the world lasts from {spec.start}{until}")
    if len({each.coin for each in spec.delistings}) < len(spec.delistings):
        raise ValueError(f"delistings {', '.join(delist)}: name a coin once")
    return spec


def _delisting(text: str):
    from pipelines.simulator.world import Delisting

    coin, _, moment = text.partition("@")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"delisting {text!r}: must be like WIF@2026-01-12T00:00Z") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Delisting(coin, int(at.timestamp()) // 60 * 60_000)


@click.group()
def simulate() -> None:
    """A made-up venue that keeps the real one's rules, for tests and for trying things out."""


@simulate.command()
@_world_options
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=3001, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(0, 86_400),
    default=1.0,
    show_default=True,
    help="Seconds of the venue's time that pass in one; 0: it stands still.",
)
@click.option(
    "--fault-rate",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of requests that each fault strikes.",
)
def serve(
    host: str,
    port: int,
    speed: float,
    fault_rate: float,
    days: int,
    faults: tuple[str, ...],
    start: datetime | None,
    **world: Any,
) -> None:
    """The venue's info endpoint and WebSocket, after DAYS days have passed."""
    from pipelines.simulator.serve.run import serve_world

    start = start or datetime.now(UTC) - timedelta(days=days)
    spec = _spec(start, **world)
    serve_world(
        spec,
        days,
        host=host,
        port=port,
        speed=speed,
        faults=faults,
        fault_rate=fault_rate,
    )


@simulate.command()
@_world_options
@click.option(
    "--to",
    "target",
    required=True,
    metavar="DIR_OR_URL",
    help="Folder or s3:// URL to write to; buckets become folders in it.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the ground truth, as Parquet.",
)
@click.option(
    "--snapshot-every",
    type=click.IntRange(1, 24),
    default=24,
    show_default=True,
    help="Hours between Reservoir snapshots.",
)
@click.option("--books/--no-books", default=True, show_default=True, help="Write l2Book files.")
def archive(
    target: str,
    truth: Path | None,
    snapshot_every: int,
    books: bool,
    days: int,
    faults: tuple[str, ...],
    start: datetime | None,
    **world: Any,
) -> None:
    """The same world as the files that archives keep."""
    from pipelines.simulator.archive.write import write_archive
    from warehouse.terminal import progress_bar, say

    if faults and truth is None and "list" not in faults:
        say("simulate archive: what goes wrong is noted with --truth only")
    spec = _spec(start or START, days, **world)
    with progress_bar("days") as progress:
        written = write_archive(
            spec,
            days,
            target,
            truth=truth,
            snapshot_every=snapshot_every,
            books=books,
            faults=faults,
            progress=progress,
        )
    click.echo(
        f"{written.files:,} files of {written.bytes / 1e6:,.1f} MB at {target}: "
        f"{written.trades:,} trades, {written.liquidations:,} liquidations"
    )
