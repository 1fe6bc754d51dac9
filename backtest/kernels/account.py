"""This module replays decisions on several coins in one account, bar by bar.

What is decided at the close of a bar reaches the venue at the first open after the latency.
Within a bar this happens, in this order, for one coin after the other: funding falls due at its
open; levels that the open has passed fill there; decisions that now reach the venue are done;
resting entries fill; levels within the bar's range fill.  The rules, with their reasons, are in
docs/replay.md.

Tuples that the functions hand on:

``book``
    held : HELD[c]; cash : float64[1]; px : float64[c], last prices; outcome : int8[n, c];
    trades : TRADE[k]; count : int64[1], how many of them are written; offered : float64[1],
    coins that resting limits may still get of what the piece traded.
``terms``
    rules : RULES[1]; sizes : float64[s] and curves : float64[r, 2, s], see
    :func:`backtest.kernels.prices.slippage`, bought and sold; decimals : int64[c];
    instrument : int64[c], first, rate, deduction, see
    :func:`warehouse.kernels.margin.maintenance_margin`; instrument -1: never liquidated.
``piece``
    open, high, low, close, volume of a bar or of a part of it, and its row of ``curves``.
"""

import numpy as np

from backtest.kernels.inside import SINCE_OPEN, exit_in_bar, trail_in_bar
from backtest.kernels.ledger import equity_of, is_spent, record, sell_out, take_off
from backtest.kernels.liquidate import is_exhausted, liquidation_level, maintenance_of
from backtest.kernels.orders import (
    NOTHING,
    beyond,
    drop_order,
    fill_at_open,
    fill_inside,
    reaches_venue,
)
from backtest.records import (
    DRILLED,
    END,
    HELD,
    LIQUIDATION,
    NOT_TAKEN,
    OPTIMISTIC,
    SHARE,
    STOP,
    TARGET,
    TIME,
    TRADE,
    TRAIL,
    WAITING,
)
from warehouse.kernels._jit import kernel


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
        lost = maintenance_of(terms, coin, abs(h.size) * px)
        h.forfeit += lost
        cash[0] -= lost
    drop_order(h, book[3], coin)
    sell_out(book, terms, decisions, coin, bar, px, piece[5], LIQUIDATION)


@kernel
def take_profit(book, terms, decisions, coin, bar, piece, px):
    """Fill the target at ``px``, in full or for the share that the bar allows."""
    held, cash, trades, count, offered = book[0], book[1], book[4], book[5], book[6]
    rules = terms[0]
    h = held[coin]
    coins = min(abs(h.size), offered[0])
    offered[0] -= coins
    take_off(h, cash, coins, px, rules[0].maker_fee, 0.0)
    if is_spent(h):
        drop_order(h, book[3], coin)
        kind = decisions[h.decided, coin].kind
        record(trades, count, h, coin, kind, bar, TARGET)


@kernel
def at_open(book, terms, decisions, coin, bar, piece, is_bar):
    """Fill the levels that the open of a piece has passed."""
    held, px = book[0], book[2]
    h = held[coin]
    open_px = piece[0]
    h.worst_px = min(h.worst_px, open_px) if h.side > 0 else max(h.worst_px, open_px)
    h.best_px = max(h.best_px, open_px) if h.side > 0 else min(h.best_px, open_px)
    if is_exhausted(book, terms, px):
        give_up(book, terms, decisions, coin, bar, piece, open_px)
        return
    level, what = level_behind(h, np.nan)
    if h.side * (open_px - level) <= 0.0:
        drop_order(h, book[3], coin)
        sell_out(book, terms, decisions, coin, bar, open_px, piece[5], what)
    elif h.side * (open_px - h.target_px) >= beyond(terms, coin, h.target_px):
        take_profit(book, terms, decisions, coin, bar, piece, open_px)
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
    side, (_, high, low, close, _, curve) = h.side, piece
    liquidation = liquidation_level(book, terms, coin, others)
    # With the other coins at their worst the margin may be gone before this one moves.
    begun = piece[0] if since == SINCE_OPEN else h.spent / abs(h.filled)
    if side * (begun - liquidation) <= 0.0:
        h.worst_px = min(h.worst_px, begun) if side > 0 else max(h.worst_px, begun)
        give_up(book, terms, decisions, coin, bar, piece, begun)
        return
    behind, what = level_behind(h, liquidation)
    target = h.target_px if book[6][0] > 0.0 else np.nan
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
        take_profit(book, terms, decisions, coin, bar, piece, h.target_px)
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
def live(book, terms, decisions, coin, bar, piece, is_bar, rows, others, optimistic):
    """Take one coin through one piece of a bar; ``rows`` reach the venue at its open."""
    held, px = book[0], book[2]
    h = held[coin]
    rules = terms[0]
    book[6][0] = rules[0].volume_share * piece[4] if rules[0].limit == SHARE else np.inf
    px[coin] = piece[0]
    if h.side != 0:
        at_open(book, terms, decisions, coin, bar, piece, is_bar)
    for row in range(rows[0], rows[1]):
        reaches_venue(book, terms, decisions, coin, bar, piece, row)
        if h.side != 0:
            at_open(book, terms, decisions, coin, bar, piece, False)
    if h.order != NOTHING:
        fill_at_open(book, terms, decisions, coin, bar, piece)
    if h.side != 0 or h.order != NOTHING:
        inside(book, terms, decisions, coin, bar, piece, others, optimistic)
    px[coin] = piece[3]


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
def brings_nothing(h, decisions, outcome, coin, rows):
    """Return whether the decisions that arrive ask for nothing of a coin without an order."""
    for row in range(rows[0], rows[1]):
        if outcome[row, coin] == WAITING:
            return False
        if h.side != 0:
            decision = decisions[row, coin]
            moved = np.isnan(decision.move_stop_px) and np.isnan(decision.move_target_px)
            if decision.leave or not moved:
                return False
    return True


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
        drill = reading == DRILLED and first < last
        if drill and now[0] == now[1] and h.order == NOTHING and h.side != 0:
            liquidation = liquidation_level(book, terms, coin, others)
            drill = not is_quiet(h, liquidation, piece[1], piece[2])
        if not drill:
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


