"""This module lands files that somebody else exported, as a mapping or an adapter reads them.

A batch is its bytes: the part is named after the source and a digest of the files, so the same
export lands once, under whatever name, and a changed one of the same name is another batch.
"""

import hashlib
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.archive import Archive
from pipelines.sources.imports import hypertracker, kiyotaka
from pipelines.sources.imports.imported import Imported
from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import Mapping, MappingError, to_mapping
from warehouse.checks import guarded
from warehouse.store import Lake, Origin

DIGITS = 16  # of a digest, in hex: two exports in 2**32 would have to meet


def read_mapping(file: str) -> Mapping:
    """Return the mapping in a TOML file.

    Raises
    ------
    MappingError
        If it is no text, no TOML, or says something that it may not.
    """
    ((name, body),) = read_files([file]).items()
    try:
        return to_mapping(body.decode(), name)
    except UnicodeDecodeError as error:
        raise MappingError(f"{name}: must be text in UTF-8") from error


def land_import(
    files: Sequence[str],
    lake: Lake | Path | str,
    mapping: Mapping,
    at: datetime | None = None,
) -> list[Landed]:
    """Land files of one mapping as one batch; safe to repeat.

    Parameters
    ----------
    files
        Paths or ``s3://`` URLs.
    lake
        Folder or URL of the lake.
    mapping
        What the files' columns mean.
    at
        The moment that the mapping asks for; with a zone.

    Returns
    -------
    list of Landed
        Of the mapping's table; of ``positions`` with their rows of ``snapshots``, landed all
        or none.

    Raises
    ------
    SourceError
        If a file is not as the mapping says.
    ValueError
        If ``at`` is needed and not given, or given and not needed.
    """
    bodies = read_files(files)
    return _landed(to_rows(bodies, mapping, at), bodies, lake, mapping.source)


def land_hypertracker(
    files: Sequence[str], lake: Lake | Path | str, at: datetime, *, complete: bool = False
) -> list[Landed]:
    """Land HyperTracker's exports of one moment; see :func:`hypertracker.to_positions`."""
    bodies = read_files(files)
    imported = hypertracker.to_positions(bodies, at, complete=complete)
    return _landed(imported, bodies, lake, hypertracker.mapping().source)


def land_kiyotaka(
    files: Sequence[str], lake: Lake | Path | str, quote: str = "coin"
) -> list[Landed]:
    """Land Kiyotaka's liquidation heatmaps; see :func:`kiyotaka.to_levels`."""
    bodies = read_files(files)
    imported = kiyotaka.to_levels(bodies, quote)
    return _landed(imported, bodies, lake, f"{kiyotaka.SOURCE}-{quote.lower()}")


def read_files(files: Sequence[str]) -> dict[str, bytes]:
    """Return the bytes of each file by its name as it was given.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or it is a folder.
    """
    bodies = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        archive = Archive(folder or ("/" if file.startswith("/") else "."))
        if not name or not archive.has(name):
            raise FileNotFoundError(f"{file}: no such file")
        try:
            bodies[file] = archive.read(name)
        except IsADirectoryError:
            raise IsADirectoryError(f"{file}: is a folder, must be a file") from None
    return bodies


def digest(bodies: Dictionary[str, bytes]) -> str:
    """Return what the bytes of some files have and no others; names do not count.

    >>> digest({"a": b"1", "b": b"2"}) == digest({"x": b"2", "y": b"1"}) != digest({"a": b"1"})
    True
    """
    each = sorted({hashlib.sha256(body).digest() for body in bodies.values()})
    return hashlib.sha256(b"".join(each)).hexdigest()[:DIGITS]


def _landed(
    imported: Imported, bodies: Dictionary[str, bytes], lake: Lake | Path | str, source: str
) -> list[Landed]:
    """Land the rows of an import, all tables or none."""
    part = f"{source}-{digest(bodies)}"
    origins = sorted(Origin.of(_placed(file), body) for file, body in bodies.items())
    with guarded(lake) as batches:
        for table, rows in imported.tables:
            if rows.num_rows:
                batches.land(table, rows, part, origins)
    landed = [
        Landed(table.name, files=batches.places.get(table.name, []), rows=rows.num_rows)
        for table, rows in imported.tables
    ]
    landed[0].duplicates = imported.duplicates
    landed[0].unknown_fields = dict(sorted(imported.unknown_fields.items()))
    landed[0].notes = imported.notes
    return landed


def _placed(file: str) -> str:
    return file if "://" in file else str(Path(file).absolute())
