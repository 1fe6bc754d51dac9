"""This module replays decisions on several coins in one account, bar by bar.

What is decided at the close of a bar reaches the venue at the first open after the latency.
Within a bar this happens, in this order: funding falls due at the opens; for one coin after the
other levels that its open has passed fill there and decisions that now reach the venue are
done; likewise entries fill that an open fills; then one coin after the other goes through its
bar, while those to come still stand at their opens.  The rules, with their reasons, are in
docs/replay.md.

The tuples ``book``, ``terms`` and ``piece`` are told in :mod:`backtest.kernels.piece`.
"""

import numpy as np

from backtest.kernels.ledger import equity_of, margin_of, sell_out
from backtest.kernels.liquidate import liquidation_level
from backtest.kernels.orders import NOTHING, drop_order
from backtest.kernels.payments import may_still_owe, pay_at_open, pays_inside
from backtest.kernels.piece import arrive, enter, go_down
from backtest.kernels.walk import at_its_open, first_piece, grain, is_quiet, through_bar
from backtest.records import END, HELD, LIQUIDATION, NOT_TAKEN, OPTIMISTIC, TRADE, WAITING
from warehouse.kernels._jit import kernel


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
def worth(h, b, px, reading):
    """Return what liquidation prices of other coins take one to be worth in a bar, USD."""
    if reading == OPTIMISTIC or np.isnan(b.open_px):
        return px
    return b.low_px if h.side > 0 else b.high_px


@kernel
def is_liquidated(trades, first, last):
    """Return whether any of the trades ``first`` to ``last - 1`` ended in a liquidation."""
    found = False
    for row in range(first, last):
        found |= trades[row].reason == LIQUIDATION
    return found


@kernel
def outlive(h, b):
    """Note the best and the worst price of a bar in which nothing happens to a position."""
    long = h.side > 0
    kind, worst = (b.high_px, b.low_px) if long else (b.low_px, b.high_px)
    h.best_px = max(h.best_px, kind) if long else min(h.best_px, kind)
    h.worst_px = min(h.worst_px, worst) if long else max(h.worst_px, worst)


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
    within : bool[n, c]
        Bars in which something happened that hangs on more than their open.  Of any other bar
        finer bars tell nothing new.

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
    within = np.zeros((n, coins), dtype=np.bool_)
    offered, ahead = np.zeros(coins), np.zeros(1)
    tied, owed = np.zeros(coins), np.zeros(coins)
    book = (held, cash, px, outcome, trades, count, offered, within, ahead, tied, owed)
    first, last, cuts = np.zeros((3, coins), dtype=np.int64)
    busy = np.zeros(coins, dtype=np.bool_)
    reading, most = terms[0][0].reading, terms[8]
    for c in range(coins):
        held[c].order = NOTHING

    for t in range(n):
        for c in range(coins):
            b = bars[t, c]
            if np.isnan(b.open_px):
                continue
            px[c] = b.open_px
            pay_at_open(held[c], cash, b)
        for c in range(coins):
            others[c] = worth(held[c], bars[t, c], px[c], reading)
        stirs = False
        for c in range(coins):
            b = bars[t, c]
            busy[c] = False
            if np.isnan(b.open_px):
                continue
            h = held[c]
            start, cut = h.next_row, NOTHING
            while h.next_row < t and live_bar[h.next_row, c] <= t:
                if live_bar[h.next_row, c] == t:
                    cut = live_fine[h.next_row, c]
                h.next_row += 1
            first[c], last[c], cuts[c] = start, h.next_row, cut
            busy[c] = True
            # Most bars bring nothing: what follows takes 20 times as long as this.
            if h.order == NOTHING and brings_nothing(
                h, decisions, outcome, c, (start, h.next_row)
            ):
                level = np.nan
                if h.side != 0 and terms[4][c] >= 0:
                    level = liquidation_level(book, terms, c, others)
                over = h.until >= 0 and t >= h.until
                if h.side == 0 or not (
                    over or pays_inside(b) or not is_quiet(h, level, b.high_px, b.low_px)
                ):
                    busy[c] = False
            stirs |= busy[c]
        if stirs:
            for c in range(coins):
                b = bars[t, c]
                if busy[c] or (held[c].side != 0 and not np.isnan(b.open_px)):
                    piece = first_piece(b, fine, reading, cuts[c])
                    rows = at_its_open(b, (first[c], last[c]), cuts[c])
                    arrive(book, terms, decisions, c, t, piece, True, rows)
            for c in range(coins):
                if busy[c] and held[c].order != NOTHING:
                    piece = first_piece(bars[t, c], fine, reading, cuts[c])
                    enter(book, terms, decisions, c, t, piece, True)
            for c in range(coins):
                others[c] = worth(held[c], bars[t, c], px[c], reading)
                tied[c] = margin_of(held[c], px[c], most[c])
                if not np.isnan(bars[t, c].open_px):
                    owed[c] = may_still_owe(held[c], bars[t, c], reading, 0.0)
        opened, done = equity_of(held, cash, px), count[0]
        for c in range(coins):
            b, h = bars[t, c], held[c]
            if np.isnan(b.open_px):
                continue
            if not busy[c]:
                if h.side == 0:
                    continue
                level = np.nan
                if stirs and terms[4][c] >= 0:
                    level = liquidation_level(book, terms, c, others)
                if not stirs or is_quiet(h, level, b.high_px, b.low_px):
                    outlive(h, b)
                    continue
            ahead[0] = equity_of(held, cash, px) - opened
            rows = (first[c], last[c])
            paid, ended = h.funding if h.side != 0 else 0.0, count[0]
            owed[c] = 0.0
            through_bar(book, terms, decisions, c, t, bars, fine, rows, cuts[c], others)
            px[c] = b.open_px
            # Within the bar it may have entered, or turned.
            others[c] = worth(h, b, px[c], reading)
            if count[0] > ended:
                paid = 0.0
            owed[c] = may_still_owe(h, b, reading, h.funding - paid)
            if h.order != NOTHING and t >= h.order_last:
                drop_order(h, outcome, c)
        if reading != OPTIMISTIC and is_liquidated(trades, done, count[0]):
            for c in range(coins):
                if held[c].side != 0 and not np.isnan(bars[t, c].open_px):
                    b = bars[t, c]
                    go_down(book, terms, decisions, c, t, b, grain(b, b, reading), others)
        if stirs:
            ahead[0] = 0.0
            tied[:] = 0.0
            owed[:] = 0.0
        for c in range(coins):
            b = bars[t, c]
            if not np.isnan(b.open_px):
                px[c] = b.close_px
        for c in range(coins):
            h = held[c]
            if t == n - 1:
                drop_order(h, outcome, c)
                if h.side != 0:
                    sell_out(book, terms, decisions, c, t, px[c], bars[t, c].curve, END)
            position[t, c] = h.coins if h.side != 0 else 0.0
            decision = decisions[t, c]
            if decision.side != 0 and t < n - 1 and (h.side == 0 or decision.leave):
                outcome[t, c] = WAITING
        equity[t] = equity_of(held, cash, px)
    for t in range(n):
        for c in range(coins):
            if outcome[t, c] == WAITING:
                outcome[t, c] = NOT_TAKEN
    return trades[: count[0]], equity, position, outcome, within
