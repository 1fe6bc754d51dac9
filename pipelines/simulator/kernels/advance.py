"""This module lets time pass.

Each minute prices elsewhere move, books are quoted, marks set, and whoever is under maintenance
is liquidated; then accounts act at moments of their own.  In a quiet minute that happens once.
In one that moves, or after forced orders, it happens every 3 s, as the venue sets its mark: so
forced orders push the next mark, and the next mark forces more.
"""

import numpy as np

from pipelines.simulator.kernels.book import depth_within, quote, walk
from pipelines.simulator.kernels.draws import uniform
from pipelines.simulator.kernels.ledger import has_room, slot_of, transfer
from pipelines.simulator.kernels.liquidation import liquidate
from pipelines.simulator.kernels.margins import cross_state
from pipelines.simulator.kernels.people import DISTRESS, think
from pipelines.simulator.kernels.prices import (
    draw_returns,
    elsewhere,
    hourly_rate,
    move,
    pay_funding,
    set_premium,
    set_prices,
)
from pipelines.simulator.kernels.ticks import on_tick
from pipelines.simulator.records import (
    BY_CHOICE,
    CONTEXTS,
    DEPOSIT,
    NOBODY,
    NOW,
    OF_PEOPLE,
    TRADER,
)
from warehouse.kernels._jit import kernel

MINUTE, HOUR, PERIOD, PERIODS = 60_000, 3_600_000, 3_000, 20
BLOCK = 70  # ms, roughly the venue's
SEEN = 150  # ms after a mark at which the next block sees it
HOT_MOVE = 4.5  # a coin's return in a minute over its usual one, to be taken in steps
HOT_STRESS = 1.0
UNLOADED = 0.02  # share of depth that the vault sells a minute
HOUSE_FLOOR = 0.5  # of its notional: with less, makers and vault are given more


@kernel
def block_at(ms):
    """Return the time of the first block at or after ``ms``."""
    return (ms + BLOCK - 1) // BLOCK * BLOCK


@kernel
def advance(w, tape, minutes, extra, vault, partial_since):
    """Let minutes pass.

    Parameters
    ----------
    w, tape
        The world, and where to write.
    minutes
        How many.
    extra
        float64[minutes]: what shocks add to the market's return.
    vault
        Account of the liquidator vault.
    partial_since
        ms from which on large positions are liquidated in part first.

    Returns
    -------
    int
        Minutes that passed: fewer if the tape ran short of room.
    """
    due = np.empty(w.accounts.size, np.int64)
    for minute in range(minutes):
        if not has_room(tape):
            return minute
        start = w.house[NOW]
        draw_returns(w, extra[minute])
        hot = False
        for c in range(w.coins.size):
            about = w.coins[c]
            moved = abs(about["ret"]) + abs(about["jump"])
            hot |= moved > HOT_MOVE * about["calm"] or about["stress"] > HOT_STRESS
            about["volume"] = about["trades"] = 0
            about["open"] = about["high"] = about["low"] = 0
        waiting = _those_due(w, start + MINUTE, due)
        share, since, done, forced = (1.0 / PERIODS if hot else 1.0), PERIODS, 0, False
        for period in range(PERIODS):
            at = start + period * PERIOD
            since_now = since if period == 0 else 1
            if period == 0 or hot or forced:
                hour = period == 0 and start % HOUR == 0
                moved = share if hot or period == 0 else 0.0
                # In a hot minute the first 3 s follow 3 s, in a quiet one a minute.
                forced = _mark(
                    w, tape, at, moved, 1 if hot else since_now, hour, vault, partial_since
                )
            if period == 0:
                _unload(w, tape, block_at(at + SEEN) + BLOCK, vault)
            while done < waiting:
                a = due[done]
                # Whose next block is the next period's thinks then, after its funding.
                if w.accounts[a]["due"] > at + PERIOD - BLOCK:
                    break
                # After what the mark brought about, so that time never goes back.
                earliest = at + SEEN + 3 * BLOCK
                think(w, tape, block_at(max(w.accounts[a]["due"], earliest)), a)
                done += 1
        w.house[NOW] = start + MINUTE
        _tell(w, tape)
    return minutes


