"""This module makes numbers that look like chance out of numbers that are known.

What a file needs beside what happened - identifiers, delays, which rows are spoilt - follows
from a seed and from what it is of.  So it is the same however the run is cut into pieces, and
asking for one thing more changes nothing else.

References
----------
Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).
"""

from zlib import crc32

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def scatter(seed: int, what: str, numbers: np.ndarray) -> np.ndarray:
    """Return 64 bits for each of ``numbers``.

    Parameters
    ----------
    seed
        Of the world, or of a fault.
    what
        What the bits are for: other words give other bits.
    numbers
        Whole numbers that tell apart what the bits are of.

    Returns
    -------
    uint64[...]
        In the shape of ``numbers``.

    >>> scatter(7, "delay", np.array([1, 2, 1])).tolist()
    [3144301263669317996, 1209828173015345941, 3144301263669317996]
    """
    start = np.array([(seed << 32 | crc32(what.encode())) % 2**64], np.uint64)
    return _mixed(_mixed(start) + np.asarray(numbers).astype(np.uint64) * _STEP)


def _mixed(z: np.ndarray) -> np.ndarray:
    """Mix bits; arrays of whole numbers wrap around without a word."""
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))