@kernel
def replay(bars, fine, decisions, live_bar, live_fine, terms):
    """Replay decisions over bars.

    Parameters
    ----------
    bars : BAR[n, c]
        Bars of each coin on one grid, in order of time.
    fine : BAR[m]
        Finer bars of all coins, each coin's and bar's own side by side.
    decisions : DECISION[n, c]
        Made at each bar's close from nothing later.
    live_bar : int64[n, c]
        Bar in which each decision reaches the venue, later than its own, not falling; ``n``:
        none.  Where the coin has no such bar, it is the next that it has.
    live_fine : int64[n, c]
        Finer bar at whose open it does; -1: the open of the bar.
    terms
        See the module.

    Returns
    -------
    trades : TRADE[k]
        In the order in which they ended.
    equity : float64[n]
        At each close, USD.
    position : float64[n, c]
        Coins at each close, signed.
    outcome : int8[n, c]
        What became of each decision to enter: ``NOT_TAKEN``, ``OPENED``, ``UNFILLED`` or
        ``REFUSED``.

    Notes
    -----
    The optimistic reading holds other coins at their opens when it asks for a liquidation
    price; the others hold each at its worst of the bar.  O(n c) time.
    """
    n, coins = bars.shape
    wanted = 0
    for t in range(n):
        for c in range(coins):
            wanted += decisions[t, c].side != 0
    held = np.zeros(coins, dtype=HELD)
    cash = np.full(1, terms[0][0].start_equity)
    px = np.full(coins, np.nan)
    others = np.empty(coins)
    outcome = np.zeros((n, coins), dtype=np.int8)
    trades = np.zeros(wanted, dtype=TRADE)
    count = np.zeros(1, dtype=np.int64)
    equity = np.empty(n)
    position = np.zeros((n, coins))
    book = (held, cash, px, outcome, trades, count, np.zeros(1))
    for c in range(coins):
        held[c].order = NOTHING

    for t in range(n):
        for c in range(coins):
            b = bars[t, c]
            if np.isnan(b.open_px):
                continue
            px[c] = b.open_px
            h = held[c]
            if h.side != 0 and b.funding_rate != 0.0:
                paid_on = b.open_px if np.isnan(b.oracle_px) else b.oracle_px
                due = h.size * paid_on * b.funding_rate
                h.funding += due
                cash[0] -= due
        for c in range(coins):
            others[c] = px[c]
            b = bars[t, c]
            if terms[0][0].reading != OPTIMISTIC and not np.isnan(b.open_px):
                others[c] = b.low_px if held[c].side > 0 else b.high_px
        for c in range(coins):
            b = bars[t, c]
            if np.isnan(b.open_px):
                continue
            h = held[c]
            start, cut = h.next_row, NOTHING
            while h.next_row < t and live_bar[h.next_row, c] <= t:
                if live_bar[h.next_row, c] == t:
                    cut = live_fine[h.next_row, c]
                h.next_row += 1
            rows = (start, h.next_row)
            # Most bars bring nothing: what follows takes 20 times as long as this.
            if h.order == NOTHING and brings_nothing(h, decisions, outcome, c, rows):
                if h.side == 0:
                    px[c] = b.close_px
                    continue
                level = np.nan
                if terms[4][c] >= 0:
                    level = liquidation_level(book, terms, c, others)
                over = h.until >= 0 and t >= h.until
                if not over and is_quiet(h, level, b.high_px, b.low_px):
                    long = h.side > 0
                    kind, worst = (b.high_px, b.low_px) if long else (b.low_px, b.high_px)
                    h.best_px = max(h.best_px, kind) if long else min(h.best_px, kind)
                    h.worst_px = min(h.worst_px, worst) if long else max(h.worst_px, worst)
                    px[c] = b.close_px
                    continue
            through_bar(book, terms, decisions, c, t, bars, fine, rows, cut, others)
            if h.order != NOTHING and t >= h.order_last:
                drop_order(h, outcome, c)
        for c in range(coins):
            h = held[c]
            if t == n - 1:
                drop_order(h, outcome, c)
                if h.side != 0:
                    sell_out(book, terms, decisions, c, t, px[c], bars[t, c].curve, END)
            position[t, c] = h.size if h.side != 0 else 0.0
            decision = decisions[t, c]
            if decision.side != 0 and t < n - 1 and (h.side == 0 or decision.leave):
                outcome[t, c] = WAITING
        equity[t] = equity_of(held, cash, px)
    for t in range(n):
        for c in range(coins):
            if outcome[t, c] == WAITING:
                outcome[t, c] = NOT_TAKEN
    return trades[: count[0]], equity, position, outcome
