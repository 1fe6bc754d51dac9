"""This module tells an open position to move a level, without touching what else it is told."""

import numpy as np

from backtest.decisions import Decisions


def last_side(side: np.ndarray) -> np.ndarray:
    """Return the side of the newest entry decided before each close; 0: none yet.

    What is decided while a position is open is not taken, so this may be another side than the
    position's: what is told of it is told with ``only_side``.
    """
    rows = np.maximum.accumulate(np.where(side != 0, np.arange(side.size), -1))
    return np.where(rows >= 0, side[rows], 0).astype(np.int8)


def move(made: Decisions, held: np.ndarray, name: str, px: np.ndarray) -> Decisions:
    """Return decisions that move a level of a position on ``held``.

    Parameters
    ----------
    made
        Decisions so far.  Where one of them leaves, or moves a level of the other side, it
        stays as it is.
    held : int8[n]
        Side of the position that is meant.
    name
        ``move_stop_px`` or ``move_target_px``.
    px : float64[n]
        New level, USD; NaN: as it is.
    """
    orders = made.orders
    spoken = ~(np.isnan(orders["move_stop_px"]) & np.isnan(orders["move_target_px"]))
    other = spoken & (orders["only_side"] != held)
    moves = ~np.isnan(px) & (held != 0) & ~orders["leave"] & ~other
    return made.but(
        only_side=np.where(moves, held, orders["only_side"]),
        **{name: np.where(moves, px, orders[name])},
    )
