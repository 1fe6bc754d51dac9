"""This module moves a rule's entries to random times.

What an entry earns because it is this kind of order in this market (its side, its levels, its
holding time), it earns at any time; only what it earns beyond that is the rule's.
"""

import numpy as np

from backtest.decisions import Decisions
from backtest.records import LEFT, NOT_TAKEN
from backtest.replay import Replay

# Fields that are prices, and move along with the close.
LEVELS = ("px", "stop_px", "target_px")


def random_times(
    decisions: Decisions,
    played: Replay,
    close_px: np.ndarray,
    allowed: np.ndarray,
    rng: np.random.Generator,
) -> Decisions:
    """Return as many entries of the same sides and orders at random closes.

    Parameters
    ----------
    decisions
        Of the rule, one per bar of the period.
    played
        What came of them: only entries that reached the venue are moved.
    close_px : float64[n]
        Of the bars, USD.
    allowed : bool[n]
        Closes that may be drawn, each once at most.
    rng
        Where the draws come from.

    Returns
    -------
    Decisions
        Levels that are prices lie as far from the new close as from the old one.  Where the
        rule closes trades itself, each is held as long as a drawn one that it closed; moves of
        levels are left out.

    Raises
    ------
    ValueError
        If fewer closes are allowed than entries are to be moved.
    """
    n = len(decisions)
    entries = np.flatnonzero(played.outcome[:, 0] != NOT_TAKEN)
    places = np.flatnonzero(allowed)
    if entries.size > places.size:
        raise ValueError(f"{entries.size} entries do not fit into {places.size} closes")
    drawn = rng.permutation(rng.choice(places, entries.size, replace=False))
    moved = Decisions.of(np.zeros(n, np.int8))
    orders = moved.orders
    orders[drawn] = decisions.orders[entries]
    ratio = close_px[drawn] / close_px[entries]
    for name in LEVELS:
        orders[name][drawn] *= ratio
    orders["leave"], orders["only_side"] = False, 0
    orders["move_stop_px"], orders["move_target_px"] = np.nan, np.nan
    closed = played.trades[played.trades["reason"] == LEFT]
    if closed.size:
        held = np.maximum(closed["left"] - closed["entered"], 1)
        orders["max_bars"][drawn] = rng.choice(held, drawn.size)
    return moved.but(wanted=moved.side.copy())
