"""This module measures how often the best of a made-up sweep survives its six tests.

Run it as ``python -m docs.survivors`` from the repository's root; a core takes two minutes.
What it prints is the table of docs/sweeps.md.
"""

import sys

import numpy as np

from backtest.search.survives import DAYS_OF_YEAR, Survivor, survivor
from backtest.search.table import Table
from backtest.search.told import SURE, failed
from backtest.statistics.probabilistic import moments, probabilistic_sharpe

SWEEPS, SETTINGS, WITH_EDGE = 100, 40, 10
EDGES = (0.0, 0.15, 0.2, 0.3)  # of a day, in deviations


def main() -> None:
    """Print a line an edge."""
    for edge in EDGES:
        told = [judged(edge, seed) for seed in range(SWEEPS)]
        shares = " | ".join(f"{share:.0%}" for share in np.mean(told, axis=0))
        sys.stdout.write(f"| {edge * np.sqrt(DAYS_OF_YEAR):.1f} | {shares} |\n")
        sys.stdout.flush()


def judged(edge: float, seed: int) -> tuple[bool, ...]:
    """Return what passes: the formula of the trials' spread, DSR, StepM, and all six."""
    rng = np.random.default_rng(seed)
    days = (DAYS_OF_YEAR, 1), (DAYS_OF_YEAR, SETTINGS)
    # Half of what a setting's day varies by is all settings' own.
    together, alone = (np.sqrt(0.5) * rng.normal(size=shape) for shape in days)
    daily = 0.01 * (together + alone)
    daily[:, :WITH_EDGE] += 0.01 * edge
    settings = [(float(number),) for number in range(SETTINGS)]
    table = Table("made up", ("made.up",), settings, daily, np.ones(SETTINGS, np.int64))
    left = survivor(table, table.sharpe, 1, seed)
    return (
        _by_spread(daily, left),
        (left.deflated.probability or 0) >= SURE,
        left.best in left.named.settings,
        not failed(left),
    )


def _by_spread(daily: np.ndarray, left: Survivor) -> bool:
    found = moments(daily[:, left.best])
    return (probabilistic_sharpe(found, left.deflated.by_spread) or 0) >= SURE


if __name__ == "__main__":
    main()
