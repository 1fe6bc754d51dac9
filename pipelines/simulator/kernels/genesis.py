"""This module makes the first day: who the accounts are, and what they already hold."""

import numpy as np

from pipelines.simulator.kernels.book import maker_of
from pipelines.simulator.kernels.draws import (
    NORMAL,
    WAITING,
    from_table,
    uniform,
)
from pipelines.simulator.kernels.ledger import (
    begin_trade,
    set_sides,
    slot_of,
    take_slot,
    trade,
    transfer,
)
from pipelines.simulator.kernels.margins import cross_state, maintenance
from pipelines.simulator.kernels.people import SMALLEST, chosen_coin, chosen_side
from pipelines.simulator.kernels.ticks import on_tick
from pipelines.simulator.records import (
    BY_CHOICE,
    CROSS,
    DEPOSIT,
    ISOLATED,
    MICRO,
    NOBODY,
    NOW,
    OF_PEOPLE,
    ORDERS,
    TRADER,
)
from warehouse.kernels._jit import kernel

HISTORY = 0.035  # spread of entries around today's price, a fraction
ROOM = 3.0  # equity over maintenance that every account begins with at least
HOURS = 3_600_000.0  # ms
# Leverages, as often as they stand here; the rich use no more than ten.
LIKED = np.array([2, 3, 3, 3, 5, 5, 5, 5, 8, 8, 10, 10, 10, 10, 15, 20, 20, 25, 40])
GRANDFATHERED, NERVOUS, RICH = 0.06, 0.4, 100_000  # shares, USD


@kernel
def settle_in(w, wealth, pace):
    """Give every trader its nature and its first deposit, and its next thought.

    Parameters
    ----------
    w
        The world.
    wealth
        USD: quantiles of first deposits.
    pace
        Hours: quantiles of the mean time between thoughts.
    """
    for a in range(w.accounts.size):
        holder = w.accounts[a]
        if holder["role"] != TRADER:
            continue
        usd = from_table(w.rng, OF_PEOPLE, wealth)
        holder["wealth"] = int(usd * 100.0) * (MICRO // 100)
        holder["pace"] = from_table(w.rng, OF_PEOPLE, pace) * HOURS
        liked = from_table(w.rng, OF_PEOPLE, LIKED)
        holder["leverage"] = min(liked, 10) if usd > RICH else liked
        chance = uniform(w.rng, OF_PEOPLE)
        holder["isolating"] = 0.0 if chance < 0.7 else (0.5 if chance < 0.8 else 1.0)
        holder["herding"] = 2.0 * uniform(w.rng, OF_PEOPLE) - 0.6
        holder["nervous"] = 0.7 if uniform(w.rng, OF_PEOPLE) < NERVOUS else 0.0
        holder["old"] = 1 if uniform(w.rng, OF_PEOPLE) < GRANDFATHERED else 0
        holder["home"] = 0
        chance = uniform(w.rng, OF_PEOPLE)
        while holder["home"] < w.popularity.size - 1 and chance >= w.popularity[holder["home"]]:
            holder["home"] += 1
        wait = holder["pace"] * from_table(w.rng, OF_PEOPLE, WAITING)
        holder["due"] = w.house[NOW] + int(wait)


@kernel
def take_positions(w, tape, held):
    """Let every trader have bought, at prices of the past, what it holds today.

    Parameters
    ----------
    w, tape
        The world; the tape is scratch, since the past is not told.
    held
        Positions of an account: quantiles.
    """
    marks, now = w.coins["mark"], w.house[NOW]
    for a in range(w.accounts.size):
        tape.used[:] = 0
        holder = w.accounts[a]
        if holder["role"] != TRADER:
            continue
        transfer(w, tape, now, a, DEPOSIT, holder["wealth"])
        for _ in range(from_table(w.rng, OF_PEOPLE, held)):
            c = chosen_coin(w, a)
            side = chosen_side(w, a, c)
            s = slot_of(w, a, c)
            if s < 0 or w.slots[s]["size"] != 0:
                continue
            about = w.coins[c]
            isolated = ISOLATED if uniform(w.rng, OF_PEOPLE) < holder["isolating"] else CROSS
            take_slot(w, s, c, isolated, holder["leverage"], holder["old"])
            slot = w.slots[s]
            equity, needed, _, initial = cross_state(w, a, marks)
            free = equity - max(float(initial), ROOM * needed)
            margin = (0.15 + 0.55 * uniform(w.rng, OF_PEOPLE)) * free
            lots = int(0.98 * max(0.0, margin) * slot["leverage"] / about["mark"])
            # The more leverage, the nearer the entry: the others are no longer here.
            spread = min(HISTORY, 0.3 / slot["leverage"])
            away = spread * from_table(w.rng, OF_PEOPLE, NORMAL)
            entry = on_tick(about["mark"] * (1.0 + away), 6 - about["size_decimals"])
            gained = side * lots * (about["mark"] - entry)
            held_by = lots * entry // slot["leverage"] if isolated == 1 else equity
            behind = maintenance(w, slot["table"], lots * about["mark"])
            behind += 0.0 if isolated == 1 else needed
            if lots * entry < SMALLEST or held_by + gained < ROOM * behind:
                continue
            maker = maker_of(w, c, 0, a)
            row = begin_trade(w, tape, now, c, entry, lots)
            set_sides(w, row, a, s, maker, slot_of(w, maker, c), (side + 1) // 2)
            trade(w, tape, row, w.house[ORDERS], BY_CHOICE, NOBODY)
    tape.used[:] = 0
