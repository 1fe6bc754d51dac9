"""This module moves a rule's entries to random times.

What an entry earns because it is this kind of order in this market (its side, its levels, its
holding time, its hour of the day), it earns at any time; only what it earns beyond that is the
rule's.

All entries of a day, those of all coins alike, move to another day that began as restless
(:mod:`backtest.placebos.days_alike`), to the same time of day: they stay as close to each other
as they were.  Scattered one by one they would even out what entries of an hour have in common,
and a rule's luck would look like skill.

Other times of the same day are no placebo.  Those before an entry saw the move that it answers:
where nothing can be earned, a rule that buys falls was better than they in all of 1,000 made-up
markets, and one that follows them in none, whatever edge it had.
"""

import numpy as np

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.placebos.days_alike import DaysAlike
from backtest.records import LEFT, NOT_TAKEN, TIME
from backtest.replay import Replay

# Fields that are prices, and move along with the close.
LEVELS = ("px", "stop_px", "target_px")


def random_times(
    decisions: Decisions,
    played: Replay,
    bars: Bars,
    allowed: np.ndarray,
    alike: DaysAlike,
    rng: np.random.Generator,
) -> Decisions:
    """Return the same entries on other days.

    Parameters
    ----------
    decisions
        Of the rule, one per bar of the period.
    played
        What came of them: only entries that reached the venue are moved.
    bars
        Of the period.
    allowed : bool[n]
        Closes that may be entered at, those of the entries among them.
    alike
        Days of all coins, those of ``allowed`` among them.
    rng
        Where the draws come from; the days come first, so that one seed moves all coins alike.

    Returns
    -------
    Decisions
        Each at the allowed close of its new day that is nearest in time of day; where the day
        has none, or two come to one close, an entry is left out.  Levels that are prices lie as
        far from the new close as from the old one.  Where the rule closes trades itself, each
        is held as long as a drawn one that it or its time closed; moves of levels are left out.

    Raises
    ------
    ValueError
        If an entry is to be moved from a close that is not allowed.
    """
    entries = entered(played)
    if not allowed[entries].all():
        raise ValueError(f"entry {entries[~allowed[entries]][0]} lies at a close not allowed")
    moved = Decisions.of(np.zeros(len(decisions), np.int8))
    if not entries.size:
        return moved
    end, places = bars.end, np.flatnonzero(allowed)
    day = end[entries].astype("datetime64[D]")
    to = alike.drawn(rng)[np.searchsorted(alike.day, day)]
    near = places[_nearest(end[places], end[entries] + (to - day))]
    found = end[near].astype("datetime64[D]") == to
    drawn, first = np.unique(near[found], return_index=True)
    entries = entries[found][first]
    orders = moved.orders
    orders[drawn] = decisions.orders[entries]
    ratio = bars.close_px[drawn] / bars.close_px[entries]
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


def entered(played: Replay) -> np.ndarray:
    """Return, int64[k], the closes whose entries reached the venue."""
    return np.flatnonzero(played.outcome[:, 0] != NOT_TAKEN)


def _nearest(moments: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the number of the moment nearest to each wanted one, of two the earlier."""
    after = np.minimum(np.searchsorted(moments, wanted), moments.size - 1)
    before = np.maximum(after - 1, 0)
    later = np.abs(moments[after] - wanted) < np.abs(wanted - moments[before])
    return np.where(later, after, before)
