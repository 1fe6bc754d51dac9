import numpy as np
import pytest

from pipelines.simulator import records as r
from pipelines.simulator.kernels import advance as module
from pipelines.simulator.kernels.advance import MINUTE, advance
from pipelines.simulator.world import PARTIAL_SINCE
from tests.simulator.worlds import small, tape_of

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])


@each
def test_blocks_are_every_seventy_milliseconds(way):
    made = module.block_at
    block_at = made if way == "compiled" else getattr(made, "py_func", made)
    for ms in (0, 1, 69, 70, 71, 1_767_571_200_000):
        assert block_at(ms) == -(-ms // 70) * 70


def state(sim):
    return b"".join(np.ascontiguousarray(part).tobytes() for part in sim.world)


def test_time_may_be_let_pass_in_any_portions():
    one, many = (small(4, coins=3, accounts=80, hour=0.2) for _ in range(2))
    whole = one.run(60)
    parts = [many.run(stretch) for stretch in (1, 2, 30, 7, 20)]
    assert state(one) == state(many)
    for name in ("trades", "transfers", "liquidations", "fundings", "contexts"):
        together = np.concatenate([getattr(part, name) for part in parts])
        assert getattr(whole, name).tobytes() == together.tobytes()


def test_it_stops_before_the_tape_is_full():
    sim = small(4, coins=3, accounts=80, pct=0)
    tape = tape_of(sim)
    tape.used[r.TRADES] = tape.trades.size // 2
    assert advance(sim.world, tape, 5, np.zeros(5), sim.vault, PARTIAL_SINCE) == 0
    assert sim.now_ms == sim.spec.start_ms
    tape.used[r.TRADES] = 0
    assert advance(sim.world, tape, 1, np.zeros(1), sim.vault, PARTIAL_SINCE) == 1
    assert sim.now_ms == sim.spec.start_ms + MINUTE


def test_what_a_shock_adds_moves_each_coin_by_its_beta():
    with_, without = (small(4, coins=3, accounts=30, pct=0) for _ in range(2))
    for sim, extra in ((with_, -0.02), (without, 0.0)):
        extras = np.array([extra])
        advance(sim.world, tape_of(sim), 1, extras, sim.vault, PARTIAL_SINCE)
    ratio = with_.world.coins["spot"] / without.world.coins["spot"] - 1
    # In a minute taken in steps returns are compounded: to half a per cent of the move.
    assert ratio == pytest.approx(-0.02 * with_.world.coins["beta"], rel=0.05)
