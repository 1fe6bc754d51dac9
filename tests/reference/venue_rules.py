"""The venue's published rules, one at a time, in exact numbers: slow, and easy to read.

Money is whole micro-USDC, sizes are lots, prices are units of 10^-(6 - szDecimals) USD; lots
times units is micro-USDC.  Tiers are (lower bound in micro-USDC, maximum leverage).
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

MASK = 2**64 - 1
LARGE = 100_000 * 10**6  # micro-USDC: above it a fifth is sent first


def rounded(number):
    """Round to the nearest whole number, halves up."""
    return floor(Fraction(number) + Fraction(1, 2))


def splitmix(state):
    """Return the next state of SplitMix64 and what it gives."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def on_tick(units, decimals):
    """Put a price on 5 significant figures and ``decimals`` decimals; integers are allowed."""
    px = Decimal(units).scaleb(-decimals)
    figures = Decimal(1).scaleb(px.adjusted() - 4) if px else Decimal(1).scaleb(-decimals)
    quantum = min(Decimal(1), max(figures, Decimal(1).scaleb(-decimals)))
    steps = (px / quantum).quantize(Decimal(1), ROUND_HALF_UP)
    return max(1, int((steps * quantum).scaleb(decimals)))


def is_on_tick(units, decimals):
    """Say whether the venue would take a price."""
    px = Decimal(int(units)).scaleb(-int(decimals))
    return px > 0 and (
        px == px.to_integral_value() or len(px.normalize().as_tuple().digits) <= 5
    )


def maintenance(notional, tiers):
    """Return the maintenance margin: half the initial margin at maximum leverage, tiered."""
    deduction, before, held = Fraction(0), Fraction(0), Fraction(0)
    for lower, leverage in tiers:
        rate = Fraction(1, 2 * leverage)
        deduction += lower * (rate - before)
        before = rate
        if notional >= lower:
            held = rate * notional - deduction
    return held


def liquidation_px(size, raw, tiers):
    """Return the price in units at which equity meets maintenance; None: there is none above 0.

    Equity at ``p`` is ``raw + size p``; within a tier maintenance is a line, so each tier has
    one candidate, and the price is the candidate that lies in its own tier.
    """
    deduction, before = Fraction(0), Fraction(0)
    bounds = [lower for lower, _ in tiers[1:]] + [None]
    for (lower, leverage), upper in zip(tiers, bounds, strict=True):
        rate = Fraction(1, 2 * leverage)
        deduction += lower * (rate - before)
        before = rate
        px = -(raw + deduction) / (size - rate * abs(size))
        notional = abs(size) * px
        if px > 0 and lower <= notional and (upper is None or notional < upper):
            return px
    return None


def hourly_rate(premium):
    """Return the funding rate of an hour: an eighth of premium plus clamped interest."""
    premium = Fraction(premium)
    clamped = min(Fraction(5, 10_000), max(Fraction(-5, 10_000), Fraction(1, 10_000) - premium))
    rate = min(Fraction(4, 100), max(Fraction(-4, 100), (premium + clamped) / 8))
    return Fraction(rounded(rate * 10**10), 10**10)


def funding(size, oracle, rate):
    """Return what a position pays: size times oracle times rate."""
    return rounded(size * oracle * Fraction(round(rate * 10**10), 10**10))


def fee(value, maker_account, takes):
    """Return the fee of base-tier accounts; accounts that make markets get 0.003 % back."""
    if takes:
        return rounded(value * Fraction(45, 100_000))
    return rounded(value * (Fraction(-3, 100_000) if maker_account else Fraction(15, 100_000)))


def premium(bid, ask, oracle):
    """Return the premium of impact prices over the oracle."""
    return Fraction(max(bid - oracle, 0) - max(oracle - ask, 0), oracle)


def walk(levels, wanted):
    """Take ``wanted`` lots from ``(px, size)`` levels: what was traded where, and the rest."""
    fills = []
    for px, size in levels:
        taken = min(size, wanted)
        if taken > 0:
            fills.append((px, taken))
            wanted -= taken
    return fills, wanted


def impact_px(levels, notional):
    """Return the average price of trading a notional in micro-USDC."""
    lots, value = Fraction(0), Fraction(0)
    for px, size in levels:
        here = min(Fraction(notional) - value, Fraction(size * px))
        lots, value = lots + here / px, value + here
    return value / lots if lots else Fraction(levels[-1][0])


def sent(size, mark, ms, last_partial, partial_since):
    """Return the lots of a market liquidation: a fifth, or all."""
    large = abs(size) * mark > LARGE
    cooling = 0 < ms - last_partial <= 30_000
    if not large or cooling or ms < partial_since:
        return abs(size)
    return max(1, rounded(Fraction(abs(size), 5)))


def method(equity, held):
    """Return how someone under maintenance is liquidated."""
    if equity < 0:
        return "adl"
    return "backstop" if equity < Fraction(2, 3) * held else "market"


def adl_rank(size, entry, mark, behind):
    """Return who is deleveraged sooner; 0: who has nothing is not."""
    if behind <= 0:
        return Fraction(0)
    gain = Fraction(int(mark), int(entry)) if size > 0 else Fraction(int(entry), int(mark))
    return gain * Fraction(int(abs(size) * mark), int(behind))
