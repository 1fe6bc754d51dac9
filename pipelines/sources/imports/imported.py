"""This module says what an import is: rows of one contract or two, and what was odd."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from pipelines.sources.errors import SourceError
from warehouse.contracts.table import ContractError, Table


@dataclass(slots=True)
class Imported:
    """What a file holds, ready to be landed.

    Attributes
    ----------
    tables
        Contracts and their rows, in the order to land them: what is counted before its count.
    unknown_fields
        Field that neither the adapter nor the mapping knows -> how often it came.
    duplicates
        Rows that came more than once and are here once.
    notes
        What else a reader of the rows should know, one sentence each.
    """

    tables: list[tuple[Table, pa.Table]]
    unknown_fields: Counter[str]
    duplicates: int = 0
    notes: list[str] = field(default_factory=list)


def once(
    rows: pl.DataFrame, table: Table, place: Callable[[int, int], str]
) -> tuple[pl.DataFrame, int]:
    """Return each row once, and how many were repeated; refuse two that disagree.

    Parameters
    ----------
    rows
        Columns of ``table``, and ``file`` and ``row``: numbers of where each came from.
    place
        What a row of a file is called in an error, by those numbers.

    Raises
    ------
    SourceError
        If two rows share the table's grain and differ; names both.
    """
    names = [column.name for column in table.columns]
    kept = rows.unique(subset=names, keep="first", maintain_order=True)
    twice = kept.filter(kept.select(table.grain).is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        same = twice.filter(pl.col(name) == first[name] for name in table.grain)
        same = same.select("file", "row")
        one, other = (place(*same.row(n)) for n in (0, 1))
        grain = ", ".join(table.grain)
        raise SourceError(f"{other}: must come once per {grain}, {one} differs")
    return kept, rows.height - kept.height


def held(rows: pl.DataFrame, table: Table, file: str) -> pa.Table:
    """Return rows as the contract has them, sorted.

    Raises
    ------
    SourceError
        If a row breaks the contract.
    """
    names = [column.name for column in table.columns]
    try:
        return table.check(rows.select(names).to_arrow())
    except ContractError as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"{file}: {reason}") from error