@kernel
def _mark(w, tape, at, share, periods, hour, vault, partial_since):
    """Set new marks and liquidate on them; return whether anything was."""
    for c in range(w.coins.size):
        about = w.coins[c]
        if about["listed"] == 0:
            continue
        move(w, c, share, periods)
        quote(w, c, elsewhere(w, c), periods)
        set_prices(w, c, periods)
        decimals = 6 - about["size_decimals"]
        unpushed = about["spot"] * (1.0 + about["basis"]) * 10.0**decimals
        about["unpushed"] = on_tick(unpushed, decimals)
        middle = (about["bid"] + about["ask"]) // 2
        if about["open"] == 0:
            about["open"] = about["high"] = about["low"] = middle
        about["high"], about["low"] = max(about["high"], middle), min(about["low"], middle)
    if hour:
        pay_funding(w, tape, at)
    _fund_the_house(w, tape, at)
    found = liquidate(w, tape, block_at(at + SEEN), vault, partial_since, hour)
    if at % MINUTE == 0:
        _alarm(w, at)
    return found > 0


@kernel
def _those_due(w, until, due):
    """Write the accounts that think before ``until`` to ``due``, in order of time."""
    count = 0
    for a in range(w.accounts.size):
        holder = w.accounts[a]
        if holder["role"] == TRADER and holder["due"] < until:
            place = count
            while place > 0 and w.accounts[due[place - 1]]["due"] > holder["due"]:
                due[place] = due[place - 1]
                place -= 1
            due[place] = a
            count += 1
    return count


@kernel
def _alarm(w, at):
    """Wake nervous accounts that are close to liquidation; they act in the next minute."""
    marks = w.coins["mark"]
    for a in range(w.accounts.size):
        holder = w.accounts[a]
        if holder["role"] != TRADER or holder["nervous"] <= 0.0:
            continue
        if holder["due"] < at + 2 * MINUTE:
            continue
        equity, needed, notional, _ = cross_state(w, a, marks)
        near = notional > 0 and equity < DISTRESS * needed
        if near and uniform(w.rng, OF_PEOPLE) < holder["nervous"]:
            later = uniform(w.rng, OF_PEOPLE) * MINUTE
            holder["due"] = at + MINUTE + int(later)


@kernel
def _fund_the_house(w, tape, ms):
    """Give makers and the vault money before they run short: they are never liquidated."""
    marks = w.coins["mark"]
    for a in range(w.accounts.size):
        if w.accounts[a]["role"] == TRADER:
            break  # makers and the vault come first
        equity, _, notional, _ = cross_state(w, a, marks)
        if equity < HOUSE_FLOOR * notional:
            transfer(w, tape, ms, a, DEPOSIT, notional)


@kernel
def _unload(w, tape, ms, vault):
    """Let the vault sell a little of what it took over."""
    for c in range(w.coins.size):
        s = slot_of(w, vault, c)
        size = w.slots[s]["size"]
        if size == 0:
            continue
        about = w.coins[c]
        most = int(UNLOADED * about["depth"] * 1e6 / about["mark"]) + 1
        part = min(abs(size), most)
        walk(w, tape, ms, vault, s, -part if size > 0 else part, BY_CHOICE, NOBODY)


@kernel
def _tell(w, tape):
    """Write what each coin shows at the end of the minute."""
    step = tape.used[CONTEXTS] // w.coins.size
    for c in range(w.coins.size):
        about = w.coins[c]
        if about["listed"] == 1:
            set_premium(w, c)
        row = tape.contexts[tape.used[CONTEXTS]]
        tape.used[CONTEXTS] += 1
        row["ms"], row["coin"], row["listed"] = w.house[NOW], c, about["listed"]
        row["oracle"], row["mark"] = about["oracle"], about["mark"]
        row["bid"], row["ask"] = about["bid"], about["ask"]
        row["impact_bid"], row["impact_ask"] = about["impact_bid"], about["impact_ask"]
        close = (about["bid"] + about["ask"]) // 2
        row["open"], row["close"] = about["open"], close
        row["high"], row["low"] = max(about["high"], close), min(about["low"], close)
        row["volume"], row["trades"] = about["volume"], about["trades"]
        row["open_interest"], row["premium"] = about["open_interest"], about["premium"]
        row["rate"] = hourly_rate(about["premium_sum"] / max(about["premium_count"], 1.0))
        row["bid_depth"] = depth_within(w, c, 0)
        row["ask_depth"] = depth_within(w, c, 1)
        row["pushed"], row["carried"] = about["pushed"], about["carried"]
        row["stress"] = about["stress"]
        if step < tape.books.shape[0]:
            for side in range(2):
                for k in range(w.level_px.shape[2]):
                    tape.books[step, c, side, k, 0] = w.level_px[c, side, k]
                    tape.books[step, c, side, k, 1] = w.level_size[c, side, k]
