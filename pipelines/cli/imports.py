"""This module holds the verb that lands files of other parties."""

import click

from pipelines.cli.pulling import check_lake
from pipelines.cli.shown import show_landed
from warehouse.cli import json_option, lake_option

HYPERTRACKER, KIYOTAKA = "hypertracker", "kiyotaka"


@click.command("import")
@click.argument("mapping", metavar="MAPPING")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--at", help="When the rows were true, if the files do not say it.")
@click.option(
    "--quote",
    type=click.Choice(["coin", "USD"]),
    help="Of kiyotaka: what the volumes were asked for in.",
)
@click.option(
    "--complete", is_flag=True, help="Of hypertracker: the files are those of every coin."
)
@lake_option
@json_option
def import_(
    mapping: str,
    files: tuple[str, ...],
    at: str | None,
    quote: str | None,
    complete: bool,
    lake: str,
    as_json: bool,
) -> None:
    """Files that somebody else exported, as MAPPING says.

    MAPPING is a TOML file (pipelines/sources/imports/mapping.py documents it), `hypertracker`
    or `kiyotaka`.
    """
    from pipelines.steps import imports
    from warehouse.ask import moment

    check_lake(lake)
    if complete and mapping != HYPERTRACKER:
        raise ValueError(f"--complete is for {HYPERTRACKER}; a mapping says it itself")
    if (quote is not None) != (mapping == KIYOTAKA):
        needs = f"{KIYOTAKA} needs --quote" if quote is None else "--quote is for kiyotaka only"
        raise ValueError(f"{needs}: the answers do not say what volumes were asked for in")
    true_at = None if at is None else moment(at)
    if mapping == KIYOTAKA:
        if at is not None:
            raise ValueError("--at is not for kiyotaka: its points say when they were true")
        landed = imports.land_kiyotaka(files, lake, quote or "")
    elif mapping == HYPERTRACKER:
        if true_at is None:
            raise ValueError(
                "hypertracker needs --at: its files do not say when they were true"
            )
        landed = imports.land_hypertracker(files, lake, true_at, complete=complete)
    else:
        meant = imports.read_mapping(mapping)
        if meant.needs_at and true_at is None:
            raise ValueError(f"{mapping} needs --at: it says that the moment is given")
        landed = imports.land_import(files, lake, meant, true_at)
    show_landed(landed, as_json)
