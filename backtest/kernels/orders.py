"""This module takes decisions to the venue and fills entry orders."""

import numpy as np

from backtest.kernels.inside import BY_LIMIT, BY_STOP
from backtest.kernels.ledger import add, begin, equity_of, margin_of, market_px, sell_out
from backtest.kernels.prices import tick_of
from backtest.records import (
    LEFT,
    LIMIT,
    MARKET,
    NOT_TAKEN,
    OPENED,
    REFUSED,
    STOP_ENTRY,
    THROUGH,
    UNFILLED,
    WAITING,
)
from warehouse.kernels._jit import kernel

NOTHING = -1
# USD.  The venue takes no smaller order (its documentation, "Error responses":
# MinTradeNtl, read 2026-08-22).
SMALLEST_ORDER = 10.0
# Prices lie on ticks, and their differences in binary a rounding beside them.
EXACTLY = 1.0 - 1e-6


@kernel
def beyond(terms, coin, level):
    """Return how far beyond a resting limit the price must trade to fill it, USD."""
    rules, decimals = terms[0], terms[3]
    if rules[0].limit == THROUGH and not np.isnan(level):
        return rules[0].ticks * tick_of(level, decimals[coin]) * EXACTLY
    return 0.0


@kernel
def reaches_venue(book, terms, decisions, coin, bar, piece, row):
    """Do what was decided at the close of bar ``row``, at the open of ``piece``.

    Return whether a target was moved.
    """
    held, outcome = book[0], book[3]
    h = held[coin]
    decision = decisions[row, coin]
    moved = False
    if h.side != 0:
        if decision.only_side != 0 and decision.only_side != h.side:
            pass  # told of a position that is not the one held
        elif decision.leave:
            drop_order(h, outcome, coin)
            sell_out(book, terms, decisions, coin, bar, piece[0], piece[5], LEFT)
        else:
            if not np.isnan(decision.move_stop_px):
                h.stop_px = decision.move_stop_px
            if not np.isnan(decision.move_target_px):
                h.target_px = decision.move_target_px
                moved = True
    elif decision.leave:
        drop_order(h, outcome, coin)
    if outcome[row, coin] != WAITING:
        return moved
    if h.side != 0:
        outcome[row, coin] = NOT_TAKEN
        return moved
    drop_order(h, outcome, coin)
    h.order = row
    h.order_last = bar + max(decision.good_for, 1) - 1
    h.order_left = np.nan
    h.order_new = True
    return moved


@kernel
def drop_order(h, outcome, coin):
    """Take a resting entry off the book."""
    if h.order != NOTHING and outcome[h.order, coin] == WAITING:
        outcome[h.order, coin] = UNFILLED
    h.order = NOTHING


@kernel
def fill_at_open(book, terms, decisions, coin, bar, piece, is_bar):
    """Fill the resting entry if the price opens at or beyond it.

    A limit that has rested fills at the open of a bar; within one who trades past it meets it
    first, at its price.
    """
    h = book[0][coin]
    decision = decisions[h.order, coin]
    px, side, kind = piece[0], np.int64(decision.side), decision.kind
    fresh = h.order_new
    h.order_new = False
    if kind == MARKET or (kind == STOP_ENTRY and side * (px - decision.px) >= 0.0):
        fill(book, terms, decisions, coin, bar, piece, px, True, np.inf)
    elif kind == LIMIT:
        past = side * (decision.px - px)
        if fresh and past >= 0.0:
            # It meets what rests on the other side, and pays no more than its limit.
            fill(book, terms, decisions, coin, bar, piece, px, True, decision.px)
        elif past >= beyond(terms, coin, decision.px) and not fresh:
            got = px if is_bar else decision.px
            fill(book, terms, decisions, coin, bar, piece, got, False, np.inf)


@kernel
def fill_inside(book, terms, decisions, coin, bar, piece):
    """Fill the resting entry if the bar reaches it; return how, or -1."""
    h = book[0][coin]
    decision = decisions[h.order, coin]
    side, level = np.int64(decision.side), decision.px
    worst, best = (piece[2], piece[1]) if side > 0 else (piece[1], piece[2])
    if decision.kind == LIMIT and side * (level - worst) >= beyond(terms, coin, level):
        fill(book, terms, decisions, coin, bar, piece, level, False, np.inf)
        return BY_LIMIT
    if decision.kind == STOP_ENTRY and side * (best - level) >= 0.0:
        fill(book, terms, decisions, coin, bar, piece, level, True, np.inf)
        return BY_STOP
    return NOTHING


@kernel
def fill(book, terms, decisions, coin, bar, piece, px, takes, bound):
    """Fill the resting entry at ``px``, in full or for the share that the bar allows.

    ``takes``: it fills against what rests and pays for it, up to the price ``bound``.  Of what
    reaches its price only the smallest order and the margin refuse any.
    """
    held, cash, prices, outcome = book[0], book[1], book[2], book[3]
    rules, sizes, curves = terms[0], terms[1], terms[2]
    h = held[coin]
    row = h.order
    decision = decisions[row, coin]
    side = np.int64(decision.side)
    got, given = px, 0.0
    fee = rules[0].taker_fee if takes else rules[0].maker_fee
    first = np.isnan(h.order_left)
    if first:
        # Within a bar nobody knows what other coins will have earned or left by its end.
        equity = equity_of(held, cash, prices) - book[8][0]
        notional = 0.0 if np.isnan(decision.notional) else decision.notional
        if not np.isnan(decision.share):
            notional += decision.share * equity
        most = terms[8]
        margin = notional / most[coin]
        for c in range(held.size):
            if c != coin:
                margin += max(margin_of(held[c], prices[c], most[c]), book[9][c])
        if not notional >= SMALLEST_ORDER or margin > equity:
            outcome[row, coin] = REFUSED
            h.order = NOTHING
            return
    else:
        notional = h.order_left * px
    if takes:
        got, given = market_px(px, side, notional, sizes, curves, piece[5])
        if bound < np.inf and side * (got - bound) > 0.0:
            got = bound
            given = abs(got / px - 1.0)
    if first:
        begin(h, row, bar, decision, px, got)
        h.order_left = notional / got
    coins = h.order_left
    if not takes:
        coins = min(coins, book[6][coin])
        book[6][coin] -= coins
    if coins > 0.0:
        outcome[row, coin] = OPENED
        add(h, cash, coins, got, fee, given)
        h.order_left -= coins
    elif first:
        h.side = 0
        h.order_left = np.nan
    if h.order_left <= 0.0:
        h.order = NOTHING
