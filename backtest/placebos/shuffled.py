"""This module shows a rule maps of other moments, and flow of other days.

If a map of any other moment, moved to the price of now, does as well, then nothing was learned
from this one.  All maps that were asked for, and all days, take part: what a shuffle breaks is
only which of them stands where.  They are moved on as one, those of all coins by the same share
of the period: maps that follow each other are alike, so are those of several coins, and a
shuffle that broke that too would even out the luck that it is there to show.
"""

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.placebos.atlas import Atlas
from backtest.placebos.flow_rows import flow_of_rows, rows_starting
from backtest.view import MapReader


def others(count: int, rng: np.random.Generator) -> np.ndarray | None:
    """Return another one for each of ``count``, all as far on, the first after the last.

    None: there is no other.

    >>> others(2, np.random.default_rng(0)).tolist()
    [1, 0]
    """
    if count < 2:
        return None
    return np.roll(np.arange(count), 1 + int(rng.random() * (count - 1)))


def shuffled_maps(atlas: Atlas, rng: np.random.Generator) -> MapReader | None:
    """Return a reader in which each map stands where another was.

    Parameters
    ----------
    atlas
        The maps; all closes that one snapshot answers see the same other one.
    rng
        Where the draw comes from.

    Returns
    -------
    callable or None
        None: there is one map, or none.
    """
    partner = others(atlas.snapshots.size, rng)
    return None if partner is None else atlas.reader(partner)


def shuffled_flow(flow: Flow, bars: Bars, rng: np.random.Generator) -> Flow | None:
    """Return flow in which each UTC day has that of another, at the same time of day.

    Parameters
    ----------
    flow
        One row per bar.
    bars
        With their warm-up.
    rng
        Where the draw comes from.

    Returns
    -------
    Flow or None
        Not known where the other day has no bar.  None: there is one day.
    """
    day = bars.start.astype("datetime64[D]")
    days, number = np.unique(day, return_inverse=True)
    partner = others(days.size, rng)
    if partner is None:
        return None
    return flow_of_rows(
        flow, rows_starting(bars.start, days[partner][number] + (bars.start - day))
    )
