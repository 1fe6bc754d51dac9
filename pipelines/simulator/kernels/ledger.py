"""This module keeps the books: what a trade does to a position and to the money behind it.

Money is kept as the venue keeps it: USDC that a purchase lowers and a sale raises, so that
equity is that USDC plus size times mark (``totalRawUsd`` and an isolated position's
``rawUsd``).  Cross positions share the account's; an isolated position has its own.
"""

from pipelines.simulator.records import (
    BY_ADL,
    BY_BACKSTOP,
    BY_CHOICE,
    BY_SETTLEMENT,
    COVER,
    DEPOSIT,
    DEPOSITED,
    FEES,
    INSURANCE,
    LIQUIDATIONS,
    MAKER,
    NOBODY,
    ORDERS,
    TRADER,
    TRADES,
    TRANSFERS,
    WITHDRAWAL,
    WITHDRAWN,
)
from warehouse.kernels._jit import kernel

# Of notional, in tenths of a millionth: base tier, and the rebate of the highest maker tier.
TAKER_FEE, MAKER_FEE, REBATE = 4_500, 1_500, -300
_WHOLE = 10_000_000


@kernel
def slot_of(w, account, coin):
    """Return the account's slot of a coin; else one that is free; -1: none is."""
    holder = w.accounts[account]
    if holder["role"] != TRADER:
        return holder["first"] + coin
    free = -1
    for s in range(holder["first"], holder["end"]):
        slot = w.slots[s]
        if slot["coin"] == coin:
            return s
        if slot["size"] == 0 and (free < 0 or slot["coin"] < 0):
            free = s
    return free


@kernel
def take_slot(w, s, coin, isolated, leverage, old):
    """Make an empty slot ready for a position; ``old``: its account keeps an older leverage."""
    slot, about = w.slots[s], w.coins[coin]
    if slot["coin"] != coin:
        slot["funding_ever"] = 0
    slot["coin"] = coin
    slot["isolated"] = isolated
    kept = old == 1 and about["old_table"] >= 0
    slot["table"] = about["old_table"] if kept else about["table"]
    slot["max_leverage"] = about["old_leverage"] if kept else about["max_leverage"]
    slot["leverage"] = min(leverage, slot["max_leverage"])
    slot["margin"] = 0
    slot["funding"] = 0
    slot["funding_changed"] = 0


