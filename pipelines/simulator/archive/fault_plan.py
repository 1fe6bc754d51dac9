"""This module decides where archives go wrong: which hours, days, snapshots, blocks and lines.

Every fault draws from its own seed, and what it draws depends on nothing but the place: asking
for one more changes none of the others.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pipelines.simulator import fault_delisting
from pipelines.simulator.archive.scatter import scatter

KNOWN = {
    "missing-hours": "one hour in 240, but one at least, has no file of fills nor of books",
    "missing-days": "one day in 30, but one at least of three or more, has no file of any kind",
    "missing-snapshots": "one position snapshot in 40, but one at least, was not taken",
    "duplicate-rows": "one block in 100 of the fills is there twice",
    "late-rows": "one block in 100 lies in the file of an hour that comes two to five later",
    "truncated-json": "one file of fills in 120, but one at least, has a line cut short",
    "wrong-types": "one in 120, but one at least, has a number for a text, or the reverse",
    "null-numbers": "one in 120, but one at least, has null where a number belongs",
    "new-field": "from an hour on, all fills have a field that nobody documented",
    "cut-files": "one file of fills in 120, but one at least, is cut short",
    fault_delisting.NAME: fault_delisting.CAPTION,
}


class FaultPlan:
    """Where what goes wrong, and what has gone wrong so far.

    Parameters
    ----------
    seeds
        Seed of each fault that was asked for.

    Attributes
    ----------
    done
        Fault -> what was done, one record each.
    """

    def __init__(self, seeds: Mapping[str, int]) -> None:
        self.seeds = dict(seeds)
        self.done: dict[str, list[dict[str, Any]]] = {name: [] for name in seeds}

    def places(self, name: str, among: Iterable[int], one_in: int) -> frozenset[int]:
        """Return those of ``among`` that a fault befalls: one in so many, one at least."""
        places = np.fromiter(among, np.int64)
        if name not in self.seeds or not places.size:
            return frozenset()
        count = max(1, places.size // one_in)
        drawn = scatter(self.seeds[name], name, places)
        return frozenset(places[np.argsort(drawn, kind="stable")[:count]].tolist())

    def draws(self, name: str, numbers: np.ndarray, what: str = "") -> np.ndarray:
        """Return 64 bits for each of ``numbers``; ``what``: other words give other bits."""
        return scatter(self.seeds[name], f"{name} {what}", numbers)

    def note(self, name: str, **what: object) -> None:
        """Write down what was done."""
        self.done[name].append(what)
