"""This module plans the fault that a coin is taken off the list while the world runs."""

from collections.abc import Mapping

import numpy as np

from pipelines.simulator.coins import listed
from pipelines.simulator.kernels.draws import draw
from pipelines.simulator.world import Delisting, WorldSpec

NAME = "delisting"
CAPTION = "a coin is taken off the list, and its positions settled, in the middle of the world"
MINUTE_MS = 60_000


def with_delisting(spec: WorldSpec, seeds: Mapping[str, int], days: int) -> WorldSpec:
    """Return a world in which a coin ends in the middle half of ``days``, if that is wanted.

    >>> spec = with_delisting(WorldSpec(coins=3), {"delisting": 1}, 2)
    >>> len(spec.delistings), with_delisting(WorldSpec(), {}, 2).delistings
    (1, ())
    """
    if NAME not in seeds:
        return spec
    state = np.array([seeds[NAME]], np.uint64)
    coin = listed(spec.coins)[draw(state, 0) % spec.coins].name
    minute = days * 360 + draw(state, 0) % (days * 720)
    at = Delisting(coin, spec.start_ms + int(minute) * MINUTE_MS)
    return spec._replace(delistings=(*spec.delistings, at))
