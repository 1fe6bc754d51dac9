"""This module replays entry decisions over the bars of one coin, one position at a time.

A decision is made at the close of a bar and fills at the open of the next.  From the bar of
its entry on, a position ends by its stop, its target or its time, or with the last bar.  Every
level is ``entry x (1 + fraction)`` or absolute, and a bar that opens beyond one fills there.
"""

import numpy as np

from warehouse.kernels._jit import kernel

# How a trade ended.
STILL_OPEN, STOP, TARGET, TIME, END = 0, 1, 2, 3, 4

# What became of a decision: none was taken (no side wanted, or a position was open); it opened
# a trade; its target was no longer ahead of the price at the fill, so it opened none.
NOT_TAKEN, OPENED, UNFILLED = 0, 1, 2


@kernel
def exit_in_bar(side, stop, target, open_px, high_px, low_px, fresh, expired, optimistic):
    """Say whether, where and why a position ends within one bar.

    Parameters
    ----------
    side : int
        +1 long, -1 short.
    stop, target : float64
        Levels, USD.  NaN: there is none.
    open_px, high_px, low_px : float64
        The bar, USD.
    fresh : bool
        The position was filled at this bar's open, so the open cannot lie beyond a level.
    expired : bool
        The position may not be held past this bar's open.
    optimistic : bool
        Which level a bar that spans both is taken to have reached first: true, the target.

    Returns
    -------
    reason : int
        ``STILL_OPEN``, ``STOP``, ``TARGET`` or ``TIME``.
    px : float64
        Fill, USD; NaN while open.
    ambiguous : bool
        The exit is at a level, and the bar spans the other level too.

    Notes
    -----
    Orders that rest at the venue (stop, target) come before the market order of an expiry
    when a bar opens beyond them.  Levels are reached by touch.
    """
    if not fresh:
        if side * (open_px - stop) <= 0.0:
            return STOP, open_px, False
        if side * (open_px - target) >= 0.0:
            return TARGET, open_px, False
        if expired:
            return TIME, open_px, False
    worst, best = (low_px, high_px) if side > 0 else (high_px, low_px)
    stopped = side * (worst - stop) <= 0.0
    reached = side * (best - target) >= 0.0
    if reached and (optimistic or not stopped):
        return TARGET, target, stopped
    if stopped:
        return STOP, stop, reached
    return STILL_OPEN, np.nan, False


@kernel
def replay(
    open_px,
    high_px,
    low_px,
    close_px,
    funding_rate,
    wanted,
    stop_fraction,
    target_px,
    target_fraction,
    max_bars,
    notional,
    taker_fee,
    maker_fee,
    optimistic,
):
    """Replay decisions over bars.

    Parameters
    ----------
    open_px, high_px, low_px, close_px : float64[n]
        Bars in order of time, USD.
    funding_rate : float64[n]
        What longs pay shorts, as a fraction of notional, between the opens of the bar before
        and of this one, the latter included.
    wanted : int8[n]
        Side decided at the bar's close: +1, -1, or 0 for none.  Not looked at while a position
        is open at that close, nor at the last close.
    stop_fraction : float64[n]
        Distance of the stop from the entry, as a fraction of it.  NaN: no stop.
    target_px : float64[n]
        Target, USD.  NaN: ``target_fraction`` says.
    target_fraction : float64[n]
        Distance of the target from the entry, as a fraction of it.  NaN: no target.
    max_bars : int64[n]
        Bars that the trade may be held; it leaves at the open after the last.  0: any number.
    notional : float64
        Size of every trade at its entry, USD.
    taker_fee, maker_fee : float64
        Fractions of notional.  Entry, stop, time and end take; a target rests.
    optimistic : bool
        How a bar that spans stop and target is read: true, the target first.

    Returns
    -------
    span : int64[k, 2]
        Entry and exit bar of each trade; its decision is of the bar before the entry.
    reason : int8[k]
        ``STOP``, ``TARGET``, ``TIME`` or ``END``.
    ambiguous : bool[k]
        The closing bar spans stop and target.
    money : float64[k, 8]
        Signed size (coins); then entry, exit, stop and target price, fees, funding paid and
        profit after both (USD).  NaN where there is no stop or target.
    position : float64[n]
        Coins held at each close, signed.
    profit : float64[n]
        Profit since the start at each close, an open position at the close, USD.
    outcome : int8[n]
        What became of the decision of each bar.

    Notes
    -----
    Funding due at a bar's open is charged before anything fills at that open: who enters there
    does not pay it, who leaves there does.  It is taken on the position's value at that open.
    O(n) time and space.
    """
    n = open_px.size
    span = np.empty((n, 2), dtype=np.int64)
    reasons = np.empty(n, dtype=np.int8)
    spans_both = np.empty(n, dtype=np.bool_)
    money = np.empty((n, 8))
    position = np.zeros(n)
    profit = np.zeros(n)
    outcome = np.zeros(n, dtype=np.int8)

    trades = 0
    banked = 0.0  # profit of closed trades
    side, held_since, may_hold = 0, 0, 0
    size, entry, stop, target, fees, funding = 0.0, np.nan, np.nan, np.nan, 0.0, 0.0

    for t in range(n):
        fresh = False
        if side != 0:
            funding += size * open_px[t] * funding_rate[t]
        elif t > 0 and wanted[t - 1] != 0:
            way = np.int64(wanted[t - 1])
            entry = open_px[t]
            target = target_px[t - 1]
            if np.isnan(target):
                target = entry * (1.0 + way * target_fraction[t - 1])
            if way * (target - entry) <= 0.0:
                outcome[t - 1] = UNFILLED
            else:
                outcome[t - 1] = OPENED
                side, held_since, may_hold, fresh = way, t, max_bars[t - 1], True
                size = side * notional / entry
                stop = entry * (1.0 - side * stop_fraction[t - 1])
                fees, funding = notional * taker_fee, 0.0

        if side != 0:
            expired = may_hold > 0 and t - held_since >= may_hold
            o, h, low = open_px[t], high_px[t], low_px[t]
            reason, px, both = exit_in_bar(
                side, stop, target, o, h, low, fresh, expired, optimistic
            )
            if reason == STILL_OPEN and t == n - 1:
                reason, px = END, close_px[t]
            if reason != STILL_OPEN:
                fees += abs(size) * px * (maker_fee if reason == TARGET else taker_fee)
                gain = size * (px - entry) - fees - funding
                span[trades] = held_since, t
                reasons[trades] = reason
                spans_both[trades] = both
                money[trades] = size, entry, px, stop, target, fees, funding, gain
                trades += 1
                banked += gain
                side = 0

        profit[t] = banked
        if side != 0:
            position[t] = size
            profit[t] += size * (close_px[t] - entry) - fees - funding

    return (
        span[:trades],
        reasons[:trades],
        spans_both[:trades],
        money[:trades],
        position,
        profit,
        outcome,
    )
