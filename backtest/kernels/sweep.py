"""This module replays one rule under many settings, touching few bars of each.

What it can say is a part of what :mod:`backtest.kernels.account` can: market entries of one
coin, a stop, a target, a holding time.  There a position's levels do not move, so the bar that
ends it is found by skipping: of every ``BLOCK`` bars the lowest and highest price are known,
and a block between the levels is not looked into.  Flat stretches are jumped over by a list of
the next signal.  The trades are those of the account, which the tests hold it to.
"""

import numpy as np

from backtest.kernels.inside import SINCE_OPEN, exit_in_bar
from backtest.kernels.ledger import market_px
from backtest.kernels.orders import SMALLEST_ORDER
from backtest.kernels.skip import crossing, furthest
from backtest.records import END, RESULT, STOP, TARGET, TIME, TRADE
from warehouse.kernels._jit import kernel


@kernel
def ending(market, terms, setting, side, entered, stop_px, target_px):
    """Return bar, reason, price before slippage and ambiguity of the end of one trade.

    Last, whether a target takes: the open that fills the entry has passed it.
    """
    open_px, high_px, low_px, close_px, lowest, highest = market[:6]
    last = setting.last
    until = last
    if setting.max_bars > 0:
        until = min(last, entered + setting.max_bars)
    floor, ceiling = (stop_px, target_px) if side > 0 else (target_px, stop_px)
    t = crossing(high_px, low_px, lowest, highest, entered, until, floor, ceiling)
    if t == last:
        return last - 1, END, close_px[last - 1], False, False
    px = open_px[t]
    if side * (px - stop_px) <= 0.0:
        return t, STOP, px, False, False
    if side * (px - target_px) >= 0.0:
        return t, TARGET, px, False, t == entered
    if t == until:
        return t, TIME, px, False, False
    reason, ambiguous = exit_in_bar(
        side,
        stop_px,
        target_px,
        0.0,
        high_px[t],
        low_px[t],
        close_px[t],
        SINCE_OPEN,
        setting.optimistic,
    )
    return t, reason, stop_px if reason == STOP else target_px, ambiguous, False


@kernel
def sweep(market, sides, upcoming, targets, ends, settings, terms, days, keep):
    """Replay every setting.

    Parameters
    ----------
    market
        Flat bars, coins side by side, each coin's bars padded to whole blocks: open, high, low,
        close : float64[n], USD; lowest, highest, see :func:`blocks`; paid : float64[n], running
        sum over a coin's bars of funding rate times the price it is taken on, USD a coin;
        curve, forced : int64[n], rows of curves, see :mod:`backtest.kernels.prices`; the second
        for stops.
    sides, upcoming : int8[m], int64[m]
        Signals, and :func:`next_signals` of them.
    targets : float64[k]
        Target prices of stretches that have them, USD; NaN: the setting's fraction says.
    ends : int64[d]
        Last bars of days.
    settings : SETTING[s]
        What is tried.
    terms
        taker and maker fee, fractions; sizes and curves, see :func:`backtest.kernels.prices`.
    days : int
        Columns of the answer.
    keep : bool
        Whether trades are kept.

    Returns
    -------
    results : RESULT[s]
    equity : float64[s, days]
        At the last close of each day, USD; NaN outside the setting's days.
    trades : TRADE[t]
        Of all settings in turn, ``coin`` the number of the setting; none unless kept.
    """
    count = settings.size
    results = np.zeros(count, dtype=RESULT)
    equity = np.full((count, days), np.nan)
    trades = np.empty(1024 if keep else 0, dtype=TRADE)
    used = 0
    for s in range(count):
        trades, used = one_setting(
            market,
            sides,
            upcoming,
            targets,
            ends,
            settings[s],
            terms,
            results[s],
            equity[s],
            trades,
            used,
            keep,
            s,
        )
    return results, equity, trades[:used]


