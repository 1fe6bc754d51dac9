"""This module keeps Reservoir's fills of one dex and those of every market apart.

The one are among the other, under the same source's name: a lake that held both would show
them twice.
"""

import re
from datetime import date

import pyarrow.compute as pc

from warehouse.contracts.tables import FILLS
from warehouse.store import Lake, parts_of

EVERY_MARKET = "all"  # in names of parts; names of dexes are others


def refuse_both(lake: Lake, day: date, label: str, scope: str) -> None:
    """Raise if the fills of a day would be in the lake twice.

    Parameters
    ----------
    lake
        Where they would be landed.
    day
        UTC day.
    label
        What the parts' names begin with.
    scope
        A dex, or ``EVERY_MARKET``.

    Raises
    ------
    ValueError
        If the lake holds the day's fills of every market and these are of a dex, or the
        reverse.
    """
    lines = parts_of(lake)
    ours = pc.and_(pc.equal(lines["table_name"], FILLS.name), pc.equal(lines["day"], day))
    named = re.compile(rf"{re.escape(label)}-(.+)-\d\d(-of-\d{{8}})?")
    for name in lines.filter(ours)["part"].to_pylist():
        held = match[1] if (match := named.fullmatch(name)) else scope
        if held != scope and EVERY_MARKET in {held, scope}:
            raise ValueError(
                f"day {day}: the lake holds Reservoir's fills of {held}, so those of {scope} "
                "would be there twice"
            )
