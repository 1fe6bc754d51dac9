"""This module takes one coin through one bar: whole, in parts, or by its finer bars."""

from backtest.kernels.orders import NOTHING
from backtest.kernels.piece import level_behind, live
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
def through_bar(book, terms, decisions, coin, bar, bars, fine, rows, cut, others):
    """Take one coin through one bar, whole or in two parts.

    The decisions ``rows[0]`` to ``rows[1] - 1`` reach the venue at its open; where ``cut`` is
    one of its finer bars, the last of them does so there.
    """
    b = bars[bar, coin]
    h = book[0][coin]
    reading = terms[0][0].reading
    is_cut = cut > b.first
    early = rows[1] - 1 if is_cut else rows[1]
    for part in range(2 if is_cut else 1):
        first = cut if part == 1 else b.first
        last = cut if is_cut and part == 0 else b.last
        piece = joined(fine, first, last, b.curve) if is_cut else whole(b)
        now = (rows[0], early) if part == 0 else (early, rows[1])
        if reading != DRILLED or first == last:
            hopes = reading == OPTIMISTIC
            opens = part == 0
            live(book, terms, decisions, coin, bar, piece, opens, now, others, hopes)
            continue
        for i in range(first, last):
            f = fine[i]
            grain = f.open_px, f.high_px, f.low_px, f.close_px, f.volume, b.curve
            opens = part == 0 and i == first
            mine = now if i == first else (0, 0)
            live(book, terms, decisions, coin, bar, grain, opens, mine, others, False)
            if h.side == 0 and h.order == NOTHING:
                break
    book[2][coin] = b.close_px
