"""This module takes one coin through one bar: whole, in parts, or by its finer bars."""

from backtest.kernels.orders import NOTHING
from backtest.kernels.piece import arrive, enter, go_on, level_behind
from backtest.records import DRILLED, OPTIMISTIC
from warehouse.kernels._jit import kernel


@kernel
def whole(bar):
    """Return a bar as a piece."""
    return bar.open_px, bar.high_px, bar.low_px, bar.close_px, bar.volume, bar.curve


@kernel
def joined(fine, first, last, curve):
    """Return finer bars ``first`` to ``last - 1`` as one piece."""
    high, low, volume = fine[first].high_px, fine[first].low_px, 0.0
    for i in range(first, last):
        high, low = max(high, fine[i].high_px), min(low, fine[i].low_px)
        volume += fine[i].volume
    return fine[first].open_px, high, low, fine[last - 1].close_px, volume, curve


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
        f = fine[b.first]
        return f.open_px, f.high_px, f.low_px, f.close_px, f.volume, b.curve
    return joined(fine, b.first, last, b.curve) if cut > b.first else whole(b)


@kernel
def at_its_open(b, rows, cut):
    """Return which of the decisions that reach the venue in a bar do so at its open."""
    return rows[0], rows[1] - 1 if cut > b.first else rows[1]


@kernel
def through_bar(book, terms, decisions, coin, bar, bars, fine, rows, cut, others):
    """Take one coin on from the open of one bar, whole or in two parts.

    Of the decisions ``rows[0]`` to ``rows[1] - 1`` the last reaches the venue at the open of
    ``cut`` where that is one of its finer bars; the others have, at its open.
    """
    b = bars[bar, coin]
    h = book[0][coin]
    reading = terms[0][0].reading
    is_cut = cut > b.first
    hopes = reading == OPTIMISTIC
    for part in range(2 if is_cut else 1):
        first = cut if part == 1 else b.first
        last = cut if is_cut and part == 0 else b.last
        piece = joined(fine, first, last, b.curve) if is_cut else whole(b)
        late = (rows[1] - 1, rows[1])
        if reading != DRILLED or first == last:
            if part == 1:
                arrive(book, terms, decisions, coin, bar, piece, False, late)
                enter(book, terms, decisions, coin, bar, piece, False)
            go_on(book, terms, decisions, coin, bar, piece, others, hopes)
            continue
        for i in range(first, last):
            f = fine[i]
            grain = f.open_px, f.high_px, f.low_px, f.close_px, f.volume, b.curve
            if part == 1 or i > first:
                mine = late if i == first else (0, 0)
                arrive(book, terms, decisions, coin, bar, grain, False, mine)
                enter(book, terms, decisions, coin, bar, grain, False)
            go_on(book, terms, decisions, coin, bar, grain, others, False)
            if h.side == 0 and h.order == NOTHING:
                break
