"""This module turns the world's whole numbers into USD, coins, and the venue's decimals."""

import numpy as np

from pipelines.simulator.records import MICRO


def px_usd(units: np.ndarray, coin: np.ndarray, size_decimals: np.ndarray) -> np.ndarray:
    """Return prices in USD.

    >>> px_usd(np.array([914005]), np.array([0]), np.array([5])).tolist()
    [91400.5]
    """
    return units / 10.0 ** (6 - size_decimals[coin])


def size_coins(lots: np.ndarray, coin: np.ndarray, size_decimals: np.ndarray) -> np.ndarray:
    """Return sizes in coins.

    >>> size_coins(np.array([-25]), np.array([0]), np.array([2])).tolist()
    [-0.25]
    """
    return lots / 10.0 ** size_decimals[coin]


def usd(micro: np.ndarray) -> np.ndarray:
    """Return USDC of micro-USDC."""
    return micro / MICRO


def decimal_text(number: int, decimals: int) -> str:
    """Write a whole number of 10^-``decimals`` as the venue writes numbers.

    >>> decimal_text(914005, 1), decimal_text(-20, 6), decimal_text(15, 0), decimal_text(0, 2)
    ('91400.5', '-0.00002', '15.0', '0.0')
    """
    sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(decimals + 1, "0")
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{sign}{whole}.{part.rstrip('0') or '0'}"
