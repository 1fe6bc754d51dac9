"""A study of two coins in one account: written, told, made again and proven."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from click.testing import CliRunner

import backtest.one_account
from backtest.answer import answer, land_answers
from backtest.cli import backtest as command
from backtest.decisions import Decisions
from backtest.prove import prove
from backtest.question import Question, asked
from backtest.recorded import find_study
from backtest.report.equity import equity_section
from backtest.report.facts import read_facts
from backtest.report.head import head
from backtest.report.notes import notes_section
from backtest.reproduce import reproduce
from backtest.search.asked import Search
from backtest.search.space import axis_of
from backtest.strategies.breakout import Breakout
from backtest.strategies.catalogue import from_parameters
from backtest.strategies.strategy import Strategy
from backtest.trials import trials_of
from tests.backtest.leaks import BREAKOUT, LastBar, NextBar
from tests.backtest.small_lake import at, land_bars, land_funding, land_lake, walk
from warehouse.catalog import open_lake
from warehouse.report.plots import Plots

LAST = 80
OWN = "each coin in an account of its own"
COINS = ("BTC", "ETH")
QUESTION = Question(
    strategy=Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12),
    coins=COINS,
    account="one",
    since=at(6),
    until=at(LAST),
    draws=1,
)


@dataclass(frozen=True, kw_only=True)
class HalfOfAll(Strategy):
    """Follow the last bar with half of the equity."""

    @property
    def blind(self):
        return True

    def decide(self, view):
        rise = view.close_px / view.open_px - 1
        side = np.where(np.abs(rise) > 0.004, np.sign(rise), 0)
        return Decisions.of(side, stop_fraction=0.01, max_bars=6, share=0.5)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)
    land_bars(root, walk(LAST, seed=5), coin="ETH", volume=1e5)
    land_funding(root, (LAST + 1) * [1e-4], coin="ETH")
    return root


@pytest.fixture(scope="module")
def answered(lake):
    answers = answer(lake, [QUESTION, replace(QUESTION, account="each")])
    land_answers(lake, answers)
    return answers


def test_rows_tell_whose_account_it_is(lake, answered):
    one, each = answered
    with open_lake(lake) as con:
        told = con.sql(
            "select run_id, coin, account_coins, return_fraction from backtest_runs "
            "where bound = 'pessimistic' order by account_coins, coin"
        ).fetchall()
        ends = con.sql(
            "select run_id, arg_max(equity, time_ts) from backtest_equity "
            "where bound = 'pessimistic' group by all"
        ).fetchall()
    assert [row[1:3] for row in told] == [
        ("BTC", "BTC"),
        ("BTC", "BTC,ETH"),
        ("ETH", "BTC,ETH"),
        ("ETH", "ETH"),
    ]
    assert len({row[0] for row in told}) == 4
    assert told[1][3] == told[2][3] != told[0][3]
    assert {name: worth / 10_000.0 - 1 for name, worth in ends} == pytest.approx(
        {row[0]: row[3] for row in told}
    )
    gains = [run.replay.equity[-1] - 10_000.0 for run in each.played.of("pessimistic")]
    assert told[1][3] == pytest.approx(sum(gains) / 10_000.0)
    assert one.played.tapes[0] is each.played.tapes[0]  # read once for both


def test_a_study_says_that_its_coins_share_an_account(lake, answered):
    one, each = answered
    assert "on BTC, ETH in one account, 1h bars" in one.verdict[0]
    assert "account" not in each.verdict[0]
    said, other = (" ".join(one.played.assumptions) for one in answered)
    assert "all coins in one account" in said
    assert OWN in other
    assert answered[0].study_id != answered[1].study_id
    # The same profit over the start of one account is twice that over the start of two.
    daily = [sum(trials_of(one.played)[0]["daily"]) for one in answered]
    assert daily[0] == pytest.approx(2 * daily[1])
    with open_lake(lake) as con:
        assert con.sql("select count(*) from backtest_trials").fetchall() == [(2,)]
        curves = [
            read_facts(con, each.study_id).curves[True, "pessimistic"] for each in answered
        ]
    assert curves[0].gain[-1] == pytest.approx(2 * curves[1].gain[-1], abs=1e-3)


def test_a_report_says_that_its_coins_share_an_account(lake, answered):
    with open_lake(lake) as con:
        one, each = (read_facts(con, answer.study_id) for answer in answered)
    drawn = {
        "head": head,
        "equity": lambda facts: equity_section(facts, Plots()),
        "notes": notes_section,
    }
    page, other = ({name: str(f(facts)) for name, f in drawn.items()} for facts in (one, each))
    for name, shared, apart in (
        ("head", "one for all coins", "Attempts"),
        ("equity", "The account that all coins are in.", "each in an account of its own"),
        ("notes", "One account starts with", "Accounts start with"),
        ("notes", "all coins in one account", OWN),
    ):
        assert shared in page[name]
        assert shared not in other[name]
        assert apart in other[name]
        assert apart not in page[name] or name == "head"


def test_it_gives_the_same_bytes_again(lake, answered):
    with open_lake(lake) as con:
        recorded = find_study(con, answered[0].study_id)
    question = asked(recorded.question, from_parameters)
    assert question == QUESTION
    found = reproduce(lake, recorded, question)
    assert (found.difference, found.same_data, found.same_code) == (None, True, True)


@pytest.mark.slow
def test_it_is_proven_with_all_its_coins(lake):
    found = prove(lake, replace(QUESTION, strategy=LastBar()), 2, 1)
    assert found.difference is None, str(found)
    assert found.cuts == 4
    assert found.trades > 0


def test_a_look_ahead_in_an_account_is_caught(lake):
    assert prove(lake, replace(QUESTION, strategy=NextBar()), 1, 1).difference is not None


def test_an_account_that_knows_what_the_other_coin_will_do_is_caught(lake, monkeypatch):
    """Planted: equity of a coin's bars is the account's at the next."""
    honest = backtest.one_account.share

    def ahead(whole, column, bars):
        made = honest(whole, column, bars)
        return replace(made, equity=np.append(made.equity[1:], made.equity[-1]))

    monkeypatch.setattr(backtest.one_account, "share", ahead)
    found = prove(lake, replace(QUESTION, strategy=BREAKOUT), 2, 1).difference
    assert found is not None
    assert found.what == "equity"


@pytest.mark.slow
def test_sizes_that_follow_the_account_are_proven(lake):
    found = prove(lake, replace(QUESTION, strategy=HalfOfAll()), 4, 1)
    assert found.difference is None, str(found)


def test_a_sweep_refuses_an_account_of_several_coins():
    axes = (axis_of(QUESTION.strategy, "lookback=6,12"),)
    with pytest.raises(ValueError, match="a sweep tries every setting on each coin alone"):
        Search(question=QUESTION, axes=axes)
    assert Search(question=replace(QUESTION, coins=("BTC",)), axes=axes).count == 2


def test_another_word_for_an_account_is_refused():
    with pytest.raises(ValueError, match="account 'both' must be one of each, one"):
        replace(QUESTION, account="both")


def test_the_command_asks_for_one_account(lake):
    words = ["run", "--lake", str(lake), "--coin", "BTC,ETH", "--strategy", "breakout"]
    words += ["--from", "2026-01-02T06:00", "--to", at(LAST).isoformat(), "--draws", "1"]
    done = CliRunner().invoke(command, [*words, "--account", "one", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert {row["account_coins"] for row in rows} == {"BTC,ETH"}
    assert len({row["return_fraction"] for row in rows if row["bound"] == "pessimistic"}) == 1
