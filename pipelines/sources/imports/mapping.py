"""This module reads a mapping: the TOML that says which column of a file is which of a table.

.. code-block:: toml

    table = "positions"        # or fills, candles, funding, asset_contexts, imported_levels
    source = "my_export"       # what the rows say of where they came from: a-z 0-9 _ . -
    format = "csv"             # or parquet
    delimiter = ";"            # csv only, "," without it
    decimal = ","              # csv only, "." without it
    missing = ["", "n/a"]      # texts that mean: no value; [""] without it
    complete = false           # positions only: true if the file holds *every* position of its
                               # scope; false without it, and no map answers from it
    ignore = ["id"]            # columns known of and not wanted, so that none is called unknown

    [columns]                  # column of the table = where it comes from
    coin = "asset"                                             # a column of the file
    account = { column = "wallet" }                            # the same, longer
    size = { column = "n", negative_where = { column = "way", is = ["S"], otherwise = ["B"] } }
    notional = { column = "kusd", scale = 1000.0, absolute = true }
    liquidation_px = { column = "liq", optional = true, positive_or_missing = true }
    leverage = { only_of = ["cross", "isolated"] }
    leverage_type = { which_of = { cross = "cross", isolated = "isolated" } }
    snapshot_ts = { column = "time", unit = "ms" }             # s, ms, us, ns or iso
    scope = { value = "hyperliquid" }                          # a constant
    known_ts = { delay = "1h", after = "snapshot_ts" }

Every key is checked: one that is not known is an error that names the nearest one.  There are
no expressions.  A column of the table that has no entry is null, and an error where it may not
be.  ``source`` is the mapping's own and has no entry.

``column``
    A column of the file.  ``optional``: the file may lack it, it is null then.  Texts that mean
    nothing (``missing``) are null; so is NaN in Parquet where ``missing`` lists ``"NaN"``.
``value``
    A constant; an instant is written with its offset, ``2026-02-05T12:00:00Z``.
``scale``, ``absolute``, ``positive_or_missing``
    Of a number, in this order: times so much; without its sign; null where not above 0.
``negative_where``
    The words of another column that make a number negative (``is``), and those that do not
    (``otherwise``).  A third word is an error, and so is a sign that contradicts its word.
``only_of``, ``which_of``
    The number of the only column that holds one other than 0, and the word of that column.
    Where several hold one, which of them counts is not known, and the value is null.
``unit``, ``zone``
    Of an instant.  ``iso`` is ISO 8601 with its offset; without an offset, and for Parquet
    timestamps without a zone, ``zone = "UTC"`` must say what is meant.  Parquet's own
    timestamps need no unit.  Instants before 2009 or after 2099 tell of a wrong unit.
``words``
    Of a text or a truth: the file's word = ours.  Another word is an error.  Without it a text
    is taken as it stands, accounts and venues in lower case, and a truth is true or false.
``dex``
    Of ``coin``: the ``column`` that names the perp dex, and its words for the venue's own
    (``main``).  The coin of a row of another dex must begin with that dex and a colon.
``given = "at"``
    The moment that the caller gives, for a file that does not say it.
``delay``, ``after``
    As ``90s``, ``5m``, ``1h`` or ``2d``, after another instant of the row.  ``known_ts`` must
    be said: the moment at which a follower of the file could have had the row.

What follows from other columns is filled in: a position's ``mark_px`` from ``notional`` or the
other way round, its ``liquidation_px_source`` (``venue``) where there is a price.
"""

import re
import tomllib
from dataclasses import dataclass

from pipelines.sources.imports.entry import Entry
from pipelines.sources.imports.keys import Keys, MappingError
from pipelines.sources.imports.mapping_columns import to_entries
from warehouse.contracts.fills import FILLS
from warehouse.contracts.levels import IMPORTED_LEVELS
from warehouse.contracts.market import ASSET_CONTEXTS, CANDLES, FUNDING
from warehouse.contracts.positions import POSITIONS
from warehouse.contracts.table import Table

