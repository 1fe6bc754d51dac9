"""This module writes numbers of the world as the venue's JSON has them: decimals as strings."""

from pipelines.simulator.values import decimal_text

MOST = 10**15  # USD: prices above are none


def px_text(units: int, size_decimals: int) -> str:
    """Write a price in units.

    >>> px_text(914005, 5)
    '91400.5'
    """
    return decimal_text(int(units), 6 - size_decimals)


def size_text(lots: int, size_decimals: int) -> str:
    """Write a size in lots.

    >>> size_text(-785, 5)
    '-0.00785'
    """
    return decimal_text(int(lots), size_decimals)


def usd_text(micro: int) -> str:
    """Write micro-USDC.

    >>> usd_text(4_967_826)
    '4.967826'
    """
    return decimal_text(int(micro), 6)


def real_text(value: float, places: int) -> str:
    """Write a real number, rounded to ``places`` decimals; infinities and NaN have no text.

    >>> real_text(-0.0026789003, 8), real_text(1.25e-05, 10), real_text(-1e-12, 8)
    ('-0.0026789', '0.0000125', '0.0')
    """
    whole, _, part = f"{value:.{places}f}".partition(".")
    part = part.rstrip("0") or "0"
    text = f"{whole}.{part}"
    return "0.0" if text == "-0.0" else text


def half_px_text(twice: int, size_decimals: int) -> str:
    """Write half of a price in units, such as the middle of two, exactly.

    >>> half_px_text(923600 + 923770, 5)
    '92368.5'
    """
    return decimal_text(5 * int(twice), 7 - size_decimals)


def liquidation_text(px: float | None) -> str | None:
    """Write a liquidation price; None where the venue has none: at 0, below, and far above.

    >>> liquidation_text(2866.269365294), liquidation_text(-3.0), liquidation_text(None)
    ('2866.26936529', None, None)
    """
    if px is None or not 0 < px <= MOST:
        return None
    return real_text(px, 8)
