"""The same seed gives the same bytes: again, elsewhere, and however it was compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.simulator import records as r
from pipelines.simulator.kernels.draws import draw
from tests.effort import THOROUGH
from tests.simulator.digest import digest
from tests.simulator.worlds import small

ROOT = Path(__file__).parents[2]
WORLD = (7, 3, 60, 25, -40)  # as the digest takes it
# On every machine.  It changes when the world's rules do: then say so in CHANGELOG, under Data.
GOLDEN = "ad8985c4fd91bd736f2a42aa46da29ce24c4a40b31c79f70d0cb6bfb589508b3 50 966"


def digest_elsewhere(**environment):
    """Return the digest as another process works it out."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulator.digest", *map(str, WORLD)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_same_seed_gives_the_same_bytes():
    assert digest(*WORLD) == digest(*WORLD) == GOLDEN


@pytest.mark.parametrize("place", range(5))
def test_anything_else_gives_others(place):
    other = [number + (place == at) for at, number in enumerate(WORLD)]
    assert digest(*other) != digest(*WORLD)


def test_a_world_runs_the_same_without_a_compiler():
    """Interpreted, in another process: so every kernel's compiled form is what it says."""
    sim = small(*WORLD[:3], WORLD[4], hour=0.1, minutes=6)
    told = sim.run(WORLD[3])
    kinds = {int(r.BY_CHOICE), int(r.BY_MARKET), int(r.BY_BACKSTOP), int(r.BY_ADL)}
    assert set(told.trades["kind"].tolist()) == kinds  # or less would be compared
    assert digest_elsewhere(NUMBA_DISABLE_JIT="1") == digest(*WORLD)


OTHERWISE = {
    "another processor": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "less optimised": {"NUMBA_OPT": "1"},
}
# Each takes half a minute: both at once, and each alone where there is time.
BOTH = {name: value for one in OTHERWISE.values() for name, value in one.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [BOTH, *(OTHERWISE.values() if THOROUGH else ())],
    ids=["both", *(OTHERWISE if THOROUGH else ())],
)
def test_a_world_runs_the_same_compiled_otherwise(environment, tmp_path):
    """Compiled anew, into a cache of its own: about half a minute."""
    there = digest_elsewhere(XDG_CACHE_HOME=str(tmp_path), **environment)
    assert list(tmp_path.rglob("*.nbi"))
    assert there == digest(*WORLD)


def spots(sim, minutes=40):
    """Return prices elsewhere, but for what orders here carried there."""
    out = []
    for _ in range(minutes):
        sim.run(1)
        out.append(sim.world.coins["spot"].copy())
    return np.array(out)


def test_more_accounts_do_not_move_prices_elsewhere():
    few, many = small(5, 4, 20, pct=0), small(5, 4, 300, pct=0)
    # Nor does a minute that is taken in steps: the books here differ, the news does not.
    assert (spots(few) == spots(many)).all()
    assert (few.world.coins["oracle"] != many.world.coins["oracle"]).any()


def test_a_draw_from_the_wrong_stream_would_be_seen():
    one, other = small(5, 4, 20, pct=0), small(5, 4, 20, pct=0)
    draw(other.world.rng, r.OF_PEOPLE)
    assert (spots(one, 5) == spots(other, 5)).all()
    draw(other.world.rng, r.OF_PRICES)
    assert (spots(one, 2) != spots(other, 2)).any()
