"""This module says what the four prices of a bar do to the levels of a position.

A bar says how far the price went both ways, and not in which order.  Where the order decides,
the bar is ambiguous, and there are two readings: the pessimistic one takes every loss that may
have come first, the optimistic one every gain.

Prices are compared through ``side`` (+1 long, -1 short): ``side * (a - b) >= 0`` says that
``a`` is at least as good for the position as ``b``.
"""

from backtest.records import STILL_OPEN, STOP, TARGET
from warehouse.kernels._jit import kernel

# Since when a position lives in a bar: since its open, or since the price reached its entry.  A
# limit is reached by a price that moves against the position: what lies behind it comes after,
# what lies ahead may have come before.  A stop entry is the reverse.
SINCE_OPEN, BY_LIMIT, BY_STOP = 0, 1, 2


@kernel
def exit_in_bar(side, behind, target, through, high_px, low_px, close_px, since, optimistic):
    """Say whether and where a position ends after the open of a bar.

    Parameters
    ----------
    side : int
        +1 long, -1 short.
    behind : float64
        Level that ends it at a loss, or at what is left of a gain: stop, trailing stop or
        liquidation, whichever is nearest, USD.  NaN: there is none.
    target : float64
        Resting limit, USD.  NaN: there is none.
    through : float64
        How far beyond the target the price must trade, USD, 0 or more.
    high_px, low_px, close_px : float64
        The bar, USD.
    since : int
        ``SINCE_OPEN``, ``BY_LIMIT`` or ``BY_STOP``.
    optimistic : bool
        The reading.

    Returns
    -------
    reason : int
        ``STILL_OPEN``, ``STOP`` (the level behind) or ``TARGET``.
    ambiguous : bool
        The other reading says something else.
    """
    worst, best = (low_px, high_px) if side > 0 else (high_px, low_px)
    may_stop = side * (worst - behind) <= 0.0
    may_reach = side * (best - target) >= through
    must_stop, must_reach = may_stop, may_reach
    if since == BY_LIMIT:
        must_reach = side * (close_px - target) >= through
    elif since == BY_STOP:
        must_stop = side * (close_px - behind) <= 0.0
    cautious = STOP if may_stop else (TARGET if must_reach else STILL_OPEN)
    hopeful = TARGET if may_reach else (STOP if must_stop else STILL_OPEN)
    return (hopeful if optimistic else cautious), cautious != hopeful


@kernel
def trail_in_bar(side, fraction, best_px, high_px, low_px, close_px, since, optimistic):
    """Draw a trailing stop along a bar that has not ended its position otherwise.

    Parameters
    ----------
    side, high_px, low_px, close_px, since, optimistic
        As in :func:`exit_in_bar`.
    fraction : float64
        Distance from the best price, as a fraction of it.
    best_px : float64
        Best price before the bar, USD.

    Returns
    -------
    best : float64
        Best price with the bar, USD; of a bar in which a limit was filled only the close is
        sure to have come after.
    level : float64
        Where the trailing stop then lies, USD.
    hit : bool
        The bar came back to it: by its close for sure, by its extreme perhaps, which the
        pessimistic reading takes to have come last.
    ambiguous : bool
        The other reading says something else.
    """
    worst, kind = (low_px, high_px) if side > 0 else (high_px, low_px)
    if since == BY_LIMIT:
        kind = worst = close_px
    best = max(best_px, kind) if side > 0 else min(best_px, kind)
    level = best * (1.0 - side * fraction)
    must = side * (close_px - level) <= 0.0
    may = must or side * (worst - level) <= 0.0
    return best, level, (must if optimistic else may), may != must
