"""This module says what a reader of a study must know of the maps and costs behind it."""

import numpy as np

from backtest.bars import Bars
from backtest.instrument import Margin
from backtest.maps import Maps
from backtest.market import is_simulated, mixed
from backtest.terms import Costs, Terms


def notes_of(
    coin: str,
    bars: Bars,
    asked: np.ndarray,
    maps: Maps,
    decimals: int | None,
    knowable: bool,
    costs: Costs,
) -> list[str]:
    """Return what a reader must know of the maps and costs that were used."""
    notes = []
    known = maps.known
    if count := int(asked.sum()):
        when = "published by then" if knowable else "taken by then"
        notes.append(f"{coin}: {known.sum()} of {count} signals had a map {when}.")
    if known.any():
        ages = (bars.end[known] - maps.snapshot_ts[known]) / np.timedelta64(1, "h")
        notes.append(
            f"{coin}: at those signals the map was {np.median(ages):.1f} h old in the median, "
            f"{ages.max():.1f} h at most."
        )
    others = [name for name in maps.sources if is_simulated(name) != is_simulated(bars.source)]
    if others:
        notes.append(mixed(coin, bars.source, "positions", ", ".join(sorted(others))))
    if decimals is None:
        notes.append(
            f"{coin}: the decimals of its sizes are not known at the start, so ticks follow "
            "from five significant figures alone."
        )
    if not knowable:
        notes.append(
            f"{coin}: maps are used from the moment they describe, which no follower of an "
            "archive could have done."
        )
    if costs.funding == "none":
        notes.append(f"{coin}: funding is left out, as asked.")
    return notes


def limits_of(coin: str, margin: Margin | None, terms: Terms) -> str:
    """Return the sentence on what the account may enter and when it is liquidated."""
    most = f"{coin}: an entry may be worth {terms.leverage:g} times equity"
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
