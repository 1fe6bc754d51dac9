"""This module gives the margin tiers that the venue's documentation lists.

They stand in ``documented_tiers.toml``, with the page and the day it was read.  A source that
gives a coin's maximum leverage, but not its tiers, is completed from them.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from warehouse.margin import Tier


@cache
def _document() -> dict[str, Any]:
    text = (files("pipelines.sources") / "documented_tiers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def documented_tiers() -> dict[str, list[Tier]]:
    """Return the documented tiers of each coin that has more than one.

    >>> documented_tiers()["BTC"][1]
    Tier(lower_bound=150000000.0, max_leverage=20.0)
    """
    return {
        coin: [Tier(float(bound), float(leverage)) for bound, leverage in table["tiers"]]
        for table in _document()["table"]
        for coin in table["coins"]
    }


def tiers_of(coin: str, max_leverage: float) -> list[Tier]:
    """Return the tiers of a coin whose maximum leverage is known to be ``max_leverage``.

    The documented ones, if they start at that leverage; else the documentation speaks of
    another moment, and all that is known is one tier.

    >>> tiers_of("SOL", 20)
    [Tier(lower_bound=0.0, max_leverage=20.0), Tier(lower_bound=70000000.0, max_leverage=10.0)]
    >>> tiers_of("SOL", 50), tiers_of("POPCAT", 3)
    ([Tier(lower_bound=0.0, max_leverage=50.0)], [Tier(lower_bound=0.0, max_leverage=3.0)])
    """
    documented = documented_tiers().get(coin)
    if documented and documented[0].max_leverage == max_leverage:
        return documented
    return [Tier(0.0, float(max_leverage))]


def size_decimals(coin: str) -> int | None:
    """Return the decimals of an order's size, or None where they are not documented here.

    >>> size_decimals("BTC"), size_decimals("POPCAT")
    (5, None)
    """
    return _document()["size_decimals"].get(coin)


__all__ = ["Tier", "documented_tiers", "size_decimals", "tiers_of"]
