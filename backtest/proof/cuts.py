"""This module draws the moments at which a proof takes the future away."""

import numpy as np

from backtest.bars import Bars


def cut_rows(bars: Bars, side: np.ndarray, cuts: int, rng: np.random.Generator) -> list[int]:
    """Return the bars of a period whose closes are cuts, rising.

    Parameters
    ----------
    bars
        Bars of the period.
    side : int8[n]
        What was decided at each close, 0: no entry.
    cuts
        How many; fewer where there are fewer closes.
    rng
        Draws all but the first and the last entry.

    Returns
    -------
    list
        The first and the last close at which an entry was decided; the closes before these,
        for who enters in the bar that decides does so there; then half of them entries, and
        the others any.  None lies before a hole, nor is the last of all: what is decided there
        cannot fill.
    """
    if cuts < 1:
        raise ValueError(f"cuts {cuts} must be 1 or more")
    follows = np.zeros(len(bars), bool)
    follows[:-1] = bars.start[1:] == bars.end[:-1]
    entries = np.flatnonzero(follows & (side != 0))
    edges = entries[[0, -1]] if entries.size else entries
    before = edges[edges > 0] - 1
    # Each once, in this order.
    wanted = dict.fromkeys([*edges.tolist(), *before[follows[before]].tolist()])
    chosen = set(list(wanted)[:cuts])
    chosen |= _some(entries, chosen, (cuts + 1) // 2, rng)
    chosen |= _some(np.flatnonzero(follows), chosen, cuts, rng)
    return sorted(chosen)


def _some(rows: np.ndarray, chosen: set[int], most: int, rng: np.random.Generator) -> set[int]:
    """Draw of ``rows`` until ``most`` are chosen."""
    left = np.setdiff1d(rows, sorted(chosen))
    number = min(max(most - len(chosen), 0), left.size)
    return set(rng.choice(left, number, replace=False).tolist())
