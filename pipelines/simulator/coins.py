"""This module lists the coins of the simulated venue.

Names, maximum leverages and tiers are the venue's as documented; prices are those of early
January 2026 to two or three figures, and the rest is chosen so that the world moves like one.
"""

from typing import NamedTuple

from pipelines.sources.documented_tiers import tiers_of
from warehouse.margin import Tier


class Coin(NamedTuple):
    """One coin.

    Attributes
    ----------
    name
        Symbol.
    px
        Price at the start, USD.
    size_decimals
        Decimals of an order's size.
    max_leverage
        Of its lowest tier.
    beta
        Move for a move of 1 of the market.
    own_vol
        Volatility of its own, a fraction per square root of a year.
    weight
        Of all positions, relative to the other coins.
    half_spread
        Of its book in calm, basis points.
    old_leverage
        Maximum leverage that positions from before a change keep; 0: there was no change.
    """

    name: str
    px: float
    size_decimals: int
    max_leverage: int
    beta: float
    own_vol: float
    weight: float
    half_spread: float
    old_leverage: int = 0

    @property
    def tiers(self) -> list[Tier]:
        """Margin tiers, the documented ones where there are."""
        return tiers_of(self.name, self.max_leverage)


COINS = (
    Coin("BTC", 91_400.0, 5, 40, 1.00, 0.12, 40.0, 0.4),
    Coin("ETH", 3_140.0, 4, 25, 1.25, 0.25, 26.0, 0.5),
    Coin("SOL", 137.0, 2, 20, 1.45, 0.35, 12.0, 0.5),
    Coin("HYPE", 25.6, 2, 10, 1.50, 0.60, 10.0, 0.9),
    Coin("XRP", 2.09, 0, 20, 1.30, 0.40, 6.0, 0.7),
    Coin("DOGE", 0.142, 0, 10, 1.50, 0.45, 4.0, 0.9),
    Coin("FARTCOIN", 0.38, 1, 10, 1.90, 0.90, 2.5, 1.8),
    Coin("kPEPE", 0.0058, 0, 10, 1.80, 0.70, 2.5, 1.4),
    Coin("SUI", 1.78, 1, 10, 1.55, 0.55, 2.4, 1.3),
    Coin("PUMP", 0.0024, 0, 10, 1.80, 0.90, 2.2, 1.8),
    Coin("LINK", 13.2, 1, 10, 1.40, 0.45, 1.8, 1.1),
    Coin("AVAX", 13.6, 2, 10, 1.45, 0.50, 1.6, 1.1),
    Coin("ENA", 0.24, 0, 10, 1.70, 0.75, 1.5, 1.6),
    Coin("AAVE", 165.0, 2, 10, 1.45, 0.50, 1.4, 1.3),
    Coin("ZEC", 410.0, 2, 10, 1.10, 1.00, 1.4, 1.4),
    Coin("ADA", 0.40, 0, 10, 1.35, 0.45, 1.2, 1.1),
    Coin("WIF", 0.38, 0, 5, 1.80, 0.85, 0.8, 2.2, 10),
    Coin("GOAT", 0.042, 0, 3, 1.80, 1.10, 0.5, 2.9, 5),
    Coin("GRASS", 0.31, 1, 3, 1.60, 0.95, 0.5, 2.9, 5),
    Coin("POPCAT", 0.098, 0, 3, 1.80, 0.95, 0.5, 2.5, 10),
)


def listed(count: int) -> tuple[Coin, ...]:
    """Return ``count`` coins: those above, and made-up ones after them.

    >>> [coin.name for coin in listed(22)[-2:]]
    ['SIM20', 'SIM21']
    """
    made = (
        Coin(
            f"SIM{number}",
            round(0.05 * 1.07 ** (number % 97), 4),
            1,
            (3, 5, 10)[number % 3],
            round(1.2 + 0.05 * (number % 15), 2),
            round(0.6 + 0.05 * (number % 9), 2),
            0.3,
            2.0 + number % 3,
        )
        for number in range(len(COINS), count)
    )
    return (*COINS[:count], *made)
