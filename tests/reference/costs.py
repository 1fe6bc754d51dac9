"""What a market order costs, in loops over rows, as docs/replay.md says it."""

import math


def walked(bids, asks, size, bought):
    """Walk levels of ``(px, size)`` one by one; return the fraction of the mid given up."""
    mid = (bids[0][0] + asks[0][0]) / 2
    wanted = size / mid
    got = paid = 0.0
    for px, there in asks if bought else bids:
        take = min(there, wanted - got)
        got, paid = got + take, paid + take * px
        if got >= wanted:
            break
    given = (paid / got / mid - 1) * (1 if bought else -1)
    return given * math.sqrt(wanted / got) if got < wanted * (1 - 1e-12) else given


def law(candles, moment, size, said=None, bar=None):
    """Work the impact law out from ``(start, end, open, close, volume)`` in hours, or None.

    ``bar``: high, low and hours of one whose range may say more of the volatility.
    """
    before, took, squared, usd, counted = None, 0.0, 0.0, 0.0, 0.0
    for start, end, open_px, close_px, volume in candles:
        begun, px = (start, open_px) if before is None else before
        before = (end, close_px)
        if end > moment:
            break
        if begun >= moment - 24:
            took += end - begun
            squared += math.log(close_px / px) ** 2
        if start >= moment - 24 and volume is not None:
            counted += end - start
            usd += volume * close_px
    traded = said if said is not None else usd / counted * 24 if counted >= 6 else None
    if took < 6 or not traded:
        return None
    sigma = math.sqrt(squared / took * 24)
    if bar is not None:
        high, low, hours = bar
        sigma = max(sigma, math.log(high / low) / math.sqrt(4 * math.log(2) * hours / 24))
    return 1e-4 + sigma * math.sqrt(size / traded)
