"""This module puts prices on the venue's ticks.

Hyperliquid docs, "Tick and lot size" (read 2026-08-22): at most five significant figures and at
most 6 - szDecimals decimals; whole numbers always.
"""

from warehouse.kernels._jit import kernel


@kernel
def tick_at(px, decimals):
    """Return the step between prices near ``px``; both in units of 10^-``decimals`` USD."""
    whole = 10**decimals
    step, reach = 1, 100_000
    while px >= reach and step < whole:
        step *= 10
        reach *= 10
    return step


@kernel
def on_tick(px, decimals):
    """Return the tick nearest to a price in units, given as a real number."""
    step = tick_at(int(px), decimals)
    return max(1, int(px + step / 2.0) // step * step)
