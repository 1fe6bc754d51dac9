"""The command line of a question asks that question."""

import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.cli.question import question_of
from backtest.cli.run import rules_of, run
from backtest.command import command_of
from backtest.decisions import Decisions
from backtest.question import Question
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.sized import Sized
from backtest.strategies.strategy import Strategy
from backtest.terms import Costs, Terms

SINCE = datetime(2026, 1, 5, tzinfo=UTC)
ASKED = Question(
    strategy=Breakout(), coins=("BTC",), since=SINCE, until=SINCE + timedelta(days=30)
)


def read(line):
    """Return the question and the lake of a command line, as the verb reads them."""
    program, group, verb, *words = shlex.split(line)
    assert (program, group, verb) == ("undertow", "backtest", "run")
    told = run.make_context("run", words).params
    told.pop("as_json")
    lake, names, values = told.pop("lake"), told.pop("names"), told.pop("values")
    (rule,) = rules_of(names, values)
    return question_of(rule, **told), lake


@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """A rule of a user's own; its last cannot be told in words."""

    fall: float
    word: str = "so it is"
    ways: tuple[int, ...] = ()

    def decide(self, view):
        return Decisions.of(view.close_px < view.open_px, notional=1_000.0)


MOMENTS = st.integers(0, 10**13).map(lambda late: SINCE + timedelta(microseconds=late))
RULES = st.builds(
    lambda stop, look, ratio, amount, wraps: wraps(
        Breakout(stop_pct=stop, lookback=look), ratio, amount
    ),
    st.floats(0.1, 20),
    st.integers(1, 500),
    st.floats(0, 9),
    st.floats(1, 1e6),
    st.sampled_from(
        [
            lambda rule, ratio, amount: rule,
            lambda rule, ratio, amount: AsymmetryFilter(entry=rule, min_ratio=ratio),
            lambda rule, ratio, amount: Sized(
                entry=AsymmetryFilter(entry=rule, min_ratio=ratio), amount=amount
            ),
            lambda rule, ratio, amount: Mine(fall=ratio, word="a 'b'; $c"),
        ]
    ),
)
TERMS = st.builds(
    Terms,
    st.builds(
        Costs,
        st.integers(0, 900).map(lambda bps: round(bps / 1e5, 12)),
        st.integers(-900, 900).map(lambda bps: round(bps / 1e5, 12)),
        st.sampled_from(["charged", "none"]),
        st.sampled_from(["charged", "none"]),
    ),
    latency=st.integers(0, 10**10).map(lambda micros: np.timedelta64(micros, "us")),
    leverage=st.floats(0.5, 50),
    start_equity=st.floats(1, 1e9),
)
LIMITS = st.one_of(
    st.just({}),
    st.floats(0, 9).map(lambda ticks: {"limit": "through", "ticks": ticks}),
    st.floats(0.01, 1).map(lambda share: {"limit": "share", "volume_share": share}),
)


@given(
    rule=RULES,
    terms=TERMS,
    limit=LIMITS,
    coins=st.sampled_from([("BTC",), ("xyz:TSLA", "kPEPE")]),
    since=MOMENTS,
    days=st.integers(1, 400),
    account=st.sampled_from(["each", "one"]),
    interval=st.sampled_from(["1h", "5m"]),
    venue=st.sampled_from([None, "hyperliquid"]),
    live=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 99),
    draws=st.sampled_from([0, 200]),
    lake=st.sampled_from(["data/lake", "s3://a/b", "my own/lake's"]),
)
def test_the_line_asks_what_was_asked(
    rule, terms, limit, coins, since, days, account, interval, venue, live, seed, draws, lake
):
    asked = Question(
        strategy=rule,
        coins=coins,
        since=since,
        until=since + timedelta(days=days),
        account=account,
        interval=interval,
        venue=venue,
        knowable=live[0],
        live_flow=live[1],
        terms=replace(terms, **limit),
        seed=seed,
        draws=draws,
    )
    question, place = read(command_of(asked, lake))
    assert (question.as_json(), place) == (asked.as_json(), lake)


@pytest.mark.parametrize(
    "changed",
    [
        {"strategy": Mine(fall=0.1, ways=(1,))},
        {"strategy": Mine(fall=0.1, word=" a")},
        {"strategy": Mine(fall=0.1, word="None")},
        {"terms": Terms(Costs(taker_fee=0.00045123456789123))},
        {"terms": Terms(ticks=2.0)},
        {"terms": Terms(limit="through", volume_share=0.2)},
    ],
)
def test_what_no_line_tells_has_none(changed):
    assert command_of(replace(ASKED, **changed), "lake") is None
    assert command_of(ASKED, "lake") is not None
