"""This module says in plain words what a comparison shows, most often nothing."""

from backtest.statistics.comparison import FEWEST_DAYS, FEWEST_TRADES, Comparison


def verdict(variant: str, pessimistic: Comparison, optimistic: Comparison) -> str:
    """Return one or two sentences on whether the map helped.

    Parameters
    ----------
    variant
        What the rule used of the map.
    pessimistic, optimistic
        The comparison with the rule without the map, under both readings of ambiguous bars.

    Notes
    -----
    An edge, for or against, is named only where there are 30 trades on each side and both
    readings put the whole 95 % interval on the same side of 0.
    """
    fewest = min(pessimistic.trades_with, pessimistic.trades_without)
    if fewest < FEWEST_TRADES:
        return (
            f"{variant}: {_trades(pessimistic.trades_with)} with the map and "
            f"{pessimistic.trades_without} without are too few trades to say anything "
            f"(at least {FEWEST_TRADES} of each)."
        )
    means = (
        f"{variant}: {_percent(pessimistic.mean_with)} a trade over "
        f"{_trades(pessimistic.trades_with)} against {_percent(pessimistic.mean_without)} over "
        f"{pessimistic.trades_without} without the map, after costs"
    )
    if pessimistic.low is None or optimistic.low is None:
        return f"{means}. No interval can be drawn for the difference, so no edge is shown."
    interval = (
        f"the difference of {_percent(pessimistic.difference)} has a 95 % interval from "
        f"{_percent(pessimistic.low)} to {_percent(pessimistic.high)}"
    )
    if pessimistic.edge and pessimistic.edge == optimistic.edge:
        word = "better" if pessimistic.edge > 0 else "worse"
        caution = (
            f" {pessimistic.days} days are few for such an interval: do not trust it yet."
            if pessimistic.days < FEWEST_DAYS
            else ""
        )
        return f"{means}; {interval}: {word} with the map on these trades.{caution}"
    if pessimistic.edge or optimistic.edge:
        return f"{means}; {interval}, but the two readings of ambiguous bars disagree: no edge."
    return f"{means}; {interval}, which spans 0: no edge is shown."


def _trades(count: int) -> str:
    return f"{count} trade" if count == 1 else f"{count} trades"


def _percent(fraction: float | None) -> str:
    return "none" if fraction is None else f"{fraction * 100:+.2f} %"
