"""This module knows the venue's margin tables, and finds which of them a price follows.

A position may follow another table than its coin's: it keeps the one that its coin had when it
was opened, an account of the venue has one of its own, or the documentation that a coin's tiers
were taken from is of another day.
"""

import numpy as np

from warehouse.kernels.margin import implied_margin
from warehouse.margin import AGREE, Tier, TierTable

# Maximum leverages that the venue's coins have or had (`meta`).
LEVERAGES = (3, 4, 5, 10, 15, 20, 25, 40, 50)
# Tables of two tiers: hyperliquid docs, "Margin tiers" (read 2026-08-22).
TIERED = ("10 5@3e6", "10 5@20e6", "20 10@40e6", "20 10@70e6", "25 15@100e6", "40 20@150e6")
# A single leverage comes first: below its bound a table of two tiers says the same.
TABLES = (*(f"{leverage}" for leverage in LEVERAGES), *TIERED)
# Name of a table that is not its coin's, and is not known.
UNKNOWN_TABLE = "?"


def tiers_named(name: str) -> list[Tier]:
    """Return the tiers that a table's name spells.

    >>> tiers_named("10 5@3e6")
    [Tier(lower_bound=0.0, max_leverage=10.0), Tier(lower_bound=3000000.0, max_leverage=5.0)]
    """
    steps = (step.split("@") for step in f"{name}".split())
    return [Tier(float((bound or ["0"])[0]), float(most)) for most, *bound in steps]


def implied_by(name: str, size: np.ndarray, mark: np.ndarray, px: np.ndarray) -> np.ndarray:
    """Return the margin that each price implies by one table, USD; NaN where there is none."""
    table = TierTable.of({"": tiers_named(name)})
    rows = np.zeros(size.size, np.int64)
    return implied_margin(size, mark, px, rows, table.first, table.rate, table.deduction)


def shown_tables(
    size: np.ndarray, mark: np.ndarray, px: np.ndarray, margin: np.ndarray
) -> list[str | None]:
    """Return the table by which each price implies its account's margin.

    Parameters
    ----------
    size, mark, px, margin : float64[n]
        Coins, signed; USD; USD; USD that the account's other prices imply.

    Returns
    -------
    list
        The first of ``TABLES`` that does; None: none of them.
    """
    found: list[str | None] = [None] * size.size
    for name in reversed(TABLES):
        implied = implied_by(name, size, mark, px)
        for row in np.flatnonzero(np.abs(implied - margin) <= AGREE * np.abs(margin)):
            found[row] = name
    return found
