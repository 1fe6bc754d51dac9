"""Flow that is heard live is proven against a lake that heard it, and published it later."""

from dataclasses import replace

import pytest

import backtest.proof.cut_account
from backtest.proof.worlds import World
from backtest.prove import prove
from backtest.question import Question
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.study import play
from tests.backtest.small_lake import at, land_fills, land_lake
from warehouse.catalog import open_lake

pytestmark = pytest.mark.slow
LAST = 120
RULE = CascadeFollow(min_score=0.0, min_notional=1.0, min_move_pct=0.01)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)
    forced = [(minute, "long", 5e4) for minute in range(0, 60, 6)]
    for hour in range(LAST):
        land_fills(root, hour, forced if hour % 20 == 19 else (), known=hour + 3)
    return root


QUESTION = Question(
    strategy=RULE, coins=("BTC",), since=at(6), until=at(LAST), live_flow=True, draws=0
)


def test_a_rule_on_live_flow_stands_the_proof(lake):
    with open_lake(lake) as con:
        (run, *_) = play(con, QUESTION).own
    assert (run.decisions.side != 0).any()
    found = prove(lake, QUESTION, 3, 1)
    assert found.difference is None, str(found)


def test_a_proof_that_waits_for_the_archive_would_fail_it(lake, monkeypatch):
    """The planted fault: worlds that do not know that flow is heard live."""

    def deaf(*said):
        return replace(World(*said), live_flow=False)

    monkeypatch.setattr(backtest.proof.cut_account, "World", deaf)
    assert prove(lake, QUESTION, 3, 1).difference is not None
