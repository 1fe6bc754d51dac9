"""This module says what a reader of a study must know of what an account may do."""

import numpy as np

from backtest.bars import Bars
from backtest.instrument import Margin
from backtest.terms import AT_ONCE, Terms

MINUTE = np.timedelta64(60_000_000, "us")


def limits_of(coin: str, margin: Margin | None, terms: Terms) -> str:
    """Return the sentence on what the account may enter and when it is liquidated."""
    least = terms.leverage if margin is None else min(terms.leverage, margin.max_leverage)
    most = f"{coin}: an entry may be worth {least:g} times equity"
    if margin is None:
        return (
            f"{most}; the coin's margin tiers are not known at the first close, so its "
            "positions are never liquidated."
        )
    count = margin.tiers.rate.size
    return (
        f"{most}; the account is liquidated by the coin's {count} margin "
        f"tier{'s' if count > 1 else ''} of the first close."
    )


def delay_of(bars: Bars, fine: Bars | None, latency: np.timedelta64) -> str | None:
    """Return how late decisions are at the venue; null: they travel no time.

    A replay sees no prices between opens, so whoever is late for one has the next.
    """
    if latency == AT_ONCE:
        return None
    seen = bars if fine is None else fine
    opens = -(-latency // seen.width) * seen.width
    finest = ", for no finer bars are held" if fine is None else ""
    seconds = latency / np.timedelta64(1, "s")
    return (
        f"{bars.coin}: a decision that travels {seconds:g} s is at the venue "
        f"{opens / MINUTE:g} min after its close, at an open of its {seen.interval} bars"
        f"{finest}."
    )
