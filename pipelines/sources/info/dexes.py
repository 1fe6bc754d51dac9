"""This module translates ``perpDexs``: the venue's perp dexes by name.

Hyperliquid docs, "Perpetuals: retrieve all perpetual dexs" (read 2026-08-22): the first dex is
the venue's own and null in the list; a builder's coins are named ``dex:COIN``.
"""

import re
from typing import Any

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import Fields, shown

_DEX = re.compile(r"[A-Za-z0-9_-]{1,40}")  # what can be a scope, and part of a file's name


def to_dexes(answer: Any) -> list[str]:
    """Translate ``perpDexs`` to names; the first dex is nameless.  Pure.

    Raises
    ------
    SourceError
        If a name is missing, given twice, or not of letters and digits.

    Examples
    --------
    >>> to_dexes([None, {"name": "xyz", "fullName": "XYZ"}])
    ['', 'xyz']
    """
    if not isinstance(answer, list):
        raise SourceError(f"perpDexs: must be a list, is {shown(answer)}")
    names: list[str] = []
    for number, each in enumerate(answer):
        name = ""
        if each is not None:
            fields = Fields(each, f"perpDexs {number}")
            name = fields.text("name")
            if not _DEX.fullmatch(name):
                raise fields.wrong("name", "letters and digits", name)
        if name in names:
            raise SourceError(f"perpDexs {number}: dex {name!r} is there twice")
        names.append(name)
    return names


def dex_of(coin: str) -> str:
    """Return the dex that a coin is traded on; the first is nameless.

    >>> dex_of("BTC"), dex_of("xyz:TSLA")
    ('', 'xyz')
    """
    dex, colon, _ = coin.partition(":")
    return dex if colon else ""
