"""This module charges the funding that falls due at an open, and within a bar.

Of a payment within a bar, or a part of one, it is known when it fell due, and not where in the
bar a position began or ended.  Who held the same coins all the way pays all of it.  Of who did
not, the pessimistic reading takes every payment that costs and none that brings, the optimistic
one the reverse.  The bound is booked before anything else happens, so that a margin that is
gone with it is gone, and taken back where the position came through unchanged.

``piece`` is told in :mod:`backtest.kernels.piece`.
"""

import numpy as np

from backtest.records import OPTIMISTIC
from warehouse.kernels._jit import kernel


@kernel
def pay_at_open(h, cash, bar):
    """Charge what is due at the open of a bar to who held before it."""
    if h.side != 0 and bar.funding_rate != 0.0:
        paid_on = bar.open_px if np.isnan(bar.oracle_px) else bar.oracle_px
        due = h.coins * paid_on * bar.funding_rate
        h.funding += due
        cash[0] -= due


@kernel
def bound_of(h, by_longs, by_shorts, reading):
    """Return the most that a position may pay of payments, of the optimistic reading the least.

    Parameters
    ----------
    h : HELD
        The position.
    by_longs, by_shorts : float64
        Sum of what longs pay, and of what shorts pay, USD a coin, 0 or more.
    reading : int
        ``PESSIMISTIC``, ``OPTIMISTIC`` or ``DRILLED``.

    Returns
    -------
    float64
        USD; below 0: it is paid.
    """
    costs, brings = (by_longs, by_shorts) if h.side > 0 else (by_shorts, by_longs)
    return abs(h.coins) * (-brings if reading == OPTIMISTIC else costs)


@kernel
def charge_bound(h, cash, piece, reading):
    """Book the bound of what falls due within a piece."""
    if piece[6] != 0.0 or piece[7] != 0.0:
        bound = bound_of(h, piece[6], piece[7], reading)
        h.funding += bound
        cash[0] -= bound
        h.bounded = True


@kernel
def settle(h, cash, piece, before, unchanged):
    """Take the bound back from who came through a piece unchanged, and book what fell due.

    ``before``: funding and cash before the bound was booked.
    """
    if h.side == 0 or not h.bounded:
        return
    h.bounded = False
    if unchanged:
        due = h.coins * (piece[6] - piece[7])
        h.funding = before[0] + due
        cash[0] = before[1] - due
    else:
        h.ambiguous = True


@kernel
def may_still_owe(h, bar, reading, paid):
    """Return how much more of a bar's payments a position may owe than it ``paid``, USD.

    Of the optimistic reading, how much less, 0 or below.
    """
    if h.side == 0:
        return 0.0
    left = bound_of(h, bar.paid_by_longs, bar.paid_by_shorts, reading) - paid
    return min(left, 0.0) if reading == OPTIMISTIC else max(left, 0.0)


@kernel
def pays_inside(bar):
    """Return whether anything falls due within a bar."""
    return bar.paid_by_longs != 0.0 or bar.paid_by_shorts != 0.0
