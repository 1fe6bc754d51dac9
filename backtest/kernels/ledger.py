"""This module books what fills: coins, cash, fees, and the trade when nothing is left of it.

Cash is what the account would hold if it never marked anything: an entry pays for its coins, an
exit is paid for them, so equity is cash and coins at their prices.
"""

import numpy as np

from backtest.kernels.prices import slippage
from warehouse.kernels._jit import kernel

# Of a position filled in parts a rounding may remain, which is no position.
DUST = 1e-12
# Slippage grows with size without end, and no price falls below 0: chosen, far beyond any order
# that a curve was measured on.
MOST_OF_A_SALE = 0.9


@kernel
def equity_of(held, cash, px):
    """Return the account's equity with each coin at ``px``, USD."""
    total = cash[0]
    for c in range(held.size):
        if held[c].side != 0:
            total += held[c].coins * px[c]
    return total


@kernel
def margin_of(h, px, most):
    """Return the margin that a position binds at ``px`` where ``most`` is its leverage, USD."""
    return abs(h.coins) * px / most if h.side != 0 else 0.0


@kernel
def begin(h, row, bar, decision, begun, px):
    """Open a position on its first fill: set its levels from the price it got.

    ``begun`` is that price before slippage.
    """
    side = np.int64(decision.side)
    h.side = side
    h.coins = h.filled = h.spent = h.earned = 0.0
    h.fees = h.funding = h.slippage = h.forfeit = 0.0
    h.stop_px = decision.stop_px
    if np.isnan(h.stop_px):
        h.stop_px = px * (1.0 - side * decision.stop_fraction)
    h.target_px = decision.target_px
    if np.isnan(h.target_px):
        h.target_px = px * (1.0 + side * decision.target_fraction)
    h.trail_fraction = decision.trail_fraction
    h.begun_px = begun
    h.best_px = h.worst_px = px
    h.entered, h.decided = bar, row
    h.until = bar + decision.max_bars if decision.max_bars > 0 else -1
    h.ambiguous = h.bounded = False


@kernel
def note(h, px):
    """Note a price that a position has seen: of the market, or of a fill of its own."""
    best, worst = max(h.best_px, px), min(h.worst_px, px)
    if h.side < 0:
        best, worst = min(h.best_px, px), max(h.worst_px, px)
    h.best_px, h.worst_px = best, worst


@kernel
def add(h, cash, coins, px, fee, slipped):
    """Book coins that were entered at ``px``; ``fee`` and ``slipped`` are fractions."""
    value = coins * px
    note(h, px)
    h.coins += h.side * coins
    h.filled += h.side * coins
    h.spent += value
    h.fees += value * fee
    h.slippage += value * slipped
    cash[0] -= h.side * value + value * fee


@kernel
def take_off(h, cash, coins, px, fee, slipped):
    """Book coins that were left at ``px``."""
    value = coins * px
    note(h, px)
    h.coins -= h.side * coins
    h.earned += value
    h.fees += value * fee
    h.slippage += value * slipped
    cash[0] += h.side * value - value * fee


@kernel
def record(trades, count, h, coin, kind, bar, reason):
    """Write the trade of a position of which nothing is left, and forget the position."""
    one = trades[count[0]]
    coins = abs(h.filled)
    one.coin, one.decided, one.entered, one.left = coin, h.decided, h.entered, bar
    one.reason, one.kind, one.ambiguous = reason, kind, h.ambiguous or h.bounded
    one.size = h.filled
    one.entry_px, one.exit_px = h.spent / coins, h.earned / coins
    one.stop_px, one.target_px = h.stop_px, h.target_px
    one.worst_px, one.best_px = h.worst_px, h.best_px
    one.fees, one.funding, one.slippage = h.fees, h.funding, h.slippage
    one.forfeit = h.forfeit
    one.pnl = h.side * (h.earned - h.spent) - h.fees - h.funding - h.forfeit
    count[0] += 1
    h.side = 0
    h.coins = 0.0


@kernel
def is_spent(h):
    """Return whether nothing is left of a position."""
    return abs(h.coins) <= DUST * abs(h.filled)


@kernel
def market_px(px, way, notional, sizes, curves, curve):
    """Return what a market order gets, and which fraction of ``px`` it gives up.

    ``way`` is +1 for a purchase and -1 for a sale.
    """
    given = slippage(sizes, curves[curve, 0 if way > 0 else 1], notional)
    if way < 0:
        given = min(given, MOST_OF_A_SALE)
    return px * (1.0 + way * given), given


@kernel
def sell_out(book, terms, decisions, coin, bar, px, curve, reason):
    """Close all of a position at the market."""
    h = book[0][coin]
    got, given = market_px(px, -h.side, abs(h.coins) * px, terms[1], terms[2], curve)
    close_at(book, terms, decisions, coin, bar, got, given, reason)


@kernel
def close_at(book, terms, decisions, coin, bar, got, given, reason):
    """Close all of a position as a taker, at the price it got."""
    h = book[0][coin]
    take_off(h, book[1], abs(h.coins), got, terms[0][0].taker_fee, given)
    kind = decisions[h.decided, coin].kind
    record(book[4], book[5], h, coin, kind, bar, reason)
