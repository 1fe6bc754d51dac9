"""This module lets accounts decide: open, add, reduce, close, turn, pay in and take out.

Each thinks at its own pace, likes a leverage and a coin of its own, and follows the trend or
leans against it.  Who is in distress may pay in or step back before the venue does it.
"""

from pipelines.simulator.kernels.book import rest, walk
from pipelines.simulator.kernels.draws import WAITING, below, from_table, uniform
from pipelines.simulator.kernels.ledger import slot_of, take_slot, transfer
from pipelines.simulator.kernels.margins import cross_state
from pipelines.simulator.records import (
    BY_CHOICE,
    CROSS,
    DEPOSIT,
    ISOLATED,
    MICRO,
    NOBODY,
    OF_PEOPLE,
    WITHDRAWAL,
)
from warehouse.kernels._jit import kernel

SMALLEST = 10 * MICRO  # an order, by the venue's rule
LARGEST = 0.25  # an order, as a share of what a book holds within 1 %
HOME = 0.6  # share of new positions in the coin an account likes best
TREND = 0.03  # a move of the last hours that most followers follow
DISTRESS = 1.7  # equity over maintenance
PATCH = 0.25  # of wealth, paid in under distress
LEAST_WAIT = 20_000  # ms between thoughts


@kernel
def chosen_coin(w, account):
    """Draw a coin: the account's own, or by popularity."""
    if uniform(w.rng, OF_PEOPLE) < HOME:
        return w.accounts[account]["home"]
    chance = uniform(w.rng, OF_PEOPLE)
    for c in range(w.popularity.size):
        if chance < w.popularity[c]:
            return c
    return w.popularity.size - 1


@kernel
def chosen_side(w, account, c):
    """Draw +1 or -1: more buy than sell, and the trend decides for those who look at it."""
    trend = min(1.0, max(-1.0, w.coins[c]["trend"] / TREND))
    chance = 0.52 + 0.4 * w.accounts[account]["herding"] * trend
    return 1 if uniform(w.rng, OF_PEOPLE) < chance else -1


@kernel
def think(w, tape, ms, a):
    """Let an account decide once, and choose when it thinks next."""
    holder = w.accounts[a]
    wait = holder["pace"] * from_table(w.rng, OF_PEOPLE, WAITING)
    holder["due"] = ms + LEAST_WAIT + int(wait)
    marks = w.coins["mark"]
    equity, needed, notional, initial = cross_state(w, a, marks)
    if notional > 0 and equity < DISTRESS * needed:
        _step_back(w, tape, ms, a)
        return
    held = 0
    for s in range(holder["first"], holder["end"]):
        held += w.slots[s]["size"] != 0
    free = equity - max(initial, int(1.2 * needed))
    chance = uniform(w.rng, OF_PEOPLE)
    if free < holder["wealth"] // 20 and (held == 0 or chance < 0.05):
        whole = holder["wealth"] * (0.5 + uniform(w.rng, OF_PEOPLE))
        transfer(w, tape, ms, a, DEPOSIT, int(whole) // 10_000 * 10_000)
        return
    if chance > 0.97 and free > 2 * holder["wealth"] // 5:
        part = free * (0.2 + 0.6 * uniform(w.rng, OF_PEOPLE))
        transfer(w, tape, ms, a, WITHDRAWAL, -(int(part) // 10_000 * 10_000))
        return
    if held > 0 and uniform(w.rng, OF_PEOPLE) < 0.62:
        pick = below(w.rng, OF_PEOPLE, held)
        for s in range(holder["first"], holder["end"]):
            if w.slots[s]["size"] != 0:
                if pick == 0:
                    _manage(w, tape, ms, a, s, free)
                    return
                pick -= 1
    _open(w, tape, ms, a, free)


@kernel
def _step_back(w, tape, ms, a):
    """Pay in, or give up the largest part of what is held."""
    holder = w.accounts[a]
    if uniform(w.rng, OF_PEOPLE) < 0.5:
        transfer(w, tape, ms, a, DEPOSIT, int(PATCH * holder["wealth"]) // 10_000 * 10_000)
        return
    for s in range(holder["first"], holder["end"]):
        slot = w.slots[s]
        if slot["size"] != 0 and slot["isolated"] == 0:
            part = abs(slot["size"]) // 2 + 1
            order(w, tape, ms, a, s, -part if slot["size"] > 0 else part)


@kernel
def _manage(w, tape, ms, a, s, free):
    """Close, reduce, turn or add to a position."""
    slot = w.slots[s]
    size = slot["size"]
    chance = uniform(w.rng, OF_PEOPLE)
    if chance < 0.45:
        order(w, tape, ms, a, s, -size)
    elif chance < 0.65:
        part = int(size * (0.3 + 0.4 * uniform(w.rng, OF_PEOPLE)))
        order(w, tape, ms, a, s, -part)
    elif chance < 0.7 and slot["isolated"] == 0:
        order(w, tape, ms, a, s, -2 * size)
    else:
        lots = _affordable(w, slot["coin"], slot["leverage"], 0.3 * free)
        order(w, tape, ms, a, s, lots if size > 0 else -lots)


@kernel
def _open(w, tape, ms, a, free):
    """Open a position in a coin the account does not hold."""
    holder = w.accounts[a]
    c = chosen_coin(w, a)
    side = chosen_side(w, a, c)
    isolated = ISOLATED if uniform(w.rng, OF_PEOPLE) < holder["isolating"] else CROSS
    margin = (0.15 + 0.6 * uniform(w.rng, OF_PEOPLE)) * free
    s = slot_of(w, a, c)
    listed = w.coins[c]["listed"] == 1
    if not listed or s < 0 or w.slots[s]["size"] != 0 or margin <= 0.0:
        return
    take_slot(w, s, c, isolated, holder["leverage"], holder["old"])
    lots = _affordable(w, c, w.slots[s]["leverage"], margin)
    order(w, tape, ms, a, s, side * lots)


@kernel
def _affordable(w, c, leverage, margin):
    """Return the lots that a margin in micro-USDC pays for, less what fees and spread cost."""
    about = w.coins[c]
    notional = min(0.98 * margin * leverage, LARGEST * about["depth"] * 1e6)
    return max(0, int(notional / about["mark"]))


@kernel
def order(w, tape, ms, a, s, delta):
    """Send an order for a slot: most cross the book, some rest; none smaller than allowed."""
    about = w.coins[w.slots[s]["coin"]]
    closes = delta == -w.slots[s]["size"]
    if delta == 0 or (abs(delta) * about["mark"] < SMALLEST and not closes):
        return
    if uniform(w.rng, OF_PEOPLE) < 0.6:
        walk(w, tape, ms, a, s, delta, BY_CHOICE, NOBODY)
    else:
        rest(w, tape, ms, a, s, delta)
