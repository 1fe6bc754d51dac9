"""This module walks a price among the liquidation prices of a made-up crowd.

Clusters of shorts are born above the price and clusters of longs below, at random distances and
of random sizes; they are closed where the price meets them, or by themselves after some days.
An edge of known size may be planted in how the price answers to them.

Extremes reach beyond the ticks by what a tick overshoots a level by on average.  Who is filled
at a level that the price has jumped over would be filled better than the price if they did
not: 3 bp a stop, which made the rule with more stops the better one, and a test of the two
say so in 7 % of 1,000 worlds without an edge.

References
----------
.. [1] M. Broadie, P. Glasserman, S. Kou, "A Continuity Correction for Discrete Barrier
   Options", Mathematical Finance 7(4), 1997.
"""

from typing import NamedTuple

import numba
import numpy as np

from tests.backtest.edge_worlds.shocks import STEPS, TICKS, Shocks

SLOTS = 10  # clusters a side at most
BORN = 0.05  # chance of an empty slot to be filled, an hour
LIFE = 96.0  # mean hours until a cluster closes by itself
DISTANCE = 0.04  # median
DISTANCES = (0.004, 0.2)
NOTIONAL = 5e6  # median, USD
LARGEST = 3.0  # sizes above so many medians push no harder
REACH = 0.15  # how far from the price clusters pull
FADES = 3.0  # hours in which two thirds of a push are over
# How far a price goes beyond its ticks, in deviations of a tick: what a walk of normal ticks
# overshoots a level by on average ([1]: -zeta(1/2) / sqrt(2 pi)).
BEYOND = 0.5826


class Edge(NamedTuple):
    """What is planted.

    Attributes
    ----------
    pull
        Drift an hour towards the side whose clusters are larger, fraction.
    push
        Return that follows on the touch of a cluster of median size, the way the price went
        (below 0: against it), spread over the hours after, fraction.
    """

    pull: float = 0.0
    push: float = 0.0


class Walked(NamedTuple):
    """One coin's past.

    Attributes
    ----------
    open_px, high_px, low_px, close_px : float64[steps]
        Of each step, USD.
    cluster_px, cluster_notional : float64[hours, 2 * SLOTS]
        What was open as each hour began, shorts first, USD; NaN: the slot is empty.
    short_notional, long_notional : float64[hours]
        Liquidated in each hour, USD.
    """

    open_px: np.ndarray
    high_px: np.ndarray
    low_px: np.ndarray
    close_px: np.ndarray
    cluster_px: np.ndarray
    cluster_notional: np.ndarray
    short_notional: np.ndarray
    long_notional: np.ndarray


def walk(rng: np.random.Generator, shocks: Shocks, edge: Edge, start_px: float) -> Walked:
    """Walk one coin, from ``start_px`` USD on.

    Every slot draws in every hour whatever the price did, so that worlds of one seed differ by
    their edge alone.
    """
    shape = (shocks.own.size // STEPS, 2 * SLOTS)
    distance = np.clip(DISTANCE * np.exp(rng.normal(0, 0.7, shape)), *DISTANCES)
    size = np.exp(rng.normal(0, 1, shape))
    born, life = rng.random(shape), rng.exponential(LIFE, shape)
    crowd = distance, size, born, life
    prices, clusters, closed = _walk(*shocks, *edge, start_px, BEYOND, *crowd)
    return Walked(*prices, *clusters, *closed)


@numba.njit(nogil=True)
def _walk(shared, own, shared_bits, own_bits, pull, push, px, far, distance, size, born, life):
    hours, slots = distance.shape
    half = slots // 2
    prices = np.empty((4, shared.size))
    clusters = np.full((2, hours, slots), np.nan)
    closed = np.zeros((2, hours))
    at, weight, until = np.full(slots, np.nan), np.zeros(slots), np.zeros(slots)
    left = 0.0
    for hour in range(hours):
        balance = 0.0
        for j in range(slots):
            if hour >= until[j]:
                at[j] = np.nan
            # The crowd is there from the start; later a slot is filled now and then.
            if np.isnan(at[j]) and (hour == 0 or born[hour, j] < BORN):
                away = distance[hour, j] if j < half else -distance[hour, j]
                at[j], weight[j] = px * (1 + away), size[hour, j]
                until[j] = hour + life[hour, j]
            if np.isnan(at[j]):
                continue
            clusters[0, hour, j], clusters[1, hour, j] = at[j], weight[j] * NOTIONAL
            if abs(at[j] / px - 1) <= REACH:
                balance += weight[j] if j < half else -weight[j]
        drift = pull * np.sign(balance) / (STEPS * TICKS)
        above, below = _nearest(at, half)
        for step in range(hour * STEPS, (hour + 1) * STEPS):
            first = high = low = px
            beyond = far * np.sqrt(shared[step] ** 2 + own[step] ** 2)
            for tick in range(TICKS):
                up, up_own = _sign(shared_bits[step], tick), _sign(own_bits[step], tick)
                paid = left / (FADES * STEPS * TICKS)
                left -= paid
                px *= 1 + shared[step] * up + own[step] * up_own + drift + paid
                top, bottom = px * (1 + beyond), px * (1 - beyond)
                high, low = max(high, top), min(low, bottom)
                if below < bottom and top < above:
                    continue
                for j in range(slots):
                    short = j < half
                    if (short and at[j] <= top) or (not short and at[j] >= bottom):
                        at[j] = np.nan
                        closed[0 if short else 1, hour] += weight[j] * NOTIONAL
                        left += (1 if short else -1) * push * min(weight[j], LARGEST)
                above, below = _nearest(at, half)
            prices[0, step], prices[1, step] = first, high
            prices[2, step], prices[3, step] = low, px
    return prices, clusters, closed


@numba.njit(nogil=True)
def _sign(word, bit):
    """Return +1 or -1."""
    return 2.0 * ((word >> np.uint64(bit)) & np.uint64(1)) - 1.0


@numba.njit(nogil=True)
def _nearest(at, half):
    """Return the lowest short and the highest long."""
    above, below = np.inf, 0.0
    for j in range(at.size):
        if j < half and at[j] < above:
            above = at[j]
        if j >= half and at[j] > below:
            below = at[j]
    return above, below
