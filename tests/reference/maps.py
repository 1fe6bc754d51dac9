"""The obvious version: dictionaries and loops over the positions of one snapshot."""

import math


def bucket(px, width_pct):
    """Return the bucket by counting edges up or down from 1 USD."""
    number = round(math.log(px) / math.log(1 + width_pct / 100))
    while (1 + width_pct / 100) ** number > px:
        number -= 1
    while (1 + width_pct / 100) ** (number + 1) <= px:
        number += 1
    return number


def liquidation_map(positions, width_pct):
    """Return {(side, bucket): (notional, size, positions, largest)}."""
    cells = {}
    for position in positions:
        px, size = position["liquidation_px"], position["size"]
        if px is None:
            continue
        key = ("long" if size > 0 else "short", bucket(px, width_pct))
        notional, coins, count, largest = cells.get(key, (0.0, 0.0, 0, 0.0))
        own = abs(size) * px
        cells[key] = (notional + own, coins + abs(size), count + 1, max(largest, own))
    return cells


def triggered(positions, current_px, pct, direction):
    """Return (notional, positions) that a move by ``pct`` triggers."""
    notional, count = 0.0, 0
    for position in positions:
        px, size = position["liquidation_px"], position["size"]
        if px is None:
            continue
        down = direction == "down" and size > 0 and px >= current_px * (100 - pct) / 100
        up = direction == "up" and size < 0 and px <= current_px * (100 + pct) / 100
        if down or up:
            notional += abs(size) * px
            count += 1
    return notional, count


def clusters(positions, width_pct):
    """Return [(side, px_low, px_high, notional)]: the strongest of what is left, again."""
    found = []
    for side, sign in (("long", 1), ("short", -1)):
        left = {}
        for position in positions:
            px = position["liquidation_px"]
            if px is not None and position["size"] * sign > 0:
                left[px] = left.get(px, 0.0) + abs(position["size"]) * px
        wide = 1 + width_pct / 100
        starts = []
        while left:
            windows = {
                low: sum(own for px, own in left.items() if low <= px < low * wide)
                for low in left
            }
            low = max(windows, key=lambda one: (windows[one], -one))
            high = min([low * wide, *(start for start in starts if start > low)])
            found.append((side, low, high, windows[low]))
            starts.append(low)
            left = {px: own for px, own in left.items() if not low <= px < low * wide}
    return sorted(found, key=lambda row: (-row[3], row[0], row[1]))
