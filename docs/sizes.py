"""This module measures how often each test says yes where there is no edge, and where one is.

Run it as ``python -m docs.sizes`` from the repository's root; what it prints is the table of
docs/statistics.md.  Two quiet cores take half an hour.
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
from tests.backtest.edge_worlds.judged import judge, over
from tests.backtest.edge_worlds.six import SIX
from tests.backtest.edge_worlds.world import FREE, World

WORLDS = 400
MORE = 1_000  # worlds of the rules with and without the map
GAINS = (0.0, 0.003, 0.006)  # of every bet, fractions
SUDDEN = 0.03

Told = dict[str, list[float | None]]


def main() -> None:
    """Print a line a test."""
    for sudden in (0.0, SUDDEN):
        found = over(range(WORLDS), partial(placebos, sudden=sudden))
        for test in found[0]:
            write(test, zip(*(one[test] for one in found), strict=True))
    worlds = [World(seed=seed, terms=FREE) for seed in range(MORE)]
    for name, strategy in SIX.items():
        judged = over(worlds, partial(judge, strategies=[strategy]))
        share = np.mean([bool(one.better) for (one,) in judged])
        sys.stdout.write(f"| with and without the map: {name} | {share:.1%} | | |\n")
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
    sys.stdout.write(f"| {test} | {' | '.join(shares(told))} |\n")
    sys.stdout.flush()


def shares(told: Iterable[tuple[float | None, ...]]) -> Iterator[str]:
    """Yield the share of markets with p of 5 % or less, gain by gain."""
    for of_gain in told:
        yield f"{np.mean([p is not None and p <= LEVEL for p in of_gain]):.1%}"


if __name__ == "__main__":
    main()
