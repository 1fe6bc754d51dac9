"""This module measures how often each test says yes where there is no edge, and where one is.

Run it as ``python -m docs.sizes`` from the repository's root; what it prints is the table of
docs/statistics.md.  Two quiet cores take an hour.
"""

import sys
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from backtest.hurdles import LEVEL
from tests.backtest.edge_worlds.direct import (
    BETS,
    market,
    moved_as_one_p,
    random_times_p,
    shuffled_p,
)
from tests.backtest.edge_worlds.judged import over
from tests.backtest.edge_worlds.says import TESTS, yes
from tests.backtest.edge_worlds.six import SIX
from tests.backtest.edge_worlds.world import FREE, World

WORLDS = 800
GAINS = (0.0, 0.003, 0.006)  # of every bet, fractions
SUDDEN = 0.03

PERIODS = {(365, 4): "a year of four coins", (60, 1): "two months of one coin"}

Told = dict[str, list[float | None]]


def main() -> None:
    """Print a line a test, and of each period a line a rule."""
    for sudden in (0.0, SUDDEN):
        found = over(range(WORLDS), partial(placebos, sudden=sudden))
        for test in found[0]:
            write(test, zip(*(one[test] for one in found), strict=True))
    for (days, coins), words in PERIODS.items():
        say(f"| {words} | {' | '.join(TESTS)} |")
        worlds = [
            World(seed=seed, terms=FREE, days=days, coins=coins) for seed in range(WORLDS)
        ]
        told = over(worlds, partial(yes, strategies=list(SIX.values())))
        for name, found in zip(SIX, zip(*told, strict=True), strict=True):
            cells = (cell([one.get(test) for one in found]) for test in TESTS)
            say(f"| {name} | {' | '.join(cells)} |")


def cell(told: list[bool | None]) -> str:
    """Return the share that says yes; a dash: the rule has no such test."""
    return "-" if None in told else f"{np.mean(told):.1%}"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def placebos(seed: int, sudden: float) -> Told:
    """Return p of every test in one market, gain by gain."""
    of = market(seed, sudden=sudden)
    kind = "; sudden falls" if sudden else ""
    told: Told = {}
    for bet in BETS:
        told[f"random times: {bet}{kind}"] = random_times_p(of, bet, GAINS)
        told[f"as it was: {bet}{kind}"] = moved_as_one_p(of, bet, GAINS)
    told[f"shuffled: follow breaks on the heavier side{kind}"] = shuffled_p(of, GAINS)
    return told


def write(test: str, told: Iterable[tuple[float | None, ...]]) -> None:
    """Print how often a test says yes, gain by gain."""
    say(f"| {test} | {' | '.join(shares(told))} |")


def shares(told: Iterable[tuple[float | None, ...]]) -> Iterator[str]:
    """Yield the share of markets with p of 5 % or less, gain by gain."""
    for of_gain in told:
        yield f"{np.mean([p is not None and p <= LEVEL for p in of_gain]):.1%}"


if __name__ == "__main__":
    main()
