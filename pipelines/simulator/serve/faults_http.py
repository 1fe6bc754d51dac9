"""This module makes the server fail as servers do: now and then, and each time the same way.

Each fault draws from its own seed, twice for every request that comes in, whether or not
another fault strikes: so asking for one more does not change when the others do.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from pipelines.simulator import fault_delisting

FAULTS = {
    "storms": "429 to twenty requests in a row",
    "errors": "500",
    "timeouts": "no answer for longer than clients wait",
    "cuts": "the connection is closed in the middle of the body",
    "truncated": "the body ends in the middle, as if it were whole",
    "wrong-types": "a value is of another type: a number where there was a string",
    "nulls": "null where there was a number",
    "new-field": "objects have a field that nobody has heard of",
    fault_delisting.NAME: fault_delisting.CAPTION,
}
STORM = 20  # requests
NEW_FIELD = "seqNum"


class Plan(NamedTuple):
    """What strikes a request: fault -> a number of [0, 1) that says where."""

    struck: Mapping[str, float]

    def has(self, name: str) -> bool:
        """Return whether a fault strikes."""
        return name in self.struck


class Faults:
    """The faults of a server.

    Parameters
    ----------
    seeds
        Of each fault that is wanted.
    rate
        Share of requests that each strikes; of storms: that begin one.
    """

    def __init__(self, seeds: Mapping[str, int], rate: float) -> None:
        self._rate = rate
        self._draws = {name: np.random.default_rng(seed) for name, seed in seeds.items()}
        self._storm = 0

    def next(self) -> Plan:
        """Return what strikes the next request."""
        struck = {}
        for name, draws in self._draws.items():
            chance, where = draws.random(2).tolist()
            if chance < self._rate:
                struck[name] = where
        if "storms" in struck:
            self._storm = STORM
        if self._storm > 0:
            self._storm -= 1
            struck.setdefault("storms", 0.0)
        return Plan(struck)


def spoilt(value: Any, plan: Plan) -> Any:
    """Return an answer with the faults of its values; the answer itself stays as it is.

    >>> spoilt({"px": "1.5", "n": 3}, Plan({"nulls": 0.9}))
    {'px': '1.5', 'n': None}
    >>> spoilt([{"px": "1.5"}], Plan({"wrong-types": 0.0, "new-field": 0.5}))
    [{'px': 1.5, 'seqNum': 500000}]
    """
    if not plan.struck.keys() & {"wrong-types", "nulls", "new-field"}:
        return value
    value = deepcopy(value)
    if plan.has("wrong-types"):
        _change(value, plan.struck["wrong-types"], _of_another_type)
    if plan.has("nulls"):
        _change(value, plan.struck["nulls"], lambda _: None)
    if plan.has("new-field"):
        _add_field(value, int(1e6 * plan.struck["new-field"]))
    return value


def _change(value: Any, where: float, to: Any) -> None:
    """Change one of the numbers in a value; strings that are numbers are meant too."""
    places = _numbers(value)
    if places:
        holder, key = places[int(where * len(places))]
        holder[key] = to(holder[key])


def _numbers(value: Any) -> list[tuple[Any, Any]]:
    """Return holder and key of each number, in order, without recursing."""
    found, waiting = [], [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
            for key, inner in pairs:
                if isinstance(inner, dict | list):
                    waiting.append(inner)
                elif _is_number(inner):
                    found.append((holder, key))
    return found


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_another_type(value: Any) -> Any:
    return float(value) if isinstance(value, str) else str(value)


def _add_field(value: Any, number: int) -> None:
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            waiting.extend(holder.values())
            holder[NEW_FIELD] = number
        elif isinstance(holder, list):
            waiting.extend(holder)