TABLES = {
    table.name: table
    for table in (POSITIONS, FILLS, CANDLES, FUNDING, ASSET_CONTEXTS, IMPORTED_LEVELS)
}
KEYS = ("table", "source", "format", "complete", "ignore", "missing", "columns")
KEYS_OF_CSV = ("delimiter", "decimal")
# A part of the lake is named after its source and scope, so they are fit for file names.
PLAIN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a file's columns mean.

    Attributes
    ----------
    name
        File of the mapping, for errors.
    table
        Contract the rows are for.
    source
        What the rows say of where they came from.
    is_text
        The file is CSV, not Parquet.
    delimiter, decimal
        Of CSV.
    missing
        Texts that mean: no value.
    complete
        Of positions: the file holds every one of its scope.
    ignore
        Columns of the file that are known and not wanted.
    entries
        Column of the table -> where it comes from; ``source`` is not among them.
    """

    name: str
    table: Table
    source: str
    is_text: bool
    delimiter: str
    decimal: str
    missing: frozenset[str]
    complete: bool
    ignore: frozenset[str]
    entries: dict[str, Entry]

    @property
    def needs_at(self) -> bool:
        """Return whether the caller must give a moment."""
        return any(entry.given for entry in self.entries.values())

    @property
    def reads(self) -> frozenset[str]:
        """Return the columns of the file that it names."""
        return frozenset(name for entry in self.entries.values() for name in entry.reads)


def to_mapping(text: str, name: str = "mapping.toml") -> Mapping:
    """Read a mapping.  Pure.

    Parameters
    ----------
    text
        TOML, as the head of this module documents it.
    name
        Its file, for errors.

    Raises
    ------
    MappingError
        If it is no TOML, or a key is missing, not known or does not fit; names the key.

    Examples
    --------
    >>> mapping = to_mapping('''
    ... table = "funding"
    ... source = "my_rates"
    ... [columns]
    ... venue = { value = "hyperliquid" }
    ... coin = "name"
    ... time_ts = { column = "t", unit = "ms" }
    ... rate = { column = "pct", scale = 0.01 }
    ... known_ts = { delay = "0s", after = "time_ts" }
    ... ''')
    >>> mapping.table.name, sorted(mapping.reads), mapping.needs_at
    ('funding', ['name', 'pct', 't'], False)
    """
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0][:120]
        raise MappingError(f"{name}: cannot be read as TOML: {reason}") from error
    keys = Keys(value, name)
    keys.only((*KEYS, *KEYS_OF_CSV))
    table = TABLES[keys.word("table", TABLES)]
    if not PLAIN.fullmatch(keys.text("source")):
        raise keys.wrong("source", f"must match {PLAIN.pattern}")
    is_text = keys.word("format", ("csv", "parquet"), default="csv") == "csv"
    if not is_text:
        keys.only(KEYS, "for csv only")
    if "complete" in value and table is not POSITIONS:
        raise keys.wrong("complete", "must be left out: it is for positions only")
    delimiter, decimal = _separators(keys)
    entries = to_entries(keys, table, is_text=is_text)
    return Mapping(
        name=name,
        table=table,
        source=keys.text("source"),
        is_text=is_text,
        delimiter=delimiter,
        decimal=decimal,
        missing=frozenset(keys.texts("missing", 0) if "missing" in value else ("",)),
        complete=keys.truth("complete"),
        ignore=frozenset(keys.texts("ignore", 0) if "ignore" in value else ()),
        entries=entries,
    )


def _separators(keys: Keys) -> tuple[str, str]:
    delimiter = keys.text("delimiter") if "delimiter" in keys.value else ","
    if len(delimiter) != 1 or not (delimiter in "\t" or delimiter.isprintable()):
        raise keys.wrong("delimiter", "must be one character")
    if not delimiter.isascii() or delimiter.isalnum() or delimiter in '"+-':
        raise keys.wrong("delimiter", "must be no letter, digit, sign or quote")
    decimal = keys.word("decimal", (".", ","), default=".")
    if decimal == delimiter:
        raise keys.wrong("decimal", "must not be the delimiter")
    return delimiter, decimal
