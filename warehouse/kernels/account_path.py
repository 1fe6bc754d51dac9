"""This module solves for the market move at which an account's cross margin is exhausted.

Along a move ``x`` every coin's price is ``px * (1 + beta * x)``, never below 0.  An account's
equity is then ``raw + sum(size * price)``, piecewise linear in ``x``; so is its maintenance
margin, tier by tier (see :mod:`warehouse.kernels.margin`).  What is left of equity over
maintenance is one line between two kinks, where a position enters another tier or its price
is 0.  The kinks are walked outward from no move at all, and the first line that reaches 0 gives
the answer: nothing is approached step by step.
"""

import numpy as np

from warehouse.kernels._jit import kernel

# The market cannot fall by more than all of it.
WHOLE = 1.0
# Of slopes that cancel, as where every price is 0, a rounding remains that would lead to 0 at
# moves beyond all reason: a slope is none below this share of what it is the sum of.
ROUNDING = 1e-13


@kernel
def _kinks(s, p, slope, low, high, rate, deduction, where, by, tilt, count, farthest):
    """Add one position's kinks up to ``farthest``; return their number, and its line at 0."""
    coins = abs(s)
    notional = coins * p
    held = low
    for t in range(low + 1, high):
        if rate[t] * notional - deduction[t] > rate[held] * notional - deduction[held]:
            held = t
    at_0 = (s - rate[held] * coins) * p + deduction[held]
    along = (s - rate[held] * coins) * p * slope
    step = 1 if slope > 0.0 else -1
    while slope != 0.0 and low <= held + step < high:
        t = held + step
        d_rate, d_deduction = rate[t] - rate[held], deduction[t] - deduction[held]
        x = (d_deduction / d_rate / notional - 1.0) / slope
        if x >= farthest:
            break
        where[count] = max(x, 0.0)
        by[count] = d_deduction - d_rate * notional
        tilt[count] = -d_rate * notional * slope
        held = t
        count += 1
    if slope < 0.0 and -1.0 / slope < farthest:
        where[count] = -1.0 / slope
        by[count] = -(s - rate[held] * coins) * p - deduction[held]
        tilt[count] = -(s - rate[held] * coins) * p * slope
        count += 1
    return count, at_0, along


@kernel
def exhaustion(first, size, px, beta, instrument, raw, tier_first, rate, deduction):
    """Return the least fall and the least rise of the market that exhaust each account.

    Parameters
    ----------
    first : int64[n + 1]
        Positions of account ``i`` are ``first[i]`` to ``first[i + 1]``.
    size, px : float64[m]
        Coins, signed, not 0; USD, above 0, from where the market moves.
    beta : float64[m]
        By how much of the market's move the position's coin moves.
    instrument : int64[m]
        Which tier table holds for the position.
    raw : float64[n]
        USD behind the account if every price were 0: account value less ``size * mark`` of each
        position.  NaN: not known.
    tier_first, rate, deduction
        As ``first``, ``rate`` and ``deduction`` of
        :func:`warehouse.kernels.margin.maintenance_margin`.

    Returns
    -------
    float64[n, 2]
        Fall and rise as fractions, 0 or more; a fall is at most 1.  0: the margin is gone
        already.  NaN: no such move exhausts it, or ``raw`` is NaN.
    """
    out = np.full((raw.size, 2), np.nan)
    most = 0
    for i in range(raw.size):
        kinks = 0
        for j in range(first[i], first[i + 1]):
            kinks += tier_first[instrument[j] + 1] - tier_first[instrument[j]] + 1
        most = max(most, kinks)
    where, by, tilt = np.empty(most), np.empty(most), np.empty(most)
    for i in range(raw.size):
        if np.isnan(raw[i]):
            continue
        for way in range(2):
            sign = -1.0 if way == 0 else 1.0
            farthest = WHOLE if way == 0 else np.inf
            left, along, steep, count = raw[i], 0.0, 0.0, 0
            for j in range(first[i], first[i + 1]):
                count, at_0, more = _kinks(
                    size[j],
                    px[j],
                    beta[j] * sign,
                    tier_first[instrument[j]],
                    tier_first[instrument[j] + 1],
                    rate,
                    deduction,
                    where,
                    by,
                    tilt,
                    count,
                    farthest,
                )
                left += at_0
                along += more
                steep += abs(more)
            if left < 0.0:
                out[i, way] = 0.0
                continue
            nearest = farthest
            for n in range(count):
                nearest = min(nearest, where[n])
            # Most accounts are exhausted before the first kink, and need no order of them.
            if along < -ROUNDING * steep and -left / along <= nearest:
                out[i, way] = -left / along
                continue
            order = np.argsort(where[:count])
            start = 0.0
            for n in range(count + 1):
                end = where[order[n]] if n < count else farthest
                if along < -ROUNDING * steep and -left / along <= end:
                    out[i, way] = max(-left / along, start)
                    break
                if n < count:
                    left += by[order[n]]
                    along += tilt[order[n]]
                    steep += abs(tilt[order[n]])
                    start = end
    return out
