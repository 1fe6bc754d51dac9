"""This module fills the levels of a position: what lies behind it, its margin, its target.

The tuples ``book``, ``terms`` and ``piece`` are told in :mod:`backtest.kernels.piece`.
"""

import numpy as np

from backtest.kernels.ledger import close_at, is_spent, market_px, record, sell_out, take_off
from backtest.kernels.liquidate import maintenance_of
from backtest.kernels.orders import beyond, drop_order
from backtest.records import LIQUIDATION, OPTIMISTIC, STOP, TARGET, TRAIL
from warehouse.kernels._jit import kernel

# What a target does that a price has passed: it arrives there, rested until there, or rested
# since before, so that who trades past it met it first.
ARRIVES, RESTED, MET = 0, 1, 2


@kernel
def level_behind(h, liquidation):
    """Return the level behind a position that is met first, and what it is."""
    side = h.side
    level, what = h.stop_px, STOP
    if not np.isnan(h.trail_fraction):
        trail = h.best_px * (1.0 - side * h.trail_fraction)
        if np.isnan(level) or side * (trail - level) > 0.0:
            level, what = trail, TRAIL
    if not np.isnan(liquidation) and (np.isnan(level) or side * (liquidation - level) > 0.0):
        level, what = liquidation, LIQUIDATION
    return level, what


@kernel
def give_up(book, terms, decisions, coin, bar, piece, px):
    """Liquidate a position at ``px``: at the market, and its maintenance margin is lost.

    That is what the backstop leaves.  Who is closed at the market keeps the margin, so only
    the optimistic reading does.
    """
    held, cash = book[0], book[1]
    h = held[coin]
    if terms[0][0].reading != OPTIMISTIC:
        lost = maintenance_of(terms, coin, abs(h.coins) * px)
        h.forfeit += lost
        cash[0] -= lost
    drop_order(h, book[3], coin)
    sell_out(book, terms, decisions, coin, bar, px, piece[8], LIQUIDATION)


@kernel
def take_profit(book, terms, decisions, coin, bar, px):
    """Fill the target at ``px``, in full or for the share that the bar allows."""
    held, cash, trades, count, offered = book[0], book[1], book[4], book[5], book[6]
    rules = terms[0]
    h = held[coin]
    coins = min(abs(h.coins), offered[coin])
    offered[coin] -= coins
    take_off(h, cash, coins, px, rules[0].maker_fee, 0.0)
    if is_spent(h):
        drop_order(h, book[3], coin)
        kind = decisions[h.decided, coin].kind
        record(trades, count, h, coin, kind, bar, TARGET)


@kernel
def pass_levels(book, terms, decisions, coin, bar, piece, px, target):
    """Fill what ``px`` has passed of a position's levels: what lies behind, or the target.

    ``target``: ``ARRIVES``, ``RESTED`` or ``MET``.  One that arrives takes, and gets no less
    than its own price.
    """
    h = book[0][coin]
    level, what = level_behind(h, np.nan)
    if h.side * (px - level) <= 0.0:
        drop_order(h, book[3], coin)
        sell_out(book, terms, decisions, coin, bar, px, piece[8], what)
    elif target == ARRIVES:
        if h.side * (px - h.target_px) >= 0.0:
            notional = abs(h.coins) * px
            got, given = market_px(px, -h.side, notional, terms[1], terms[2], piece[5])
            if h.side * (got - h.target_px) < 0.0:
                got = h.target_px
                given = abs(got / px - 1.0)
            drop_order(h, book[3], coin)
            close_at(book, terms, decisions, coin, bar, got, given, TARGET)
    elif h.side * (px - h.target_px) >= beyond(terms, coin, h.target_px):
        got = h.target_px if target == MET else px
        take_profit(book, terms, decisions, coin, bar, got)
