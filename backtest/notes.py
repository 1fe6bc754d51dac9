"""This module says what a reader of a study must know of what an account may do."""

from backtest.instrument import Margin
from backtest.terms import Terms


def limits_of(coin: str, margin: Margin | None, terms: Terms) -> str:
    """Return the sentence on what the account may enter and when it is liquidated."""
    least = terms.leverage if margin is None else min(terms.leverage, margin.max_leverage)
    most = f"{coin}: an entry may be worth {least:g} times equity"
    if margin is None:
        return (
            f"{most}; the coin's margin tiers are not known at the start, so its positions are "
            "never liquidated."
        )
    count = margin.tiers.rate.size
    return (
        f"{most}; the account is liquidated by the coin's {count} margin "
        f"tier{'s' if count > 1 else ''} of the start."
    )
