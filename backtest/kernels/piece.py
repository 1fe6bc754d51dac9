"""This module takes one coin through a bar, or a part of one, of which four prices are known.

Tuples that the functions hand on:

``book``
    held : HELD[c]; cash : float64[1]; px : float64[c], last prices; outcome : int8[n, c];
    trades : TRADE[k]; count : int64[1], how many of them are written; offered : float64[c],
    coins that resting limits may still get of what the piece traded; within : bool[n, c], bars
    in which something happened after the open of a piece; ahead : float64[1], what other coins
    have earned since the opens of the bar, USD; tied : float64[c], margin of each coin at them;
    owed : float64[c], what coins other than the one in the bar may still owe of its payments,
    USD.
``terms``
    rules : RULES[1]; sizes : float64[s] and curves : float64[r, 2, s], see
    :func:`backtest.kernels.prices.slippage`, bought and sold; decimals : int64[c];
    instrument : int64[c], first, rate, deduction, see
    :func:`warehouse.kernels.margin.maintenance_margin`; instrument -1: never liquidated; most :
    float64[c], notional over margin that an entry in a coin may have at most.
``piece``
    open, high, low, close, volume of a bar or of a part of it, its row of ``curves``, what
    longs and what shorts pay within it, USD a coin, and its row for exits that are forced.
"""

import numpy as np

from backtest.kernels.inside import SINCE_OPEN, exit_in_bar, trail_in_bar
from backtest.kernels.ledger import note, sell_out
from backtest.kernels.levels import (
    ARRIVES,
    MET,
    RESTED,
    give_up,
    level_behind,
    pass_levels,
    take_profit,
)
from backtest.kernels.liquidate import is_exhausted, liquidation_level
from backtest.kernels.orders import (
    NOTHING,
    beyond,
    drop_order,
    fill_at_open,
    fill_inside,
    reaches_venue,
)
from backtest.kernels.payments import charge_bound, pays_inside, settle
from backtest.records import LIQUIDATION, SHARE, STOP, TARGET, TIME, TRAIL
from warehouse.kernels._jit import kernel


@kernel
def at_open(book, terms, decisions, coin, bar, piece, is_bar, target):
    """Fill the levels that the open of a piece has passed; see :func:`pass_levels`."""
    held, px = book[0], book[2]
    h = held[coin]
    open_px = piece[0]
    note(h, open_px)
    if is_exhausted(book, terms, px):
        give_up(book, terms, decisions, coin, bar, piece, open_px)
        return
    pass_levels(book, terms, decisions, coin, bar, piece, open_px, target)
    if h.side != 0 and is_bar and h.until >= 0 and bar >= h.until:
        drop_order(h, book[3], coin)
        sell_out(book, terms, decisions, coin, bar, open_px, piece[5], TIME)


@kernel
def inside(book, terms, decisions, coin, bar, piece, others, optimistic):
    """Fill what lies within the range of a piece."""
    held = book[0]
    h = held[coin]
    since = SINCE_OPEN
    if h.order != NOTHING:
        was_held = h.side != 0
        how = fill_inside(book, terms, decisions, coin, bar, piece)
        if h.side != 0 and not was_held:
            since = how
    if h.side == 0:
        return
    charge_bound(h, book[1], piece, terms[0][0].reading)
    side, high, low, close, curve = h.side, piece[1], piece[2], piece[3], piece[8]
    liquidation = liquidation_level(book, terms, coin, others)
    # With the other coins at their worst the margin may be gone before this one moves.
    begun = piece[0] if since == SINCE_OPEN else h.begun_px
    if side * (begun - liquidation) <= 0.0:
        h.worst_px = min(h.worst_px, begun) if side > 0 else max(h.worst_px, begun)
        give_up(book, terms, decisions, coin, bar, piece, begun)
        return
    if since != SINCE_OPEN:
        pass_levels(book, terms, decisions, coin, bar, piece, begun, ARRIVES)
        if h.side == 0:
            return
    behind, what = level_behind(h, liquidation)
    target = h.target_px if book[6][coin] > 0.0 else np.nan
    past = beyond(terms, coin, target)
    reason, ambiguous = exit_in_bar(
        side, behind, target, past, high, low, close, since, optimistic
    )
    h.ambiguous |= ambiguous
    worst = low if side > 0 else high
    if reason == STOP:
        h.worst_px = min(h.worst_px, behind) if side > 0 else max(h.worst_px, behind)
        drop_order(h, book[3], coin)
        if what == LIQUIDATION:
            give_up(book, terms, decisions, coin, bar, piece, behind)
        else:
            sell_out(book, terms, decisions, coin, bar, behind, curve, what)
        return
    h.worst_px = min(h.worst_px, worst) if side > 0 else max(h.worst_px, worst)
    if reason == TARGET:
        h.best_px = max(h.best_px, h.target_px) if side > 0 else min(h.best_px, h.target_px)
        take_profit(book, terms, decisions, coin, bar, h.target_px)
        if h.side == 0:
            return
    fraction = 0.0 if np.isnan(h.trail_fraction) else h.trail_fraction
    before = h.best_px
    h.best_px, level, hit, unsure = trail_in_bar(
        side, fraction, before, high, low, close, since, optimistic
    )
    if np.isnan(h.trail_fraction):
        return
    h.ambiguous |= unsure
    if hit:
        drop_order(h, book[3], coin)
        sell_out(book, terms, decisions, coin, bar, level, curve, TRAIL)


