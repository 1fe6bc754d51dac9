"""This module takes typed columns out of Arrow tables, and says which value is not one.

What is refused is named by file, row and field.  Rows count from 0, in the file and not in the
piece of it that is held: a piece brings the numbers of its rows along.  Text is checked to be
UTF-8, which Parquet's reader does not do; without that, whoever reads it first would fail.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from pipelines.sources.arrow_kinds import DECIMAL, WHOLE, is_number, is_text, shown
from pipelines.sources.errors import SourceError
from warehouse.contracts.rules import ACCOUNT
from warehouse.contracts.table import TS

_DAYS_END = 253_402_300_799_999_999  # µs; the end of the year 9999, where datetimes end
_EXACT = 2**53  # whole numbers up to here survive a float


class Columns:
    """Columns of one table, to be asked for by name and type.

    Parameters
    ----------
    table
        Rows of one file, or a piece of them.
    file
        Name for complaints.
    rows
        Number of each row in its file, shape ``(table.num_rows,)``; counted from 0 if None.

    Examples
    --------
    >>> given = Columns(pa.table({"px": ["1.5", "x"]}), "f.parquet", np.array([7, 8]))
    >>> given.number("px", read_text=True)
    Traceback (most recent call last):
    pipelines.sources.errors.SourceError: f.parquet row 8: field px must be a number, is 'x'
    """

    def __init__(self, table: pa.Table, file: str, rows: np.ndarray | None = None) -> None:
        self.table, self.file = table, file
        self._rows = np.arange(table.num_rows) if rows is None else rows

    def keep(self, wanted: pa.Array) -> "Columns":
        """Return the rows for which ``wanted``, booleans without null, is true."""
        flags = np.asarray(wanted)
        return Columns(self.table.filter(pa.array(flags)), self.file, self._rows[flags])

    def text(self, name: str) -> pa.Array:
        """Return a column of text; none is null."""
        values = self.raw(name)
        if not is_text(values.type):
            raise self.wrong_kind(name, "text", values)
        return self.present(self._as_text(name, values), name)

    def maybe_text(self, name: str) -> pa.Array:
        """Return a column of text, null where a row has none."""
        values = self.raw(name)
        if kinds.is_null(values.type):
            return pa.nulls(len(values), pa.string())
        if not is_text(values.type):
            raise self.wrong_kind(name, "text", values)
        return self._as_text(name, values)

    def account(self, name: str) -> pa.Array:
        """Return a column of addresses, in lower case."""
        return self.present(self.maybe_account(name), name)

    def maybe_account(self, name: str) -> pa.Array:
        """Return a column of addresses, in lower case, null where a row has none."""
        values = pc.ascii_lower(self.maybe_text(name))
        self.refuse(pc.invert(ACCOUNT.keeps(values)), name, "must be 0x and 40 digits")
        return values

    def number(self, name: str, *, read_text: bool = False) -> pa.Array:
        """Return a column of finite numbers as float64, text too if ``read_text``."""
        return self.present(self.maybe_number(name, read_text=read_text), name)

    def maybe_number(self, name: str, *, read_text: bool = True) -> pa.Array:
        """Return a column of finite numbers as float64, null where a row has none."""
        values = self.raw(name)
        if read_text and is_text(values.type):
            return self._parsed(name, self._as_text(name, values), pa.float64(), "a number")
        kind = values.type
        if not (is_number(kind) or kinds.is_null(kind)):
            raise self.wrong_kind(name, "a number", values)
        if kinds.is_decimal(kind):
            # By way of text: Arrow's own cast makes 4215.900000000001 of 4215.9000000000.
            values = self._cast(name, values, pa.string())
        numbers = self._cast(name, values, pa.float64(), safe=False)
        self.refuse(pc.invert(pc.is_finite(numbers)), name, "must be finite")
        return numbers

    def integer(self, name: str, *, read_text: bool = False) -> pa.Array:
        """Return a column of whole numbers as int64.

        With ``read_text``, digits in text, and floats that hold a whole number exactly, too.
        """
        values = self.raw(name)
        if kinds.is_integer(values.type):
            if kinds.is_uint64(values.type):
                large = pc.greater(values, pa.scalar(2**63 - 1, pa.uint64()))
                self.refuse(large, name, "must be below 2**63")
            return self.present(self._cast(name, values, pa.int64()), name)
        if read_text and is_text(values.type):
            text = self._as_text(name, values)
            return self.present(self._parsed(name, text, pa.int64(), "a whole number"), name)
        if read_text and kinds.is_floating(values.type):
            numbers = self.number(name)
            whole = pc.and_(
                pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT)
            )
            self.refuse(pc.invert(whole), name, "must be a whole number below 2**53")
            return self._cast(name, numbers, pa.int64())
        raise self.wrong_kind(name, "a whole number", values)

    def moment(self, name: str) -> pa.Array:
        """Return a column of instants, which know their time zone, in UTC microseconds."""
        values = self.raw(name)
        if not kinds.is_timestamp(values.type) or values.type.tz is None:
            raise self.wrong_kind(name, "a timestamp with a time zone", values)
        return self.present(self.instants(name, values), name)

    def instants(self, name: str, values: pa.Array) -> pa.Array:
        """Return timestamps of any unit and zone as UTC microseconds; ns are cut."""
        utc = self._cast(name, values, pa.timestamp(values.type.unit, "UTC"))
        us = self._cast(name, utc, TS, safe=values.type.unit != "ns")
        since = us.cast(pa.int64())
        outside = pc.or_(pc.less(since, 0), pc.greater(since, _DAYS_END))
        self.refuse(outside, name, "must lie from 1970 to 9999")
        return us

    @property
    def rows(self) -> np.ndarray:
        """Return the number of each row in its file."""
        return self._rows

    def truth(self, name: str) -> pa.Array:
        """Return a column of true and false."""
        values = self.raw(name)
        if not kinds.is_boolean(values.type):
            raise self.wrong_kind(name, "true or false", values)
        return self.present(values, name)

    def one_of(self, name: str, words: tuple[str, ...], values: pa.Array) -> pa.Array:
        """Return ``values``; refuse those that are neither null nor one of ``words``."""
        known = pc.is_in(values, value_set=pa.array([*words, None], pa.string()))
        self.refuse(pc.invert(known), name, f"must be one of {', '.join(words)}")
        return values

    def refuse(self, broken: pa.Array, name: str, must: str) -> None:
        """Raise if a row is ``broken``, naming the first one's number and value."""
        if (at := pc.index(broken, pa.scalar(True)).as_py()) < 0:
            return
        found = shown(self.table[name][at])
        row = int(self._rows[at])
        raise SourceError(f"{self.file} row {row}: field {name} {must}, is {found}")

    def wrong_kind(self, name: str, must: str, values: pa.Array) -> SourceError:
        """Return the complaint about a column's type."""
        return SourceError(f"{self.file}: field {name} must be {must}, is {values.type}")

    def raw(self, name: str) -> pa.Array:
        """Return a column as it is; one of repeated values as those values."""
        count = self.table.column_names.count(name)
        if count != 1:
            found = "is missing" if count == 0 else f"comes {count} times"
            raise SourceError(f"{self.file}: field {name} {found}")
        values = self.table[name].combine_chunks()
        if kinds.is_dictionary(values.type):
            return self._checked(name, values.dictionary_decode)
        return values

    def present(self, values: pa.Array, name: str) -> pa.Array:
        """Return ``values`` of a column; raise if one is null."""
        if values.null_count:
            row = int(self._rows[pc.index(pc.is_null(values), pa.scalar(True)).as_py()])
            raise SourceError(f"{self.file} row {row}: field {name} must not be null")
        return values

    def _as_text(self, name: str, values: pa.Array) -> pa.Array:
        text = self._cast(name, values, pa.string())
        self._checked(name, lambda: text.validate(full=True))
        return text

    def _cast(
        self, name: str, values: pa.Array, kind: pa.DataType, safe: bool = True
    ) -> pa.Array:
        return self._checked(name, lambda: values.cast(kind, safe=safe))

    def _checked(self, name: str, step: Callable[[], pa.Array]) -> pa.Array:
        try:
            return step()
        except (pa.ArrowException, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise SourceError(f"{self.file}: field {name} cannot be read: {reason}") from error

    def _parsed(self, name: str, text: pa.Array, kind: pa.DataType, must: str) -> pa.Array:
        """Return decimals in text as numbers; what is none is found in a second look."""
        plain = pc.match_substring_regex(text, WHOLE if kind == pa.int64() else DECIMAL)
        self.refuse(pc.invert(plain), name, f"must be {must}")
        numbers = self._cast(name, text, kind)
        if kind == pa.float64():
            self.refuse(pc.invert(pc.is_finite(numbers)), name, "must be finite")
        return numbers
