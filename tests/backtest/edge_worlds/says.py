"""This module says which tests of a verdict rules stand on a made-up market."""

from collections.abc import Sequence

from backtest.hurdles import LEVEL
from backtest.placebos.coin_placebos import DISTANCE, MIRRORED
from backtest.strategies.strategy import Strategy
from backtest.study import Played
from tests.backtest.edge_worlds.judged import judged_of
from tests.backtest.edge_worlds.undrawn import undrawn_p
from tests.backtest.edge_worlds.world import World, WorldTape, played

ABOVE, BELIEVED, WITHOUT = "mean above 0", "deflated Sharpe ratio", "without the map"
TESTS = (ABOVE, BELIEVED, WITHOUT, MIRRORED, DISTANCE)


def yes(world: World, strategies: Sequence[Strategy]) -> list[dict[str, bool]]:
    """Return which tests say yes, of those that a rule has; drawn placebos are not asked."""
    tapes = world.tapes()
    return [_yes(tapes, played(world, tapes, strategy)) for strategy in strategies]


def _yes(tapes: list[WorldTape], study: Played) -> dict[str, bool]:
    judged = judged_of(study)
    told = {
        ABOVE: all(one.sign > 0 for one in judged.readings),
        BELIEVED: judged.deflated is not None and judged.deflated >= 1 - LEVEL,
    }
    if judged.better is not None:
        told[WITHOUT] = judged.better
    return told | {name: p <= LEVEL for name, p in undrawn_p(study, tapes).items()}