@kernel
def go_down(book, terms, decisions, coin, bar, b, piece, others):
    """Liquidate a coin that went through a bar, if with the others the account did not.

    When it went, those to come had not entered yet.  When it ended nobody knows, so what it may
    owe of the payments of ``b``, the bar, is booked with it.
    """
    h, cash, owed = book[0][coin], book[1], book[10]
    kept = cash[0]
    cash[0] -= owed[coin]
    level = liquidation_level(book, terms, coin, others)
    if not h.side * (others[coin] - level) <= 0.0:
        cash[0] = kept
        return
    h.funding += owed[coin]
    owed[coin] = 0.0
    h.ambiguous |= pays_inside(b)
    begun = piece[0] if h.entered < bar else h.begun_px
    px = level if h.side * (begun - level) > 0.0 else begun
    give_up(book, terms, decisions, coin, bar, piece, px)
    book[7][bar, coin] = True


@kernel
def arrive(book, terms, decisions, coin, bar, piece, is_bar, rows):
    """Bring one coin to the open of a piece, where ``rows`` reach the venue."""
    held, px = book[0], book[2]
    h = held[coin]
    rules = terms[0]
    book[6][coin] = rules[0].volume_share * piece[4] if rules[0].limit == SHARE else np.inf
    px[coin] = piece[0]
    then = h.coins, h.order, book[5][0]
    if h.side != 0:
        target = RESTED if is_bar else MET
        at_open(book, terms, decisions, coin, bar, piece, is_bar, target)
    for row in range(rows[0], rows[1]):
        moved = reaches_venue(book, terms, decisions, coin, bar, piece, row)
        if h.side != 0:
            target = ARRIVES if moved else RESTED
            at_open(book, terms, decisions, coin, bar, piece, False, target)
    # What fills at the open hangs on the volume of the whole piece if it is a share of it.
    if rules[0].limit == SHARE:
        see(book, coin, bar, then)


@kernel
def enter(book, terms, decisions, coin, bar, piece, is_bar):
    """Fill the entry of one coin that the open of a piece fills."""
    h = book[0][coin]
    then = h.coins, h.order, book[5][0]
    if h.order != NOTHING:
        flat = h.side == 0
        fill_at_open(book, terms, decisions, coin, bar, piece, is_bar)
        if flat and h.side != 0:
            # Who was filled on the way to the open is where the open is.
            at_open(book, terms, decisions, coin, bar, piece, False, ARRIVES)
    if terms[0][0].limit == SHARE:
        see(book, coin, bar, then)


@kernel
def go_on(book, terms, decisions, coin, bar, piece, others, optimistic):
    """Take one coin from the open of a piece to its close."""
    h = book[0][coin]
    then = h.coins, h.order, book[5][0]
    filled, before = h.filled, (h.funding, book[1][0])
    if h.side != 0 or h.order != NOTHING:
        inside(book, terms, decisions, coin, bar, piece, others, optimistic)
        as_before = h.coins == then[0] and h.filled == filled and book[5][0] == then[2]
        settle(h, book[1], piece, before, as_before)
    # What the bar leaves open a pessimistic reading ends or fills: it is seen here too.
    see(book, coin, bar, then)
    book[2][coin] = piece[3]


@kernel
def see(book, coin, bar, then):
    """Note the bar if something happened since ``then``: coins, order, number of trades."""
    h = book[0][coin]
    if h.coins != then[0] or h.order != then[1] or book[5][0] != then[2]:
        book[7][bar, coin] = True