@kernel
def one_setting(
    market,
    sides,
    upcoming,
    targets,
    ends,
    setting,
    terms,
    result,
    equity,
    trades,
    used,
    keep,
    s,
):
    """Replay one setting; see :func:`sweep`."""
    open_px, close_px = market[0], market[3]
    paid, curve, forced = market[6], market[7], market[8]
    taker_fee, maker_fee, sizes, curves = terms
    shift = setting.sides - setting.origin  # from bars to their signals
    cash = setting.start_equity
    result.closest = np.inf
    day = 0
    t = setting.first
    while t < setting.last - 1:
        t = upcoming[t + shift] - shift
        if t >= setting.last - 1:
            break
        side = np.int64(sides[t + shift])
        entered = t + 1
        notional = setting.notional
        entry, given = market_px(
            open_px[entered], side, notional, sizes, curves, curve[entered]
        )
        target_px = np.nan
        if setting.targets >= 0:
            target_px = targets[setting.targets + t - setting.origin]
        if np.isnan(target_px):
            target_px = entry * (1.0 + side * setting.target_fraction)
        stop_px = entry * (1.0 - side * setting.stop_fraction)
        if notional < SMALLEST_ORDER or notional / setting.leverage > cash:
            result.refused += 1
            t += 1
            continue
        left, reason, px, ambiguous, takes = ending(
            market, terms, setting, side, entered, stop_px, target_px
        )
        coins = notional / entry
        slipped = notional * given
        fees = notional * taker_fee
        got = px
        fee = maker_fee
        if reason != TARGET or takes:
            fee = taker_fee
            row_of = forced[left] if reason == STOP and not setting.optimistic else curve[left]
            got, given = market_px(px, -side, coins * px, sizes, curves, row_of)
            if takes and side * (got - target_px) < 0.0:
                got = target_px
                given = abs(got / px - 1.0)
            slipped += coins * got * given
        # What is due at the open of the entry is not paid by who enters there.
        funding = side * coins * (paid[left] - paid[entered])
        day = mark(
            setting,
            ends,
            equity,
            day,
            entered,
            left,
            cash,
            side * coins,
            entry,
            fees,
            paid,
            close_px,
        )
        fees += coins * got * fee
        pnl = side * coins * (got - entry) - fees - funding
        result.trades += 1
        result.ambiguous += ambiguous
        result.won += pnl > 0.0
        result.pnl += pnl
        result.sum_return += pnl / notional
        result.fees += fees
        result.funding += funding
        worst = furthest(market, side, entered, left, reason, px)
        at_worst = (
            cash + side * coins * (worst - entry) - notional * taker_fee - max(funding, 0.0)
        )
        result.closest = min(result.closest, at_worst / (coins * worst))
        if keep:
            if used == trades.size:
                more = np.empty(2 * used, dtype=TRADE)
                more[:used] = trades
                trades = more
            row = trades[used]
            row.coin, row.decided = s, t - setting.origin
            row.entered, row.left = entered - setting.origin, left - setting.origin
            row.reason, row.kind, row.ambiguous = reason, 0, ambiguous
            row.size, row.entry_px, row.exit_px = side * coins, entry, got
            row.stop_px, row.target_px = stop_px, target_px
            # Its own fills are among the prices that a trade has seen.
            row.worst_px = min(worst, got) if side > 0 else max(worst, got)
            row.best_px = np.nan
            row.fees, row.funding, row.slippage = fees, funding, slipped
            row.forfeit, row.pnl = 0.0, pnl
            used += 1
        cash += pnl
        t = left
    while day < setting.days:
        equity[setting.day + day] = cash
        day += 1
    return trades, used


@kernel
def mark(setting, ends, equity, day, entered, left, cash, size, entry, fees, paid, close_px):
    """Write equity at the ends of days before a trade and in it; return the next day."""
    while day < setting.days and ends[setting.ends + day] < left:
        end = ends[setting.ends + day]
        value = cash
        if end >= entered:
            value += size * (close_px[end] - entry - (paid[end] - paid[entered])) - fees
        equity[setting.day + day] = value
        day += 1
    return day
