"""This module takes one coin through one bar: whole, in parts, or by its finer bars."""

import numpy as np

from backtest.kernels.levels import level_behind
from backtest.kernels.orders import NOTHING
from backtest.kernels.payments import pay_at_open
from backtest.kernels.piece import arrive, enter, go_on
from backtest.records import DRILLED, OPTIMISTIC
from warehouse.kernels._jit import kernel


@kernel
def forced_row(bar, reading):
    """Return the row of curves that exits pay which the market forces within a bar."""
    return bar.curve if reading == OPTIMISTIC else bar.forced


@kernel
def grain(bar, b, reading):
    """Return a bar, or a finer bar of ``b``, as a piece."""
    return (
        bar.open_px,
        bar.high_px,
        bar.low_px,
        bar.close_px,
        bar.volume,
        b.curve,
        bar.paid_by_longs,
        bar.paid_by_shorts,
        forced_row(b, reading),
    )


@kernel
def joined(fine, first, last, b, reading, late):
    """Return finer bars ``first`` to ``last - 1`` of ``b`` as one piece.

    ``late``: what is due at the open of the first was charged there.
    """
    high, low, volume = fine[first].high_px, fine[first].low_px, 0.0
    by_longs = by_shorts = 0.0
    for i in range(first, last):
        high, low = max(high, fine[i].high_px), min(low, fine[i].low_px)
        volume += fine[i].volume
        by_longs += fine[i].paid_by_longs
        by_shorts += fine[i].paid_by_shorts
        if fine[i].funding_rate != 0.0 and not (late and i == first):
            paid_on = fine[i].open_px if np.isnan(fine[i].oracle_px) else fine[i].oracle_px
            by_longs += max(paid_on * fine[i].funding_rate, 0.0)
            by_shorts += max(-paid_on * fine[i].funding_rate, 0.0)
    close = fine[last - 1].close_px
    opened, forced = fine[first].open_px, forced_row(b, reading)
    return opened, high, low, close, volume, b.curve, by_longs, by_shorts, forced


@kernel
def is_quiet(h, liquidation, high_px, low_px):
    """Return whether no level of a position lies within a bar: its order is no matter."""
    worst, best = (low_px, high_px) if h.side > 0 else (high_px, low_px)
    behind, _ = level_behind(h, liquidation)
    if h.side * (worst - behind) <= 0.0 or h.side * (best - h.target_px) >= 0.0:
        return False
    furthest = best if h.side * (best - h.best_px) > 0.0 else h.best_px
    return not h.side * (worst - furthest * (1.0 - h.side * h.trail_fraction)) <= 0.0


@kernel
def first_piece(b, fine, reading, cut):
    """Return the piece that a bar opens with, and how far it goes; see :func:`through_bar`."""
    last = cut if cut > b.first else b.last
    if reading == DRILLED and b.first != last:
        return grain(fine[b.first], b, reading)
    if cut > b.first:
        return joined(fine, b.first, last, b, reading, False)
    return grain(b, b, reading)


@kernel
def at_its_open(b, rows, cut):
    """Return which of the decisions that reach the venue in a bar do so at its open."""
    return rows[0], rows[1] - 1 if cut > b.first else rows[1]


@kernel
def through_bar(book, terms, decisions, coin, bar, bars, fine, rows, cut, others):
    """Take one coin on from the open of one bar, whole or in two parts.

    Of the decisions ``rows[0]`` to ``rows[1] - 1`` the last reaches the venue at the open of
    ``cut`` where that is one of its finer bars; the others have, at its open.  What is due at
    the open of a finer bar falls due before anything else happens there, and at that of the
    first after all that happened at the bar's: it has been due since.
    """
    b = bars[bar, coin]
    h = book[0][coin]
    reading = terms[0][0].reading
    is_cut = cut > b.first
    hopes = reading == OPTIMISTIC
    for part in range(2 if is_cut else 1):
        first = cut if part == 1 else b.first
        last = cut if is_cut and part == 0 else b.last
        piece = grain(b, b, reading)
        if is_cut:
            piece = joined(fine, first, last, b, reading, part == 1)
        late = (rows[1] - 1, rows[1])
        if reading != DRILLED or first == last:
            if part == 1:
                pay_at_open(h, book[1], fine[first])
                arrive(book, terms, decisions, coin, bar, piece, False, late)
                enter(book, terms, decisions, coin, bar, piece, False)
            go_on(book, terms, decisions, coin, bar, piece, others, hopes)
            continue
        for i in range(first, last):
            piece = grain(fine[i], b, reading)
            pay_at_open(h, book[1], fine[i])
            if part == 1 or i > first:
                mine = late if i == first else (0, 0)
                arrive(book, terms, decisions, coin, bar, piece, False, mine)
                enter(book, terms, decisions, coin, bar, piece, False)
            go_on(book, terms, decisions, coin, bar, piece, others, False)
            if h.side == 0 and h.order == NOTHING:
                break
