"""Prints the digest of a world's rows and state: run it in another process to compare.

``python -m tests.simulator.digest SEED COINS ACCOUNTS MINUTES PCT``
"""

import hashlib
import sys

from tests.simulator.worlds import small


def digest(seed, coins, accounts, minutes, pct):
    """Return the digest of what a world told and of what it is then."""
    sim = small(seed, coins, accounts, pct, hour=0.1, minutes=6)
    told, out = sim.run(minutes, books=True), hashlib.sha256()
    for part in (*told, *sim.world):
        out.update(part.tobytes())
    return f"{out.hexdigest()} {told.liquidations.size} {told.trades.size}"


if __name__ == "__main__":
    print(digest(*map(int, sys.argv[1:])))  # noqa: T201
