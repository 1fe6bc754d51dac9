"""This package holds the command line's verbs that land rows."""

import click

from pipelines.cli.archives import books, contexts, fills, market, positions
from pipelines.cli.imports import import_
from pipelines.cli.jobs import backfill, hourly, nightly, schedule
from pipelines.cli.shown import show_landed
from pipelines.cli.venue import now, sweep, tail

__all__ = ["backfill", "ingest", "schedule", "show_landed"]


@click.group()
def ingest() -> None:
    """Land rows in the lake; landing a batch again leaves the same bytes."""


for verb in (
    fills,
    positions,
    contexts,
    books,
    market,
    sweep,
    now,
    tail,
    import_,
    hourly,
    nightly,
):
    ingest.add_command(verb)
