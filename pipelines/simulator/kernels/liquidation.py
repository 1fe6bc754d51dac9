"""This module liquidates: into the book, to the vault, or against the other side.

Whoever's equity is under maintenance, on mark, is liquidated.  Hyperliquid docs, "Liquidations"
and "Auto-deleveraging" (read 2026-08-22):

* market orders for the whole of each position; above 100,000 USDC a fifth is sent first, and
  for 30 s after such a partial order the whole of what is left;
* below two thirds of maintenance the vault takes over positions and margin: all that is cross,
  or the one that is isolated;
* below nothing, the other side is closed against it at the previous mark, those
  first who made most with most leverage: (mark / entry) · (notional / account value).  That is
  said of longs; for shorts, whose profit is in entry / mark, that is taken.
"""

from pipelines.simulator.kernels.book import walk
from pipelines.simulator.kernels.ledger import begin_trade, set_sides, slot_of, trade, transfer
from pipelines.simulator.kernels.margins import (
    backing,
    cross_state,
    isolated_state,
    maintenance,
)
from pipelines.simulator.records import (
    BY_ADL,
    BY_BACKSTOP,
    BY_CASCADE,
    BY_FUNDING,
    BY_MARKET,
    BY_PRICE,
    BY_REMAINDER,
    COVER,
    CROSS,
    ISOLATED,
    LIQUIDATIONS,
    ORDERS,
    TAKEOVER,
    VAULT,
)
from warehouse.kernels._jit import kernel

PARTIAL_ABOVE = 100_000_000_000  # micro-USDC
COOLDOWN = 30_000  # ms
BACKSTOP = 2.0 / 3.0  # of maintenance
SENT = -1.0  # of a slot's rank: it has sent its order


@kernel
def liquidate(w, tape, ms, vault, partial_since, hour):
    """Liquidate every account that is under maintenance.

    Parameters
    ----------
    w, tape, ms
        The world, where to write, and when.
    vault
        Account of the liquidator vault.
    partial_since
        ms from which on large positions are liquidated in part first.
    hour
        Whether funding was just paid.

    Returns
    -------
    int
        How many positions were acted on.
    """
    found, marks = tape.used[LIQUIDATIONS], w.coins["mark"]
    for a in range(w.accounts.size):
        holder = w.accounts[a]
        if holder["role"] == VAULT:
            continue
        # One pass over what is held: this loop sees every account at every mark.
        left, crosses, together, required = holder["held"], False, 0, 0.0
        s = holder["first"] - 1
        while left > 0:
            s += 1
            slot = w.slots[s]
            if slot["size"] == 0:
                continue
            left -= 1
            value = slot["size"] * marks[slot["coin"]]
            needed = maintenance(w, slot["table"], abs(value))
            if slot["isolated"] == 0:
                crosses = True
                together += value
                required += needed
            elif slot["margin"] + value < needed:
                _act(w, tape, ms, a, s, s + 1, ISOLATED, vault, partial_since, hour)
        if crosses and holder["cash"] + together < required:
            first, end = holder["first"], holder["end"]
            _act(w, tape, ms, a, first, end, CROSS, vault, partial_since, hour)
    return tape.used[LIQUIDATIONS] - found


@kernel
def _state(w, a, s, isolated, marks):
    """Return equity and maintenance: of the position in a slot, or of the cross account."""
    if isolated == 1:
        equity, needed, _ = isolated_state(w, s, marks)
        return equity, needed
    equity, needed, _, _ = cross_state(w, a, marks)
    return equity, needed


@kernel
def _healthy(w, a, s, isolated, marks):
    equity, needed = _state(w, a, s, isolated, marks)
    return equity >= needed


@kernel
def _cause(w, ms, a, s, isolated, hour):
    if 0 < ms - w.accounts[a]["last_partial"] <= COOLDOWN:
        return BY_REMAINDER
    if hour and not _healthy(w, a, s, isolated, w.coins["mark_before"]):
        return BY_FUNDING
    return BY_CASCADE if _healthy(w, a, s, isolated, w.coins["unpushed"]) else BY_PRICE


