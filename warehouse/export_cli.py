"""This module holds the command line's verb that writes the catalog to a file."""

from datetime import UTC, datetime
from pathlib import Path

import click

from warehouse.cli import lake_option
from warehouse.export import export_catalog
from warehouse.terminal import say


@click.command(name="export-catalog")
@click.argument("file", type=click.Path(path_type=Path))
@lake_option
@click.option("--force", is_flag=True, help="Replace a DuckDB file that is there.")
def export_catalog_(file: Path, lake: str, force: bool) -> None:
    """Write views and macros to a .duckdb FILE, for clients without undertow.

    The file holds no rows: it reads the lake's files where they lie, by absolute paths or
    URLs, and shows the lake as it is now. Export again after each night, and when the lake has
    moved. Moments that it is asked about name their zone, as '2026-02-05T12:00Z'.
    """
    now = datetime.now(UTC)
    made = export_catalog(lake, file, now, force)
    say(
        f"export: {made.file}: {made.relations} tables and views, {made.macros} macros; shows "
        f"the lake {made.lake} as of {now:%Y-%m-%d %H:%M:%S}Z, by absolute paths: export again "
        "when it has moved; moments name their zone, as '2026-02-05T12:00Z'"
    )
