"""This module is the order book: it is quoted anew at each mark, walked by orders, and thins.

Depth within a distance u of the middle grows as u^1.161, as measured on crypto books; what an
order takes comes back over time; and makers withdraw under stress, which is what turns forced
orders into cascades: at the median of measured ones depth within 1 % is 3.4 times thinner.
"""

import numpy as np

from pipelines.simulator.kernels.ledger import begin_trade, set_sides, slot_of, trade
from pipelines.simulator.kernels.ticks import on_tick, tick_at
from pipelines.simulator.records import BY_CHOICE, LEVELS, MAKER, NOBODY, ORDERS
from warehouse.kernels._jit import kernel

# Distance of each level from the best price, in basis points, and what lies on it as a share
# of the depth within 1 %.
_BOUNDS = [0, 0.5, 1, 2, 3, 5, 8, 12, 18, 26, 38, 55, 80, 115, 165, 240, 350, 500, 720, 1000]
_UPPER = [*_BOUNDS[1:], 1400]
OFFSET = np.array([round(bound / 1e4, 9) for bound in _BOUNDS])
SHARE = np.array(
    [
        round((high / 100) ** 1.161 - (low / 100) ** 1.161, 9)
        for low, high in zip(_BOUNDS, _UPPER, strict=True)
    ]
)
WIDENS = 0.1  # half a spread's growth for each unit of stress
REFILL = 0.25  # share of what is missing that comes back in 3 s
# Share of what orders moved the middle that stays after a quoting: the rest is replenished.
STAYS = 0.35


@kernel
def quote(w, c, elsewhere, periods):
    """Quote a coin's book around the price elsewhere, and what orders did to it here.

    Parameters
    ----------
    w, c
        The world and which coin.
    elsewhere
        USD: the middle of other venues' perpetuals.
    periods
        How many times 3 s have passed.
    """
    about = w.coins[c]
    decimals = 6 - about["size_decimals"]
    unit = 10.0**decimals
    if about["fair"] > 0.0:
        middle = (about["bid"] + about["ask"]) / (2.0 * unit)
        about["pushed"] += STAYS * (middle / about["fair"] - 1.0)
    fair = elsewhere * (1.0 + about["pushed"])
    about["fair"] = fair
    half = about["half_spread"] * (1.0 + WIDENS * about["stress"])
    depth = about["depth"] / (1.0 + about["stress"])
    kept = 1.0
    for _ in range(min(periods, 40)):
        kept *= 1.0 - REFILL
    lot = fair / 10.0 ** about["size_decimals"]  # USD
    for side in range(2):
        sign = 2 * side - 1
        before = 0
        for k in range(LEVELS):
            px = on_tick(fair * (1.0 + sign * (half + OFFSET[k])) * unit, decimals)
            if k > 0 and (px - before) * sign <= 0:
                px = before + sign * tick_at(before, decimals)
            elif k == 0 and side == 1 and px <= w.level_px[c, 0, 0]:
                px = w.level_px[c, 0, 0] + tick_at(px, decimals)
            w.level_px[c, side, k] = before = max(px, 1)
            wanted = int(depth * SHARE[k] / lot) + 1
            there = w.level_size[c, side, k]
            if there < wanted:
                there = wanted - int((wanted - there) * kept)
            w.level_size[c, side, k] = min(there, wanted)
    about["bid"], about["ask"] = w.level_px[c, 0, 0], w.level_px[c, 1, 0]


@kernel
def touch(w, c):
    """Note the best prices at which anything is left."""
    about = w.coins[c]
    for side in range(2):
        best = w.level_px[c, side, LEVELS - 1]
        for k in range(LEVELS):
            if w.level_size[c, side, k] > 0:
                best = w.level_px[c, side, k]
                break
        if side == 0:
            about["bid"] = best
        else:
            about["ask"] = best


@kernel
def maker_of(w, c, side, k):
    """Return who stands at a level: makers take turns."""
    count = 0
    while w.accounts[count]["role"] == MAKER:
        count += 1
    return (c + side + k) % count


@kernel
def walk(w, tape, ms, account, s, delta, kind, liquidated):
    """Send a market order into the book.

    Parameters
    ----------
    w, tape, ms
        The world, where to write, and when.
    account, s
        Whose order, and the slot it is for.
    delta
        Lots, signed: bought.
    kind, liquidated
        As of :func:`ledger.trade`.

    Returns
    -------
    (int, int)
        Lots filled, and the micro-USDC they traded for; what the book did not hold is not.
    """
    c = w.slots[s]["coin"]
    side = 1 if delta > 0 else 0
    left, value = abs(delta), 0
    w.house[ORDERS] += 1
    order = w.house[ORDERS]
    for k in range(LEVELS):
        size = min(left, w.level_size[c, side, k])
        if size <= 0:
            continue
        px = w.level_px[c, side, k]
        maker = maker_of(w, c, side, k)
        row = begin_trade(w, tape, ms, c, px, size)
        set_sides(w, row, account, s, maker, slot_of(w, maker, c), side)
        trade(w, tape, row, order, kind, liquidated)
        w.level_size[c, side, k] -= size
        left -= size
        value += size * px
        if left == 0:
            break
    touch(w, c)
    return abs(delta) - left, value


@kernel
def rest(w, tape, ms, account, s, delta):
    """Let a maker cross an account's resting order at the best price of its side."""
    c = w.slots[s]["coin"]
    side = 0 if delta > 0 else 1
    maker = maker_of(w, c, side, ms % LEVELS)
    px = w.coins[c]["bid"] if delta > 0 else w.coins[c]["ask"]
    w.house[ORDERS] += 1
    order = w.house[ORDERS]
    row = begin_trade(w, tape, ms, c, px, abs(delta))
    set_sides(w, row, maker, slot_of(w, maker, c), account, s, side)
    trade(w, tape, row, order, BY_CHOICE, NOBODY)


@kernel
def impact_px(w, c, side):
    """Return the average price, in units, of trading the impact notional into a side."""
    about = w.coins[c]
    left, lots, value = about["impact"] * 1e6, 0.0, 0.0
    px = float(w.level_px[c, side, LEVELS - 1])
    for k in range(LEVELS):
        px = float(w.level_px[c, side, k])
        here = min(left, w.level_size[c, side, k] * px)
        lots += here / px
        value += here
        left -= here
        if left <= 0.0:
            break
    return value / lots if lots > 0.0 else px


@kernel
def depth_within(w, c, side):
    """Return what rests within 1 % of the middle of a side, USD."""
    about = w.coins[c]
    middle = (about["bid"] + about["ask"]) / 2.0
    held = 0
    for k in range(LEVELS):
        if abs(w.level_px[c, side, k] - middle) <= 0.01 * middle:
            held += w.level_px[c, side, k] * w.level_size[c, side, k]
    return held / 1e6
