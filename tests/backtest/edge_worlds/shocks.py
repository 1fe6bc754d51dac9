"""This module draws what moves the prices of a made-up market that pulls them nowhere.

A price goes up or down by the same fraction with the same chance every five seconds, so that
no rule that only looks back earns anything before costs, whenever it stops.  What makes
statistics hard is how large the fraction is: volatility comes in days and swings with the
hour, tails are fat, there are bursts in place of jumps, and coins move together.
"""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

STEP_MINUTES = 5
STEPS = 60 // STEP_MINUTES  # of an hour
TICKS = 60  # of a step; each takes one bit of a word
HOURLY = 0.007  # typical move of an hour; a coin's year is then some 65 %
SWINGS = 0.4  # standard deviation of the logarithm of volatility
HALF_LIFE = 24.0  # hours in which volatility forgets half of what it was
BY_HOUR = 0.3  # busiest hour of a day over its mean, less 1
TAILS = 4  # degrees of freedom of Student's t, which the moves of a step follow
BURSTS = 0.15  # a day
BURST = 0.015  # standard deviation of what one moves
BURST_STEPS = 3
TOGETHER = 0.5  # share of a coin's variance that all coins have in common


class Shocks(NamedTuple):
    """What moves one coin.

    Attributes
    ----------
    shared, own : float64[steps]
        Size of a tick in each step, fraction: of all coins alike, and of the coin alone.
    shared_bits, own_bits : uint64[steps]
        Whether each tick of a step goes up, a bit a tick.
    """

    shared: np.ndarray
    own: np.ndarray
    shared_bits: np.ndarray
    own_bits: np.ndarray


def shocks(rng: np.random.Generator, coins: int, hours: int) -> list[Shocks]:
    """Return what moves each coin over so many hours."""
    clock = 1 + BY_HOUR * np.cos(2 * np.pi * (np.arange(hours) % 24 - 14) / 24)
    # All coins are restless at the same time.
    clock *= np.exp(_swings(rng, hours) - SWINGS**2 / 2)
    shared, shared_bits = _moves(rng, clock), _bits(rng, hours)
    out = []
    for _ in range(coins):
        own = _moves(rng, clock * np.exp(_swings(rng, hours) / 2 - SWINGS**2 / 8))
        own = np.sqrt((1 - TOGETHER) * own**2 + _bursts(rng, hours) ** 2)
        out.append(Shocks(np.sqrt(TOGETHER) * shared, own, shared_bits, _bits(rng, hours)))
    return out


def _moves(rng: np.random.Generator, scale: np.ndarray) -> np.ndarray:
    """Return how far a tick goes in each step, of hours that move by ``scale`` times usual."""
    # Student's t is a normal of which the variance is drawn too.
    drawn = rng.chisquare(TAILS, scale.size * STEPS) / (TAILS - 2)
    return np.repeat(HOURLY * scale, STEPS) / np.sqrt(drawn * STEPS * TICKS)


def _swings(rng: np.random.Generator, hours: int) -> np.ndarray:
    """Return by how much the logarithm of volatility is off in each hour."""
    keep = 0.5 ** (1 / HALF_LIFE)
    noise = rng.normal(0, SWINGS * np.sqrt(1 - keep**2), hours)
    noise[0] = rng.normal(0, SWINGS)
    return lfilter([1.0], [1.0, -keep], noise)


def _bursts(rng: np.random.Generator, hours: int) -> np.ndarray:
    """Return how far bursts move each tick; a burst has no direction that would be known."""
    begins = rng.random(hours * STEPS) < BURSTS / (24 * STEPS)
    lasts = np.convolve(begins, np.ones(BURST_STEPS))[: begins.size] > 0
    return np.where(lasts, BURST / np.sqrt(BURST_STEPS * TICKS), 0.0)


def _bits(rng: np.random.Generator, hours: int) -> np.ndarray:
    return rng.integers(0, 2**64, hours * STEPS, dtype=np.uint64)
