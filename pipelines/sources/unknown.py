"""This module keeps what records held in fields that their adapter does not know."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from pipelines.sources.arrow_kinds import shown


class Kept(NamedTuple):
    """What one raw record held: the number of the row it became, and field -> raw value."""

    row: int
    fields: dict[str, Any]


class Unknown(Counter[str]):
    """Field that is not known -> how often it came; and what it held.

    Attributes
    ----------
    kept
        Number of a raw record in its file, from 0 -> what it held.  A record that became no
        row is only counted.
    passed
        Raw records that were read so far.

    Examples
    --------
    >>> unknown = Unknown()
    >>> unknown.keep(7, {"mood": "grim"})
    >>> unknown.keep(7, {"liquidation.side": 1})
    >>> dict(unknown), unknown.kept[7].fields
    ({'mood': 1, 'liquidation.side': 1}, {'mood': 'grim', 'liquidation.side': 1})
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, Kept] = {}
        self.passed = 0

    def keep(self, record: int, fields: Mapping[str, Any], row: int | None = None) -> None:
        """Count and keep fields of a record; without ``row`` it became the row of its number.

        Several calls for one record add up.
        """
        self.update(fields.keys())
        held = self.kept.setdefault(record, Kept(record if row is None else row, {}))
        held.fields.update(fields)

    def keep_columns(
        self, columns: Mapping[str, pa.Array], records: Iterable[int], first_row: int = 0
    ) -> None:
        """Count and keep whole columns; a null holds nothing and is only counted.

        Parameters
        ----------
        columns
            Field -> its values, one a row.
        records
            Number of each row's record in its file.
        first_row
            Number of the first row among the translated ones.
        """
        numbers = list(records)
        for name, values in columns.items():
            if len(values):
                self[name] += len(values)
            for place, value in enumerate(_raw_values(values)):
                if value is not None:
                    row = first_row + place
                    held = self.kept.setdefault(numbers[place], Kept(row, {}))
                    held.fields[name] = value


def odd_columns(table: pa.Table, known: Collection[str]) -> dict[str, pa.ChunkedArray]:
    """Return the columns that are not known; of a name that comes again, the second as ``#2``.

    >>> table = pa.table([[1], [2], [3]], names=["px", "mood", "mood"])
    >>> {name: values.to_pylist() for name, values in odd_columns(table, {"px"}).items()}
    {'mood': [2], 'mood#2': [3]}
    """
    odd: dict[str, pa.ChunkedArray] = {}
    often: Counter[str] = Counter()
    for name, values in zip(table.column_names, table.columns, strict=True):
        if name not in known:
            often[name] += 1
            odd[name if often[name] == 1 else f"{name}#{often[name]}"] = values
    return odd


def _raw_values(values: pa.ChunkedArray | pa.Array) -> list:
    """Return values as Python has them; those that it cannot hold, as text.

    What a file holds in a column nobody knows must not stop the columns that are known.
    """
    try:
        return values.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError, KeyError):
        return [shown(value) for value in values]
