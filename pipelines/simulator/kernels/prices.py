"""This module moves prices elsewhere, and makes the venue's own of them: oracle, mark, funding.

Elsewhere: one factor and each coin's own part, both with a variance that wanders (a square-root
process), and jumps.  What orders push here is partly followed elsewhere, and fades: the impact
of uninformed orders does.

References
----------
Hyperliquid docs, "Robust price indices" and "Funding" (read 2026-08-22): the mark is the median
of oracle plus the 150 s average of mid less oracle, of the median of bid, ask and last trade,
and of the middle of other venues' perpetuals.
"""

import numpy as np

from pipelines.simulator.kernels.book import impact_px
from pipelines.simulator.kernels.draws import NORMAL, from_table, uniform
from pipelines.simulator.kernels.ticks import on_tick
from pipelines.simulator.records import FUNDINGS, INSURANCE, OF_PRICES
from warehouse.kernels._jit import kernel

# exp(-t / 150 s) for t of 0, 3, 6, … 60 s.
FADES = np.array([round(float(np.exp(-3 * number / 150)), 12) for number in range(21)])
REVERTS, WANDERS = 0.02, 0.16  # of variances: half-life 35 minutes
LEAST = 0.05  # of variances
JUMPS, JUMP = 0.0008, 0.004  # chance a minute, and size, of the market's
OWN_JUMPS, OWN_JUMP = 0.0001, 0.025
FOLLOWED = 0.06  # share of a push that elsewhere follows in 3 s
FORGOTTEN = 0.05  # share of a push that goes without trace in 3 s
RECOVERED = 0.011  # share of what was followed that is won back in a minute: half-life 1 h
STRESS_OF_MOVES, STRESS_OF_ORDERS = 0.45, 6.0
STRESS_FADES = 0.985  # in 3 s: half-life 140 s


@kernel
def draw_returns(w, extra):
    """Draw a minute's returns into each coin's ``ret``; ``extra``: what a shock adds."""
    v, z = w.market[0], from_table(w.rng, OF_PRICES, NORMAL)
    move, jump = w.market[1] * np.sqrt(v) * z + extra, 0.0
    if uniform(w.rng, OF_PRICES) < JUMPS:
        jump = JUMP * from_table(w.rng, OF_PRICES, NORMAL)
    # What moves down stirs: the variance's shock leans against the price's.
    shock = 0.8 * from_table(w.rng, OF_PRICES, NORMAL) - 0.6 * z
    w.market[0] = max(LEAST, v + REVERTS * (1.0 - v) + WANDERS * np.sqrt(v) * shock)
    for c in range(w.coins.size):
        about = w.coins[c]
        own = about["own_variance"]
        ret = about["beta"] * move
        ret += about["own_vol"] * np.sqrt(own) * from_table(w.rng, OF_PRICES, NORMAL)
        about["ret"] = min(0.5, max(-0.5, ret))
        about["jump"] = about["beta"] * jump
        if uniform(w.rng, OF_PRICES) < OWN_JUMPS:
            about["jump"] += OWN_JUMP * from_table(w.rng, OF_PRICES, NORMAL)
        shock = from_table(w.rng, OF_PRICES, NORMAL)
        about["own_variance"] = max(
            LEAST, own + REVERTS * (1.0 - own) + WANDERS * np.sqrt(own) * shock
        )
        noise = from_table(w.rng, OF_PRICES, NORMAL)
        whole = ret + about["jump"]
        about["basis"] += -0.003 * about["basis"] + 0.01 * whole + 0.00005 * noise
        about["trend"] += whole - about["trend"] / 360.0
        about["carried"] *= 1.0 - RECOVERED


@kernel
def move(w, c, share, periods):
    """Move a coin elsewhere by its jump and a share of its return; ``periods`` of 3 s pass."""
    about = w.coins[c]
    step = share * about["ret"] + about["jump"]
    about["jump"] = 0.0
    about["spot"] *= 1.0 + step
    for _ in range(periods):
        about["stress"] *= STRESS_FADES
        followed = FOLLOWED * about["pushed"]
        about["carried"] += followed
        about["pushed"] -= followed + FORGOTTEN * about["pushed"]
    excess = abs(step) / about["calm"] - periods / 5.0
    about["stress"] += STRESS_OF_MOVES * max(0.0, excess)
    about["stress"] += STRESS_OF_ORDERS * about["forced"] / about["depth"]
    about["forced"] = 0.0


