"""This module settles a coin that the venue takes off its list, and every position in it."""

from pipelines.simulator.kernels.ledger import begin_trade, set_sides, trade
from pipelines.simulator.records import BY_SETTLEMENT, NOBODY, ORDERS
from warehouse.kernels._jit import kernel


@kernel
def holder_of(w, c, side, account):
    """Return account and slot of the next position on a side, from ``account`` on; -1: none."""
    for a in range(account, w.accounts.size):
        holder = w.accounts[a]
        for s in range(holder["first"], holder["end"]):
            if w.slots[s]["coin"] == c and w.slots[s]["size"] * side > 0:
                return a, s
    return -1, -1


@kernel
def delist(w, tape, ms, c):
    """Settle all positions in a coin at its mark, longs against shorts, and close its book.

    Parameters
    ----------
    w, tape, ms, c
        The world, where to write, when, and which coin.
    """
    about = w.coins[c]
    longs, long_slot = holder_of(w, c, 1, 0)
    shorts, short_slot = holder_of(w, c, -1, 0)
    while longs >= 0 and shorts >= 0:
        size = min(w.slots[long_slot]["size"], -w.slots[short_slot]["size"])
        w.house[ORDERS] += 1
        order = w.house[ORDERS]
        row = begin_trade(w, tape, ms, c, about["mark"], size)
        set_sides(w, row, longs, long_slot, shorts, short_slot, 0)
        trade(w, tape, row, order, BY_SETTLEMENT, NOBODY)
        longs, long_slot = holder_of(w, c, 1, longs)
        shorts, short_slot = holder_of(w, c, -1, shorts)
    about["listed"] = 0
    w.level_size[c, :, :] = 0
