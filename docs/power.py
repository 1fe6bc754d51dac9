"""This module measures how large an edge must be to be found, and writes docs/power.md.

Run it as ``python -m docs.power`` from the repository's root; two quiet cores take 10 minutes.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np

from tests.backtest.edge_worlds.crowd import Edge
from tests.backtest.edge_worlds.judged import Judged, is_edge, judge, over
from tests.backtest.edge_worlds.six import FILTERED
from tests.backtest.edge_worlds.world import World

PULLS = (0, 5, 7, 9)  # basis points an hour
WORLDS = 30
WHOLE = 6  # of them are judged with placebos too, which take most of the time
FIRST = 10_000  # seed of the first; tests of worlds without an edge have others

WORDS = f"""# How large an edge must be to be found

Made by `docs/power.py` on made-up markets (`tests/backtest/edge_worlds/`): four coins that move
together in part, a year of hours, volatility that comes in days, fat tails, bursts, and a crowd
whose clusters of liquidation prices are published every four hours, two hours late. The rule is
a breakout of 24 hours with the asymmetry filter, as it comes. The planted edge is a drift of
the price towards the side that holds more, for as long as it does. Costs are a taker's fees,
slippage and funding.

Each row is of {WORLDS} worlds, the same ones but for the drift. The columns are tests of a
verdict, all of which an edge must stand: the 95 % interval of the mean attempt lies above 0,
clustered by day; the mean is better than without the map at 5 %; the deflated Sharpe ratio is
0.95 or more, of two trials (with and without the map). The last is a verdict of "edge", all
placebos included, in the first {WHOLE} worlds.

"""
COLUMNS = (
    "drift, bp an hour",
    "attempts",
    "mean attempt after costs, bp",
    "interval above 0",
    "better than without the map",
    "deflated Sharpe ratio",
    "all three",
    "verdict",
)


def main() -> None:
    """Measure every drift, and write what is known after each."""
    path = Path(__file__).with_name("power.md")
    said = f"{WORDS}| {' | '.join(COLUMNS)} |\n{'|---:' * len(COLUMNS)}|\n"
    for pull in PULLS:
        worlds = [World(seed=FIRST + n, edge=Edge(pull=pull * 1e-4)) for n in range(WORLDS)]
        told = [one for (one,) in over(worlds, partial(judge, strategies=[FILTERED]))]
        hopeful = [
            world for world, one in zip(worlds[:WHOLE], told, strict=False) if one.hopeful
        ]
        edges = sum(over(hopeful, partial(is_edge, strategy=FILTERED))) if hopeful else 0
        said += row(pull, told, edges)
        path.write_text(said)
        sys.stdout.write(said.splitlines()[-1] + "\n")
        sys.stdout.flush()


def row(pull: float, told: list[Judged], edges: int) -> str:
    """Return the line of one drift."""
    mean = np.mean([one.first.mean for one in told])
    attempts = np.mean([one.first.attempts for one in told])
    shares = [
        np.mean([one.first.sign > 0 for one in told]),
        np.mean([bool(one.better) for one in told]),
        np.mean([(one.deflated or 0) >= 0.95 for one in told]),
        np.mean([one.hopeful for one in told]),
    ]
    cells = " | ".join(f"{share:.0%}" for share in shares)
    return (
        f"| {pull:g} | {attempts:,.0f} | {mean * 1e4:+.1f} | {cells} | {edges} of {WHOLE} |\n"
    )


if __name__ == "__main__":
    main()
