"""This module draws random numbers that are the same on every machine.

A draw is a whole number; a distribution is a table of quantiles, rounded, that a draw picks
from.  No logarithm or exponential is taken while the world runs: those may differ in their last
digit from one processor to the next, and after a month of feedback so would everything else.

References
----------
Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).
"""

from statistics import NormalDist

import numpy as np

from warehouse.kernels._jit import kernel

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)

QUANTILES = 4096
_P = [(number + 0.5) / QUANTILES for number in range(QUANTILES)]
NORMAL = np.array([round(NormalDist().inv_cdf(p), 9) for p in _P])
WAITING = np.array([round(float(-np.log(1 - p)), 9) for p in _P])  # exponential, mean 1


@kernel
def draw(rng, stream):
    """Return 53 random bits of a stream, as an integer; ``rng`` is uint64[streams]."""
    rng[stream] = rng[stream] + _STEP
    z = rng[stream]
    z = (z ^ (z >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return np.int64((z ^ (z >> _31)) >> _11)


@kernel
def uniform(rng, stream):
    """Return a fraction in [0, 1)."""
    return draw(rng, stream) / 9007199254740992.0


@kernel
def below(rng, stream, count):
    """Return an integer in [0, count), each as likely to within ``count`` / 2^53."""
    return draw(rng, stream) % count


@kernel
def from_table(rng, stream, table):
    """Return one of a table's quantiles, each as likely."""
    return table[draw(rng, stream) % table.size]
