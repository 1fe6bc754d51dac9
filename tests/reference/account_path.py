"""The obvious account-level solve: walk the kinks of plain functions, one account at a time."""

from tests.reference.margin import maintenance


def left_over(move, account, value_at_0):
    """Return equity less maintenance after a market move.

    ``account`` is a list of ``(size, px, beta, tiers)``; ``value_at_0`` the account's equity
    without any move.
    """
    total = value_at_0
    for size, px, beta, tiers in account:
        price = px * max(0.0, 1 + beta * move)
        total += size * (price - px) - maintenance(abs(size) * price, tiers)
    return total


def exhausting_move(account, value_at_0, sign):
    """Return the least move with this sign (1 up, -1 down) that leaves nothing, or None.

    Between two kinks what is left is a straight line: where it crosses 0 follows from its ends.
    """
    if left_over(0.0, account, value_at_0) < 0:
        return 0.0
    farthest = 1.0 if sign < 0 else float("inf")
    kinks = {0.0}
    for size, px, beta, tiers in account:
        if beta == 0:
            continue
        for bound in [0.0, *(lower for lower, _ in tiers)]:
            kink = (bound / (abs(size) * px) - 1) / beta * sign
            if 0 < kink < farthest:
                kinks.add(kink)
    kinks = sorted(kinks)
    # Beyond the last kink the line goes on; a second point on it is enough.
    ends = [*kinks[1:], min(farthest, 2 * kinks[-1] + 1)]
    for low, high in zip(kinks, ends, strict=True):
        at_low = left_over(sign * low, account, value_at_0)
        at_high = left_over(sign * high, account, value_at_0)
        if at_high < 0:
            return low + (high - low) * max(at_low, 0.0) / (max(at_low, 0.0) - at_high)
        if high == ends[-1] and farthest > 1 and at_high < at_low:
            return low + (high - low) * at_low / (at_low - at_high)
    return None


def joint_map(accounts, betas, width_pct):
    """Sum what closes by ``(direction, band, coin, side)``.

    ``accounts`` are lists of ``(coin, size, px, tiers)``, each with its account value.
    """
    cells = {}
    for book, value in accounts:
        account = [(size, px, betas.get(coin, 1.0), tiers) for coin, size, px, tiers in book]
        for direction, sign in (("down", -1), ("up", 1)):
            move = exhausting_move(account, value, sign)
            if move is None:
                continue
            for coin, size, px, _ in book:
                price = px * max(0.0, 1 + betas.get(coin, 1.0) * sign * move)
                side = "long" if size > 0 else "short"
                key = direction, move * 100 // width_pct, coin, side
                cells[key] = cells.get(key, 0.0) + abs(size) * price
    return cells
