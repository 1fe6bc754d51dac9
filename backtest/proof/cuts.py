"""This module draws the moments at which a proof takes the future away.

What a leak changes is a decision, and it shows where a cut follows that decision at once: there
the future is another one from the next bar on.  So cuts follow entries, spread over the period.
"""

import numpy as np

from backtest.bars import Bars

CUTS = 8


def cut_rows(
    bars: Bars, side: np.ndarray, cuts: int | None, rng: np.random.Generator
) -> list[int]:
    """Return the bars of a period whose closes are cuts, rising.

    Parameters
    ----------
    bars
        Bars of the period.
    side : int8[n]
        What was decided at each close, 0: no entry.
    cuts
        How many; fewer where there are fewer closes; null: one after every entry, and one
        before the first and the last, or ``CUTS`` where there is no entry.
    rng
        Draws all but the first and the last entry.

    Returns
    -------
    list
        The first and the last close at which an entry was decided; the closes before these,
        for who enters in the bar that decides does so there; then entries, one of each of as
        many stretches with equally many of them; and closes without one where there are too
        few.  None lies before a hole, nor is the last of all: what is decided there cannot
        fill.
    """
    if cuts is not None and cuts < 1:
        raise ValueError(f"cuts {cuts} must be 1 or more")
    follows = followed(bars)
    entries = np.flatnonzero(follows & (side != 0))
    wanted = edge_rows(bars, side)
    if cuts is None:
        if entries.size:
            return sorted({*wanted, *entries.tolist()})
        cuts = CUTS
    chosen = set(wanted[:cuts])
    chosen |= _spread(entries, chosen, cuts, rng)
    chosen |= _spread(np.flatnonzero(follows), chosen, cuts, rng)
    return sorted(chosen)


def edge_rows(bars: Bars, side: np.ndarray) -> list[int]:
    """Return the first and the last entry, and the closes before these, which nobody draws.

    Parameters
    ----------
    bars, side
        As of :func:`cut_rows`.
    """
    follows = followed(bars)
    entries = np.flatnonzero(follows & (side != 0))
    edges = entries[[0, -1]] if entries.size else entries
    before = edges[edges > 0] - 1
    # Each once, in this order.
    return list(dict.fromkeys([*edges.tolist(), *before[follows[before]].tolist()]))


def followed(bars: Bars) -> np.ndarray:
    """Return, bool[n], the bars that another one follows at once."""
    follows = np.zeros(len(bars), bool)
    follows[:-1] = bars.start[1:] == bars.end[:-1]
    return follows


def _spread(
    rows: np.ndarray, chosen: set[int], most: int, rng: np.random.Generator
) -> set[int]:
    """Draw one of each stretch of ``rows``, until ``most`` are chosen."""
    left = np.setdiff1d(rows, sorted(chosen))
    number = min(max(most - len(chosen), 0), left.size)
    parts = np.array_split(left, number) if number else []
    return {int(rng.choice(part)) for part in parts}
