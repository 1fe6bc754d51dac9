"""This module says what a measured figure is, and takes times."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Figure(NamedTuple):
    """One line of the page."""

    what: str
    ours: str
    yardstick: str
    ratio: float
    reach: str


def best(run: Callable[[], object], times: int = 5) -> float:
    """Return the shortest of several runs, seconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)


def apart(code: str) -> list[float]:
    """Return the numbers that a program prints; in a process of its own, so is its memory."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return [float(word) for word in done.stdout.split()]