@kernel
def _act(w, tape, ms, a, first, end, isolated, vault, partial_since, hour):
    """Liquidate the positions in slots ``first`` to ``end`` that are, or are not, isolated."""
    equity, needed = _state(w, a, first, isolated, w.coins["mark"])
    cause = _cause(w, ms, a, first, isolated, hour)
    cash = w.accounts[a]["cash"]
    if equity < 0:
        _deleverage(w, tape, ms, a, first, end, isolated, cause)
    elif equity < BACKSTOP * needed:
        _take_over(w, tape, ms, a, first, end, isolated, cause, vault)
    else:
        _sell(w, tape, ms, a, first, end, isolated, cause, partial_since)
    lost = cash - w.accounts[a]["cash"]
    if isolated == 1 and lost > 0:
        # What is isolated risks its own margin only: the rest is the insurance's.
        transfer(w, tape, ms, a, COVER, lost)
    _cover(w, tape, ms, a)


@kernel
def _largest(w, first, end, isolated):
    """Return the slot of the largest notional that has sent no order yet; -1: none."""
    best, most = -1, 0
    for s in range(first, end):
        slot = w.slots[s]
        if slot["size"] == 0 or slot["isolated"] != isolated or slot["rank"] == SENT:
            continue
        notional = abs(slot["size"]) * w.coins[slot["coin"]]["mark"]
        if notional > most:
            best, most = s, notional
    return best


