"""Questions that tests have proven, and what they expect of the proof."""

from backtest.prove import prove
from backtest.question import Question
from tests.backtest.small_lake import at

LAST = 80


def asked(strategy, **more):
    said = {"coins": ("BTC",), "since": at(6), "until": at(LAST)}
    return Question(strategy=strategy, **said | more)


def proven(lake, question, cuts=2, seed=1):
    found = prove(lake, question, cuts, seed)
    assert found.difference is None, str(found)
    return found


def differs(lake, question, cuts=2, seed=1):
    found = prove(lake, question, cuts, seed).difference
    assert found is not None
    assert found.coin == "BTC"
    return found
