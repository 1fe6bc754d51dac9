"""This module steps along the prices at which an order may be placed.

A price has at most 5 significant figures and at most 6 - size_decimals decimals; a whole
number is always allowed.  Source: the venue's documentation, tick and lot size (2026-08-22).
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

SIGNIFICANT_FIGURES = 5
DECIMALS = 6


def price_below(px: float, size_decimals: int | None = None) -> float:
    """Return the price one tick under ``px``, rounded down to a price that may be placed.

    Parameters
    ----------
    px
        USD, above 0.
    size_decimals
        Decimals of an order's size; null: not known, and only the 5 figures bind.

    Returns
    -------
    float
        USD; 0.0 where there is none left.

    Examples
    --------
    >>> price_below(70755.4, 5), price_below(10000.0, 0), price_below(0.012345, 0)
    (70754.0, 9999.9, 0.012344)
    """
    exact = _exact(px)
    floor = _rounded(exact, exact, size_decimals, ROUND_FLOOR)
    # The tick that leads down from a power of ten is the finer one of the decade below.
    inside = floor * (1 - Decimal("1e-9"))
    return float(_rounded(inside, inside, size_decimals, ROUND_FLOOR)) if floor else 0.0


def price_above(px: float, size_decimals: int | None = None) -> float:
    """Return the price one tick over ``px``, rounded up to a price that may be placed.

    Parameters
    ----------
    px
        USD, above 0.
    size_decimals
        As in :func:`price_below`.

    Examples
    --------
    >>> price_above(70755.4, 5), price_above(9999.9, 0), price_above(123456.7)
    (70757.0, 10000.0, 123458.0)
    """
    exact = _exact(px)
    ceiling = _rounded(exact, exact, size_decimals, ROUND_CEILING)
    return float(ceiling + tick_at(ceiling, size_decimals))


def tick_at(px: Decimal, size_decimals: int | None) -> Decimal:
    """Return the distance between neighbouring prices from ``px`` up, USD."""
    by_figures = Decimal(1).scaleb(px.adjusted() + 1 - SIGNIFICANT_FIGURES)
    tick = min(by_figures, Decimal(1))
    if size_decimals is None:
        return tick
    return max(tick, Decimal(1).scaleb(-max(DECIMALS - size_decimals, 0)))


def _rounded(px: Decimal, at: Decimal, size_decimals: int | None, rounding: str) -> Decimal:
    tick = tick_at(at, size_decimals)
    return (px / tick).to_integral_value(rounding) * tick


def _exact(px: float) -> Decimal:
    """Return the shortest decimal that is ``px``: 0.1 is a tenth, not its binary neighbour."""
    if not px > 0 or px == float("inf"):
        raise ValueError(f"price {px!r} must be above 0")
    return Decimal(repr(float(px)))
