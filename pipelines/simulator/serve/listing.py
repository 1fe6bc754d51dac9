"""This module says what is listed: coins, margin tables, and whose address is whose."""

from typing import Any, NamedTuple

from pipelines.simulator.world import Simulation
from warehouse.margin import Tier

# A table's number below this is its only maximum leverage.
FIRST_TIERED = 51


class Listing(NamedTuple):
    """What does not change while a world runs.

    Attributes
    ----------
    names, size_decimals, max_leverage, tables
        Of each coin, in the venue's order; ``tables`` are numbers of margin tables.
    margin_tables
        Number -> tiers, of those with more than one.
    addresses
        Of each account, in order.
    account_of, coin_of
        Address in lower case, and name, -> number.
    """

    names: tuple[str, ...]
    size_decimals: tuple[int, ...]
    max_leverage: tuple[int, ...]
    tables: tuple[int, ...]
    margin_tables: dict[int, tuple[Tier, ...]]
    addresses: list[str]
    account_of: dict[str, int]
    coin_of: dict[str, int]


def listing_of(sim: Simulation) -> Listing:
    """Return what a world lists; coins with the same tiers share a table."""
    numbers: dict[tuple[Tier, ...], int] = {}
    tables = []
    for coin in sim.coins:
        tiers = tuple(coin.tiers)
        if len(tiers) == 1:
            tables.append(int(tiers[0].max_leverage))
        else:
            tables.append(numbers.setdefault(tiers, FIRST_TIERED + len(numbers)))
    return Listing(
        tuple(coin.name for coin in sim.coins),
        tuple(coin.size_decimals for coin in sim.coins),
        tuple(coin.max_leverage for coin in sim.coins),
        tuple(tables),
        {number: tiers for tiers, number in numbers.items()},
        sim.addresses,
        {address: number for number, address in enumerate(sim.addresses)},
        {coin.name: number for number, coin in enumerate(sim.coins)},
    )


def meta(listing: Listing, listed: list[int]) -> dict[str, Any]:
    """Return the answer to ``meta``; ``listed``: 1 for each coin that still is."""
    universe = []
    for c, name in enumerate(listing.names):
        coin = {
            "szDecimals": listing.size_decimals[c],
            "name": name,
            "maxLeverage": listing.max_leverage[c],
            "marginTableId": listing.tables[c],
        }
        # The venue leaves the field out for coins that are traded.
        universe.append(coin if listed[c] else {**coin, "isDelisted": True})
    return {
        "universe": universe,
        "marginTables": [
            [number, margin_table(listing, number)] for number in listing.margin_tables
        ],
        "collateralToken": 0,
    }


def margin_table(listing: Listing, number: int) -> dict[str, Any] | None:
    """Return one margin table; None: there is none of this number."""
    tiers = listing.margin_tables.get(number)
    if tiers is not None:
        name = f"tiered {int(tiers[0].max_leverage)}x"
    elif 0 < number < FIRST_TIERED:
        tiers, name = (Tier(0.0, number),), ""
    else:
        return None
    return {
        "description": name,
        "marginTiers": [
            {"lowerBound": str(float(tier.lower_bound)), "maxLeverage": int(tier.max_leverage)}
            for tier in tiers
        ],
    }
