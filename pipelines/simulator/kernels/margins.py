"""This module asks what an account is worth and what the venue wants behind its positions.

Hyperliquid docs, "Margining" and "Margin tiers" (read 2026-08-22): maintenance is half the
initial margin at maximum leverage, tiered; it is taken on mark.
"""

from warehouse.kernels._jit import kernel


@kernel
def maintenance(w, table, notional):
    """Return the maintenance margin of a notional, both micro-USDC: the tiers' highest line."""
    most = 0.0
    for t in range(w.tier_first[table], w.tier_first[table + 1]):
        most = max(most, w.tier_rate[t] * notional - w.tier_deduction[t])
    return most


@kernel
def cross_state(w, account, marks):
    """Return equity, maintenance, notional and initial margin of an account's cross part.

    Parameters
    ----------
    w, account
        The world and whose.
    marks
        Units, by coin.

    Returns
    -------
    (int, float, int, int)
        micro-USDC.
    """
    holder = w.accounts[account]
    equity, needed, notional, initial = holder["cash"], 0.0, 0, 0
    left, s = holder["held"], holder["first"] - 1
    while left > 0:
        s += 1
        slot = w.slots[s]
        left -= slot["size"] != 0
        if slot["size"] != 0 and slot["isolated"] == 0:
            value = slot["size"] * marks[slot["coin"]]
            equity += value
            needed += maintenance(w, slot["table"], abs(value))
            notional += abs(value)
            initial += abs(value) // slot["leverage"]
    return equity, needed, notional, initial


@kernel
def isolated_state(w, s, marks):
    """Return equity, maintenance and notional of an isolated position, micro-USDC."""
    slot = w.slots[s]
    value = slot["size"] * marks[slot["coin"]]
    return slot["margin"] + value, maintenance(w, slot["table"], abs(value)), abs(value)


@kernel
def backing(w, s, account, marks):
    """Return what stands behind a position as ADL ranks it: its own margin, or its account."""
    if w.slots[s]["isolated"] == 1:
        return isolated_state(w, s, marks)[0]
    return cross_state(w, account, marks)[0]
