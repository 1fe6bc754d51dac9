"""Small worlds for tests: made from a seed, or by hand."""

import os
from datetime import date

import numpy as np

from pipelines.simulator.kernels.ledger import slot_of, take_slot
from pipelines.simulator.shocks import Shock
from pipelines.simulator.world import Simulation, WorldSpec, _tape

HOUR = 3_600_000
if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
    np.seterr(over="ignore")  # draws wrap around, which interpreted numpy warns of


def small(seed=7, coins=3, accounts=60, pct=-15.0, hour=1.0, minutes=20, start=None):
    """Return a world with one shock."""
    spec = WorldSpec(seed, start or date(2026, 1, 5), coins, accounts)
    shocks = (Shock(spec.start_ms + int(hour * HOUR), pct, minutes),) if pct else ()
    return Simulation(spec._replace(shocks=shocks))


def bare(coins=3, accounts=6, seed=7):
    """Return a world in which nobody has money or positions; books and marks are there."""
    sim = small(seed, coins, accounts, pct=0)
    w = sim.world
    for name in ("size", "entry", "margin", "funding", "funding_changed", "funding_ever"):
        w.slots[name] = 0
    w.slots["coin"][w.accounts["first"][sim.vault + 1] :] = -1
    w.accounts["cash"] = w.accounts["held"] = 0
    w.coins["open_interest"] = w.house[:5] = 0
    return sim


def set_mark(sim, coin, units, before=None):
    """Set a coin's mark and oracle, and the mark before it, and put the book around it."""
    about = sim.world.coins[coin]
    about["oracle"] = about["mark"] = about["unpushed"] = units
    about["mark_before"] = before or units
    set_book(sim, coin, [(units - 10, 10**9)], [(units + 10, 10**9)])


def set_book(sim, coin, bids, asks):
    """Put levels of ``(px, size)`` into a book; levels not given are far away and empty."""
    w = sim.world
    for side, levels in enumerate((bids, asks)):
        sign = 2 * side - 1
        for k in range(w.level_px.shape[2]):
            far = levels[-1][0] + sign * 1000 * (k - len(levels) + 1)
            px, size = levels[k] if k < len(levels) else (far, 0)
            w.level_px[coin, side, k], w.level_size[coin, side, k] = px, size
    w.coins["bid"][coin], w.coins["ask"][coin] = bids[0][0], asks[0][0]


def give(sim, account, coin, size, entry, margin=None, leverage=10):
    """Let an account hold a position against the first maker; with ``margin``: isolated.

    ``margin`` is the USDC behind it at a price of 0, micro-USDC.
    """
    w = sim.world
    for a, lots in ((account, size), (0, -size)):
        s = slot_of(w, a, coin)
        if a == account:
            take_slot(w, s, coin, int(margin is not None), leverage, 0)
            w.slots[s]["entry"], w.slots[s]["margin"] = entry, margin or 0
            out = s
        w.accounts[a]["held"] += int(w.slots[s]["size"] == 0)
        w.slots[s]["size"] += lots
        w.slots[s]["entry"] = w.slots[s]["entry"] or entry
    held = w.slots["size"][(w.slots["coin"] == coin) & (w.slots["size"] > 0)]
    w.coins["open_interest"][coin] = held.sum()
    return out


def tape_of(sim):
    """Return an empty tape."""
    return _tape(sim.world, 1, True)