@kernel
def elsewhere(w, c):
    """Return the middle of other venues' perpetuals, USD."""
    about = w.coins[c]
    return about["spot"] * (1.0 + about["carried"]) * (1.0 + about["basis"])


@kernel
def middle_of_three(a, b, c):
    """Return the median."""
    return max(min(a, b), min(max(a, b), c))


@kernel
def set_prices(w, c, periods):
    """Set a coin's oracle, mark and premium from what stands in its book."""
    about = w.coins[c]
    decimals = 6 - about["size_decimals"]
    unit = 10.0**decimals
    oracle = about["spot"] * (1.0 + about["carried"]) * unit
    about["oracle"] = on_tick(oracle, decimals)
    seconds = 3.0 * periods
    gap = (about["bid"] + about["ask"]) / 2.0 - about["oracle"]
    kept = FADES[min(periods, 20)]
    about["ema_num"] = about["ema_num"] * kept + gap * seconds
    about["ema_den"] = about["ema_den"] * kept + seconds
    first = about["oracle"] + about["ema_num"] / about["ema_den"]
    second = middle_of_three(float(about["bid"]), float(about["ask"]), float(about["last"]))
    third = elsewhere(w, c) * unit
    about["mark_before"] = about["mark"]
    about["mark"] = on_tick(middle_of_three(first, second, third), decimals)
    set_premium(w, c)
    about["premium_sum"] += about["premium"] * seconds
    about["premium_count"] += seconds


@kernel
def set_premium(w, c):
    """Set a coin's impact prices and its premium from what stands in its book."""
    about = w.coins[c]
    decimals = 6 - about["size_decimals"]
    about["impact_bid"] = on_tick(impact_px(w, c, 0), decimals)
    about["impact_ask"] = on_tick(impact_px(w, c, 1), decimals)
    above = max(0, about["impact_bid"] - about["oracle"])
    below = max(0, about["oracle"] - about["impact_ask"])
    about["premium"] = (above - below) / about["oracle"]


@kernel
def hourly_rate(premium):
    """Return the hourly funding rate of an average premium, to ten decimals."""
    eight_hours = premium + min(0.0005, max(-0.0005, 0.0001 - premium))
    rate = min(0.04, max(-0.04, eight_hours / 8.0))
    return np.floor(rate * 1e10 + 0.5) / 1e10


@kernel
def pay_funding(w, tape, ms):
    """Let longs pay shorts on the oracle's price; what rounding leaves is the insurance's."""
    for c in range(w.coins.size):
        about = w.coins[c]
        if about["listed"] == 0:
            continue
        premium = about["premium_sum"] / max(about["premium_count"], 1.0)
        about["rate"] = hourly_rate(premium)
        about["premium_sum"] = about["premium_count"] = 0.0
        row = tape.fundings[tape.used[FUNDINGS]]
        row["ms"], row["coin"], row["oracle"] = ms, c, about["oracle"]
        row["rate"], row["premium"] = about["rate"], np.floor(premium * 1e8 + 0.5) / 1e8
        tape.used[FUNDINGS] += 1
    for a in range(w.accounts.size):
        holder = w.accounts[a]
        for s in range(holder["first"], holder["end"]):
            slot = w.slots[s]
            if slot["size"] == 0:
                continue
            about = w.coins[slot["coin"]]
            paid = int(np.floor(slot["size"] * about["oracle"] * about["rate"] + 0.5))
            if slot["isolated"] == 1:
                slot["margin"] -= paid
            else:
                holder["cash"] -= paid
            slot["funding"] += paid
            slot["funding_changed"] += paid
            slot["funding_ever"] += paid
            w.house[INSURANCE] += paid