@kernel
def _sell(w, tape, ms, a, first, end, isolated, cause, partial_since):
    """Send the positions to the book, the largest first, until the account is healthy."""
    holder = w.accounts[a]
    # Orders of one block are all partial or all whole.
    whole = ms < partial_since or 0 < ms - holder["last_partial"] <= COOLDOWN
    for s in range(first, end):
        w.slots[s]["rank"] = 0.0
    while True:
        s = _largest(w, first, end, isolated)
        if s < 0:
            return
        equity, needed = _state(w, a, s, isolated, w.coins["mark"])
        if equity >= needed:
            return
        slot = w.slots[s]
        slot["rank"] = SENT  # one order a block
        about = w.coins[slot["coin"]]
        size = slot["size"]
        notional = abs(size) * about["mark"]
        sent = abs(size)
        if notional > PARTIAL_ABOVE and not whole:
            sent = max(1, (abs(size) + 2) // 5)
            holder["last_partial"] = ms
        row = _noted(w, tape, ms, a, s, BY_MARKET, cause, equity, needed, sent)
        delta = -sent if size > 0 else sent
        filled, value = walk(w, tape, ms, a, s, delta, BY_MARKET, a)
        row["filled"], row["value"] = filled, value
        about["forced"] += value / 1e6


@kernel
def _noted(w, tape, ms, a, s, kind, cause, equity, needed, sent):
    row = tape.liquidations[tape.used[LIQUIDATIONS]]
    tape.used[LIQUIDATIONS] += 1
    slot = w.slots[s]
    row["ms"], row["account"], row["coin"], row["kind"] = ms, a, slot["coin"], kind
    row["cause"], row["isolated"] = cause, slot["isolated"]
    row["mark"] = w.coins[slot["coin"]]["mark"]
    row["equity"], row["maintenance"] = equity, needed
    row["size"], row["sent"], row["filled"], row["value"] = slot["size"], sent, 0, 0
    return row


@kernel
def _take_over(w, tape, ms, a, first, end, isolated, cause, vault):
    """Hand positions to the vault at prices that leave the account nothing."""
    equity, needed = _state(w, a, first, isolated, w.coins["mark"])
    together = 0
    for s in range(first, end):
        slot = w.slots[s]
        if slot["size"] != 0 and slot["isolated"] == isolated:
            together += abs(slot["size"]) * w.coins[slot["coin"]]["mark"]
    cash_before = w.accounts[a]["cash"]
    for s in range(first, end):
        slot = w.slots[s]
        size = slot["size"]
        if size == 0 or slot["isolated"] != isolated:
            continue
        c = slot["coin"]
        mark = w.coins[c]["mark"]
        share = equity / together
        px = max(1, int(mark * (1.0 - (share if size > 0 else -share)) + 0.5))
        row = _noted(w, tape, ms, a, s, BY_BACKSTOP, cause, equity, needed, abs(size))
        row["filled"], row["value"] = abs(size), abs(size) * px
        w.house[ORDERS] += 1
        order = w.house[ORDERS]
        # The vault is the taker: real takeovers show the liquidated side as not crossing.
        trade_row = begin_trade(w, tape, ms, c, px, abs(size))
        buys = 1 if size > 0 else 0
        set_sides(w, trade_row, vault, slot_of(w, vault, c), a, s, buys)
        trade(w, tape, trade_row, order, BY_BACKSTOP, a)
    # What rounding of the prices left behind, of either sign; isolated: only that position's.
    left = w.accounts[a]["cash"] - (cash_before if isolated == 1 else 0)
    if left != 0:
        transfer(w, tape, ms, a, TAKEOVER, -left)
        transfer(w, tape, ms, vault, TAKEOVER, left)


@kernel
def _deleverage(w, tape, ms, a, first, end, isolated, cause):
    """Close positions against the other side's, ranked, at the previous mark."""
    equity, needed = _state(w, a, first, isolated, w.coins["mark"])
    for s in range(first, end):
        size = w.slots[s]["size"]
        if size == 0 or w.slots[s]["isolated"] != isolated:
            continue
        c = w.slots[s]["coin"]
        px = w.coins[c]["mark_before"]
        row = _noted(w, tape, ms, a, s, BY_ADL, cause, equity, needed, abs(size))
        rank_others(w, a, c, 1 if size > 0 else -1)
        left = abs(size)
        while left > 0:
            other, at = first_ranked(w)
            if at < 0:
                break
            w.slots[at]["rank"] = 0.0
            closed = min(left, abs(w.slots[at]["size"]))
            left -= closed
            w.house[ORDERS] += 1
            order = w.house[ORDERS]
            # Real rows show the side that is deleveraged as crossing.
            trade_row = begin_trade(w, tape, ms, c, px, closed)
            set_sides(w, trade_row, other, at, a, s, 1 if size > 0 else 0)
            trade(w, tape, trade_row, order, BY_ADL, a)
        row["filled"], row["value"] = abs(size) - left, (abs(size) - left) * px


@kernel
def rank_others(w, account, coin, side):
    """Rank who is deleveraged against a position, in the slots' ``rank``; higher is sooner.

    Parameters
    ----------
    w
        The world.
    account, coin, side
        Whose position, of what, +1 for a long: only opposite positions of others are ranked.
        What is not ranked gets 0.
    """
    marks = w.coins["mark_before"]
    for b in range(w.accounts.size):
        holder = w.accounts[b]
        for t in range(holder["first"], holder["end"]):
            w.slots[t]["rank"] = 0.0
            slot = w.slots[t]
            if b == account or slot["size"] * side >= 0 or slot["coin"] != coin:
                continue
            behind = backing(w, t, b, marks)
            if behind <= 0:
                continue
            mark, entry = float(marks[coin]), float(slot["entry"])
            gain = mark / entry if slot["size"] > 0 else entry / mark
            w.slots[t]["rank"] = gain * (abs(slot["size"]) * mark / behind)


@kernel
def first_ranked(w):
    """Return account and slot of the highest ``rank`` above 0; -1, -1: there is none."""
    account, best, highest = -1, -1, 0.0
    for b in range(w.accounts.size):
        holder = w.accounts[b]
        for t in range(holder["first"], holder["end"]):
            if w.slots[t]["rank"] > highest:
                account, best, highest = b, t, w.slots[t]["rank"]
    return account, best


@kernel
def _cover(w, tape, ms, a):
    """Let the insurance pay what an account without cross positions still owes."""
    holder = w.accounts[a]
    if holder["cash"] >= 0:
        return
    for s in range(holder["first"], holder["end"]):
        if w.slots[s]["size"] != 0 and w.slots[s]["isolated"] == 0:
            return
    transfer(w, tape, ms, a, COVER, -holder["cash"])