@kernel
def _settle(w, account, s, delta, px, fee, held):
    """Move position and money of one side of a trade; return its closed profit."""
    slot, holder = w.slots[s], w.accounts[account]
    start = slot["size"]
    end = start + delta
    closed = min(abs(delta), abs(start)) if start * delta < 0 else 0
    pnl = closed * (px - slot["entry"]) * (1 if start > 0 else -1)
    paid = delta * px + fee
    if slot["isolated"] == 1:
        slot["margin"] -= paid
        if end == 0:
            moved = -slot["margin"]
        elif abs(end) > abs(start):
            moved = abs(delta) * px // slot["leverage"]
        elif account != held and start * end > 0:
            equity = slot["margin"] + end * px
            moved = -int(max(0, equity) * (abs(delta) / abs(start)))
        else:
            moved = 0
        slot["margin"] += moved
        holder["cash"] -= moved
    else:
        holder["cash"] -= paid
    if start * end <= 0:
        slot["entry"] = px
        slot["funding"] = 0
    elif abs(end) > abs(start):
        held, added = abs(start) * slot["entry"], abs(delta) * px
        slot["entry"] = (held + added + abs(end) // 2) // abs(end)
    slot["size"] = end
    holder["held"] += int(end != 0) - int(start != 0)
    slot["funding_changed"] = 0
    w.coins[slot["coin"]]["open_interest"] += max(end, 0) - max(start, 0)
    return pnl


@kernel
def _fee(value, role, takes):
    rate = MAKER_FEE
    if takes == 1:
        rate = TAKER_FEE
    elif role == MAKER:
        rate = REBATE
    return (value * rate + _WHOLE // 2) // _WHOLE


@kernel
def begin_trade(w, tape, ms, coin, px, size):
    """Return the row of a new trade, for its sides to be written; see :func:`set_sides`."""
    row = tape.trades[tape.used[TRADES]]
    row["ms"], row["coin"], row["px"], row["size"] = ms, coin, px, size
    row["mark"] = w.coins[coin]["mark"]
    return row


@kernel
def set_sides(w, row, taker, taker_slot, other, other_slot, taker_buys):
    """Write a trade's sides, and give their orders numbers; slots are ready for the coin.

    The taker's order has the number that was last given: a walk through the book is one order.
    """
    row["taker_buys"] = taker_buys
    w.house[ORDERS] += 1
    if taker_buys == 1:
        row["buyer"], row["buyer_slot"] = taker, taker_slot
        row["seller"], row["seller_slot"] = other, other_slot
    else:
        row["buyer"], row["buyer_slot"] = other, other_slot
        row["seller"], row["seller_slot"] = taker, taker_slot


@kernel
def trade(w, tape, row, order, kind, liquidated):
    """Let two accounts trade as a row says, and keep the row.

    Parameters
    ----------
    w, tape
        The world, and where it is written.
    row
        From :func:`begin_trade` and :func:`set_sides`.
    order
        Number of the taker's order; the other side's is the last that was given.
    kind, liquidated
        How it came about, and whose liquidation it is; -1: nobody's.
    """
    size, px, takes = row["size"], row["px"], row["taker_buys"]
    value = px * size
    free = kind in (BY_BACKSTOP, BY_ADL, BY_SETTLEMENT)
    buyer, seller = row["buyer"], row["seller"]
    fee_b = 0 if free else _fee(value, w.accounts[buyer]["role"], takes)
    fee_s = 0 if free else _fee(value, w.accounts[seller]["role"], 1 - takes)
    one, other = w.slots[row["buyer_slot"]], w.slots[row["seller_slot"]]
    row["buyer_start"], row["seller_start"] = one["size"], other["size"]
    row["buyer_isolated"], row["seller_isolated"] = one["isolated"], other["isolated"]
    # A liquidated position gives no margin back before it is closed.
    held = liquidated if kind != BY_CHOICE else NOBODY
    row["buyer_pnl"] = _settle(w, buyer, row["buyer_slot"], size, px, fee_b, held)
    row["seller_pnl"] = _settle(w, seller, row["seller_slot"], -size, px, fee_s, held)
    row["buyer_fee"], row["seller_fee"] = fee_b, fee_s
    w.house[FEES] += fee_b + fee_s
    row["buyer_order"] = order if takes == 1 else w.house[ORDERS]
    row["seller_order"] = w.house[ORDERS] if takes == 1 else order
    row["kind"], row["liquidated"] = kind, liquidated
    tape.used[TRADES] += 1
    if not free:  # a takeover's price is no price of the book
        about = w.coins[row["coin"]]
        about["last"] = px
        about["high"] = max(about["high"], px)
        about["low"] = min(about["low"], px)
        about["volume"] += size
        about["trades"] += 1


@kernel
def transfer(w, tape, ms, account, kind, amount):
    """Move money between an account and the outside, or the insurance; and write it down."""
    w.accounts[account]["cash"] += amount
    if kind == DEPOSIT:
        w.house[DEPOSITED] += amount
    elif kind == WITHDRAWAL:
        w.house[WITHDRAWN] -= amount
    elif kind == COVER:
        w.house[INSURANCE] -= amount
    row = tape.transfers[tape.used[TRANSFERS]]
    row["ms"], row["account"], row["kind"], row["amount"] = ms, account, kind, amount
    tape.used[TRANSFERS] += 1


@kernel
def has_room(tape):
    """Return whether the tape has room for a busy moment."""
    return (
        2 * tape.used[TRADES] < tape.trades.size
        and 2 * tape.used[TRANSFERS] < tape.transfers.size
        and 2 * tape.used[LIQUIDATIONS] < tape.liquidations.size
    )
