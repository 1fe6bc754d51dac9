"""This module holds the settings that a search tries: every combination, or random draws."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from backtest.search.parameters import Value, as_value, named
from backtest.strategies.strategy import Strategy

# More are asked for by name: a million settings on one coin and a year of hours take an hour.
MOST = 1_000_000
# All are held in memory at once, a tuple and its place among them: some GiB.
AT_ALL = 20_000_000


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter, and what it may be.

    Attributes
    ----------
    name
        Dotted: strategy and field.
    values
        What is tried; of a range its two ends.
    is_range
        Whether values are drawn evenly between the two ends, whole ones where both are.
    """

    name: str
    values: tuple[Value, ...]
    is_range: bool = False

    def draw(self, rng: np.random.Generator, count: int) -> list[Value]:
        """Return ``count`` random values."""
        if not self.is_range:
            return [self.values[row] for row in rng.integers(0, len(self.values), count)]
        low, high = self.values
        if isinstance(low, int) and isinstance(high, int):
            return rng.integers(low, high, count, endpoint=True).tolist()
        # As people write numbers: settings are read, compared and typed again.
        drawn = (float(f"{value:.4g}") for value in rng.uniform(low, high, count))
        return [min(max(value, low), high) for value in drawn]


def axis_of(strategy: Strategy, word: str) -> Axis:
    """Return what a word such as ``breakout.stop_pct=1,2,3`` or ``stop_pct=1..4`` asks for.

    Raises
    ------
    ValueError
        If it names no parameter, holds no value of its type, or one twice.
    """
    name, equals, text = word.partition("=")
    if not equals:
        raise ValueError(f"{word!r} must name a parameter and its values: stop_pct=1,2,3")
    name = named(strategy, name.strip())
    is_range = ".." in text
    words = text.split("..") if is_range else text.split(",")
    if not all(one.strip() for one in words):
        raise ValueError(f"{name}={text}: a value is missing")
    values = tuple(as_value(strategy, name, one) for one in words)
    if is_range:
        numbers = len(values) == 2 and all(type(value) in (int, float) for value in values)
        # What lies between must be a number too: values are drawn from the width.
        if not numbers or not 0 < values[1] - values[0] < np.inf:
            raise ValueError(
                f"{name}={text}: a range is LOW..HIGH, two numbers, LOW below HIGH"
            )
    elif len(set(values)) < len(values):
        raise ValueError(f"{name}={text}: a value is there twice")
    return Axis(name, values, is_range)


def count_of(axes: Sequence[Axis], draws: int | None) -> int:
    """Return how many settings are asked for; null ``draws``: every combination.

    Raises
    ------
    ValueError
        If a parameter is there twice, a range is to be a grid, nothing is drawn, or more than
        a machine holds.
    """
    names = [axis.name for axis in axes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice} is there twice")
    if draws is not None:
        if not 1 <= draws <= AT_ALL:
            raise ValueError(
                f"random {draws} must be 1 setting or more, and {AT_ALL:,} at most"
            )
        return draws
    if ranged := next((axis for axis in axes if axis.is_range), None):
        low, high = ranged.values
        raise ValueError(
            f"{ranged.name}={low}..{high} is a range, of which there are random draws only; "
            "list its values, or say how many to draw"
        )
    count = prod(len(axis.values) for axis in axes)
    if count > AT_ALL:
        raise ValueError(f"{count:,} settings are more than {AT_ALL:,}; draw some at random")
    return count


def settings_of(axes: Sequence[Axis], draws: int | None, seed: int) -> list[tuple[Value, ...]]:
    """Return the settings, one value an axis; each of them once.

    Parameters
    ----------
    axes
        Parameters; none: the one setting that changes nothing.
    draws
        Random settings; null: every combination, the last parameter varying fastest.
    seed
        Of the draws.

    >>> settings_of([Axis("a.x", (1, 2)), Axis("a.y", (3, 4))], None, 0)
    [(1, 3), (1, 4), (2, 3), (2, 4)]
    """
    count = count_of(axes, draws)
    rows: Iterable[tuple[Value, ...]]
    if draws is None:
        rows = product(*(axis.values for axis in axes))
    else:
        rng = np.random.default_rng(seed)
        columns = [axis.draw(rng, count) for axis in axes]
        rows = zip(*columns, strict=True) if columns else [()]
    return list(dict.fromkeys(rows))
