"""This module moves a rule's entries to random times.

What an entry earns because it is this kind of order in this market (its side, its levels, its
holding time), it earns at any time; only what it earns beyond that is the rule's.

All entries are moved on as one, round the end of the period to its start, those of all coins by
the same: they stay as close to each other as they were.  Scattered one by one they would even
out what entries of an hour have in common, and a rule's luck would look like skill: of 200
rules without an edge on eight coins that move together a quarter had p <= 0.05, moved as one
8 %.
"""

import numpy as np

from backtest.decisions import Decisions
from backtest.records import LEFT, NOT_TAKEN, TIME
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
    """Return the same entries, all moved on by one random number of closes.

    Parameters
    ----------
    decisions
        Of the rule, one per bar of the period.
    played
        What came of them: only entries that reached the venue are moved.
    close_px : float64[n]
        Of the bars, USD.
    allowed : bool[n]
        Closes that may be entered at, those of the entries among them.
    rng
        Where the draws come from.  Its first number says how far, as a share of the closes that
        may be entered at, so that one seed moves all coins alike.

    Returns
    -------
    Decisions
        Levels that are prices lie as far from the new close as from the old one.  Where the
        rule closes trades itself, each is held as long as a drawn one that it or its time
        closed; moves of levels are left out.

    Raises
    ------
    ValueError
        If an entry is to be moved from a close that is not allowed.
    """
    n = len(decisions)
    entries = np.flatnonzero(played.outcome[:, 0] != NOT_TAKEN)
    places = np.flatnonzero(allowed)
    if not allowed[entries].all():
        raise ValueError(f"entry {entries[~allowed[entries]][0]} lies at a close not allowed")
    on = 1 + int(rng.random() * (places.size - 1))
    drawn = places[(np.searchsorted(places, entries) + on) % max(places.size, 1)]
    moved = Decisions.of(np.zeros(n, np.int8))
    orders = moved.orders
    orders[drawn] = decisions.orders[entries]
    ratio = close_px[drawn] / close_px[entries]
    for name in LEVELS:
        orders[name][drawn] *= ratio
    orders["leave"], orders["only_side"] = False, 0
    orders["move_stop_px"], orders["move_target_px"] = np.nan, np.nan
    reason = played.trades["reason"]
    if (reason == LEFT).any():
        # Without those that it would have closed later still, holding times were too short.
        closed = played.trades[np.isin(reason, (LEFT, TIME))]
        held = np.maximum(closed["left"] - closed["entered"], 1)
        orders["max_bars"][drawn] = rng.choice(held, drawn.size)
    return moved.but(wanted=moved.side.copy())
