"""The obvious version: walk the venue's rule, and find the price by bisection."""


def maintenance(notional, tiers):
    """``tiers`` are (lower bound, maintenance rate), by the docs' recursion."""
    deduction, previous_rate, result = 0.0, 0.0, 0.0
    for number, (lower, rate) in enumerate(tiers):
        if number:
            deduction += lower * (rate - previous_rate)
        previous_rate = rate
        if notional >= lower:
            result = rate * notional - deduction
    return result


def liquidation_px(size, raw, tiers):
    """Return the price where equity meets maintenance, or None."""

    def short_of_margin(px):
        return raw + size * px < maintenance(abs(size) * px, tiers)

    low, high = 0.0, 1e15
    if size > 0:
        if not short_of_margin(low):
            return None
        if short_of_margin(high):
            return None
    elif short_of_margin(low) or not short_of_margin(high):
        return None
    for _ in range(300):
        middle = (low + high) / 2
        if short_of_margin(middle) == (size > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2
