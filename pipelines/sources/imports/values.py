"""This module fills a column of a table from a file's columns, as a mapping's entry says."""

from collections import Counter
from datetime import datetime

import polars as pl

from pipelines.sources.imports import plain_values as plain
from pipelines.sources.imports import texts
from pipelines.sources.imports.entry import Entry
from pipelines.sources.imports.keys import named
from pipelines.sources.imports.mapping import Mapping
from pipelines.sources.imports.raw_file import RawFile

KINDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "number": pl.Float64,
    "integer": pl.Int64,
    "text": pl.String,
    "truth": pl.Boolean,
    "time": texts.INSTANT,
}
# Columns whose contract is lower case, where sources differ.
LOWER = frozenset({"account", "liquidated_account", "venue"})


class Filler:
    """Fills columns from one file, and counts what it read as missing.

    Attributes
    ----------
    emptied
        What was read as missing though something stood there -> how often.
    """

    def __init__(self, raw: RawFile, mapping: Mapping, at: datetime | None) -> None:
        self.raw, self.mapping, self.at = raw, mapping, at
        self.emptied: Counter[str] = Counter()

    def fill(self, entry: Entry) -> pl.Series:
        """Return the column that ``entry`` is for, in its type.

        Raises
        ------
        SourceError
            If a column is missing or a value cannot be one of its kind.
        """
        if not entry.columns:
            value = [self.at if entry.given else entry.value]
            constant = pl.Series(entry.target.name, value, KINDS[entry.kind])
            return constant.new_from_index(0, self.raw.rows.num_rows)
        if len(entry.columns) > 1:
            values = self._lone(entry)
        else:
            values = self._one(entry, self._given(entry.columns[0], optional=entry.optional))
        if entry.positive_or_missing:
            low = (values <= 0).fill_null(False)
            self.emptied[f"{entry.target.name}: not above 0"] += int(low.sum())
            values = values.set(low, None)
        return values.alias(entry.target.name)

    def _given(self, name: str, *, optional: bool = False) -> pl.Series:
        """Return a column of the file with what means nothing read as null."""
        found = self.raw.column(name)
        if found is None and optional:
            return pl.Series(name, [None] * self.raw.rows.num_rows, pl.String)
        values = self.raw.needed(name) if found is None else found
        if values.dtype == pl.String:
            return values.set(values.is_in(list(self.mapping.missing)), None)
        if values.dtype == pl.Float64 and "NaN" in self.mapping.missing:
            return values.fill_nan(None)
        return values

    def _one(self, entry: Entry, given: pl.Series) -> pl.Series:
        if entry.kind == "number":
            return self._number(entry, given)
        if entry.kind == "integer":
            return plain.integer(self.raw, given)
        if entry.kind == "time":
            return plain.instant(self.raw, given, entry.unit, entry.zone)
        if entry.words is not None:
            return self._translated(given, entry.words, KINDS[entry.kind])
        if entry.kind == "truth":
            return plain.truth(self.raw, given)
        values = plain.text(self.raw, given)
        if entry.dex:
            self._hold_dex(entry, values)
        return values.str.to_lowercase() if entry.target.name in LOWER else values

    def _number(self, entry: Entry, given: pl.Series) -> pl.Series:
        values = plain.number(self.raw, given, self.mapping.decimal, entry.scale)
        if entry.absolute:
            values = values.abs()
        if entry.negative_where is None:
            return values
        signs = entry.negative_where
        beside = self._words(signs.column)
        negative = beside.is_in(list(signs.negative))
        known = negative | beside.is_in(list(signs.positive))
        must = f"must be one of {', '.join((*signs.negative, *signs.positive))}"
        self.raw.refuse(~known.fill_null(False), signs.column, must, beside)
        must = f"must not be negative beside its {named(signs.column)}"
        self.raw.refuse((values < 0) & ~negative, given.name, must, given)
        return pl.select(pl.when(negative).then(-values.abs()).otherwise(values)).to_series()

    def _hold_dex(self, entry: Entry, coins: pl.Series) -> None:
        """Raise if the coin of a builder's dex does not say so: it would pass for another."""
        assert entry.dex is not None
        dexes = self._words(entry.dex.column).fill_null("")
        other = ~dexes.is_in(list(entry.dex.main))
        begins = pl.select(pl.lit(coins).str.starts_with(pl.lit(dexes + ":"))).to_series()
        must = f"must begin with its {named(entry.dex.column)} and a colon"
        self.raw.refuse(other & ~begins, coins.name, must, coins)

    def _words(self, name: str) -> pl.Series:
        return plain.words(self.raw, self.raw.needed(name))

    def _translated(
        self,
        given: pl.Series,
        known: dict[str, str | bool],
        kind: pl.DataType | type[pl.DataType],
    ) -> pl.Series:
        words = plain.words(self.raw, given)
        values = words.replace_strict(known, default=None, return_dtype=kind)
        wrong = values.is_null() & words.is_not_null()
        self.raw.refuse(wrong, given.name, f"must be one of {', '.join(known)}", words)
        return values

    def _lone(self, entry: Entry) -> pl.Series:
        """Return the value, or the word, of the only column that holds one other than 0."""
        held, here = [], []
        for name in entry.columns:
            given = self._given(name, optional=entry.optional)
            values = plain.number(self.raw, given, self.mapping.decimal, entry.scale)
            values = values.abs() if entry.absolute else values
            held.append(values.set((values == 0).fill_null(False), None))
            here.append(held[-1].is_not_null())
        count = pl.select(pl.sum_horizontal([each.cast(pl.Int64) for each in here])).to_series()
        what = (
            f"{entry.target.name}: in more than one of {', '.join(map(named, entry.columns))}"
        )
        self.emptied[what] += int((count > 1).sum())
        taken: list[pl.Expr] = [pl.lit(values) for values in held]
        if entry.names:
            pairs = zip(here, entry.names, strict=True)
            taken = [pl.when(each).then(pl.lit(word)) for each, word in pairs]
        return pl.select(pl.when(count <= 1).then(pl.coalesce(taken))).to_series()
