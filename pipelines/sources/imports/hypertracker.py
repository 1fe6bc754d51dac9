"""This module reads HyperTracker's exports of open positions.

Docs: https://docs.coinmarketman.com, and the vendor's own description of its API in
``Coin-Market-Man/hypertracker-skills``, SKILL.md, "Positions & Market Exposure" (read
2026-11-21).  ``GET /positions/open/coin/{coin}`` leads to a CSV file of one coin, in which
``side`` is long or short, and of ``crossLeverage`` and ``isolatedLeverage`` one holds a value;
``GET /coin/{coin}/open-positions/history`` leads to the same of past moments, since 25 March
2026.  Which column means what stands in ``hypertracker.toml``, a mapping as anybody's.

The file does not say when it was true.  Of a past file that is its snapshot's ``createdAt``;
of the latest one the moment of asking, which may be some five minutes late.
"""

from collections.abc import Mapping as Dictionary
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.resources import files

from pipelines.sources.imports.imported import Imported
from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import Mapping, to_mapping

MAPPING = "hypertracker.toml"


@cache
def mapping() -> Mapping:
    """Return the mapping of the export."""
    text = (files("pipelines.sources.imports") / MAPPING).read_text(encoding="utf-8")
    return to_mapping(text, MAPPING)


def to_positions(
    bodies: Dictionary[str, bytes], at: datetime, *, complete: bool = False
) -> Imported:
    r"""Translate the exports of one moment, a file for each coin.  Pure.

    Parameters
    ----------
    bodies
        Name of each file -> its bytes.  All of one moment belong in one call: they are one
        snapshot.
    at
        The moment they were true, with its zone.
    complete
        The files are those of every coin of the venue.  Only then may the snapshot answer for
        a coin that it does not hold.

    Returns
    -------
    Imported
        Rows of ``positions`` and of ``snapshots``.  ``liquidation_px`` is null where the export
        has none; what it says of the wallet is left out.

    Raises
    ------
    SourceError
        If a file is not as documented, naming file, line and field.
    ValueError
        If ``at`` has no zone or is not between 2009 and 2099.

    Examples
    --------
    >>> from datetime import UTC
    >>> body = (
    ...     b"id,address,coin,side,dex,size,value,entryPrice,liquidationPrice,crossLeverage,"
    ...     b"isolatedLeverage\n7,0x" + b"Ab" * 20
    ...     + b",BTC,short,main,0.5,35000,71000,90000,,20\n"
    ... )
    >>> made = to_positions({"BTC.csv": body}, datetime(2026, 4, 1, 12, tzinfo=UTC))
    >>> row = made.tables[0][1].to_pylist()[0]
    >>> row["size"], row["mark_px"], row["liquidation_px"]
    (-0.5, 70000.0, 90000.0)
    >>> row["leverage"], row["leverage_type"]
    (20.0, 'isolated')
    >>> str(row["known_ts"]), made.tables[1][1]["complete"].to_pylist()
    ('2026-04-01 12:05:00+00:00', [False])
    """
    return to_rows(bodies, replace(mapping(), complete=complete), at)
