"""This module holds what a sweep tries: every combination of values, or random draws."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

PARAMETERS = ("leg", "stop_fraction", "target_fraction", "max_bars", "notional")


def grid(**parameters: Sequence[float]) -> dict[str, np.ndarray]:
    """Return every combination of ``parameters``, the last varying fastest.

    >>> {name: values.tolist() for name, values in grid(leg=[0], stop_fraction=[1, 2]).items()}
    {'leg': [0, 0], 'stop_fraction': [1, 2]}
    """
    rows = list(product(*parameters.values()))
    return {
        name: np.array(column)
        for name, column in zip(parameters, zip(*rows, strict=True), strict=True)
    }


def draws(
    count: int, seed: int, **parameters: Callable[[np.random.Generator, int], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return ``count`` random settings; each parameter is drawn by its own function.

    >>> drawn = draws(3, 1, stop_fraction=lambda rng, n: rng.uniform(0.01, 0.02, n))
    >>> drawn["stop_fraction"].size
    3
    """
    rng = np.random.default_rng(seed)
    return {name: np.asarray(draw(rng, count)) for name, draw in parameters.items()}


def filled(settings: Mapping[str, np.ndarray], legs: int) -> dict[str, np.ndarray]:
    """Return settings with what is left out filled in; see :func:`backtest.sweep.sweep`."""
    unknown = set(settings) - set(PARAMETERS)
    if unknown:
        names = ", ".join(PARAMETERS)
        raise ValueError(
            f"{sorted(unknown)[0]!r} is no parameter of a sweep; there are {names}"
        )
    count = {len(values) for values in settings.values()}
    if len(count) != 1:
        raise ValueError("settings must be arrays of one length, and at least one of them")
    n = count.pop()
    rest = {
        "leg": np.zeros(n, np.int64),
        "stop_fraction": np.full(n, np.nan),
        "target_fraction": np.full(n, np.nan),
        "max_bars": np.zeros(n, np.int64),
        "notional": np.full(n, 10_000.0),
    }
    filled = {name: np.asarray(settings.get(name, rest[name])) for name in PARAMETERS}
    if n and not ((filled["leg"] >= 0) & (filled["leg"] < legs)).all():
        raise ValueError(f"leg must be from 0 to {legs - 1}")
    return filled
