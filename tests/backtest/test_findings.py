"""Each finding by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from backtest.daily import Daily
from backtest.findings.ablation import ablate
from backtest.findings.against import against
from backtest.findings.capacity import capacity, turning
from backtest.findings.costs import split
from backtest.findings.excursions import excursions
from backtest.findings.months import months
from backtest.findings.ratio import ratio
from backtest.findings.reading import interval_of, read
from backtest.findings.sturdy import sturdy
from backtest.placebos.placebo import Draw, Placebo
from backtest.pooled import Attempts, attempts_of, pooled
from backtest.records import REFUSED
from backtest.runs import run
from backtest.slippage import Slippage
from backtest.statistics.clustered import Mean
from backtest.terms import Costs, Terms
from backtest.trials import Trials
from tests.backtest.made import (
    FREE,
    At,
    bars_of,
    planted,
    replay_of,
    tape_of,
    trade_of,
)

DAY = np.datetime64("2026-01-02")


def attempts(*returns, days=None, filled=None, held=None):
    n = len(returns)
    return Attempts(
        np.array(returns, float),
        DAY + np.array(range(n) if days is None else days),
        np.ones(n, bool) if filled is None else np.array(filled),
        np.full(n, 0.5) if held is None else np.array(held, float),
    )


def runs_of(*played, hours=96):
    """Runs of which only bars and replay count."""
    (like,) = run(tape_of(np.full(hours, 100.0)), At(rows=(1,)), ("pessimistic",))
    return [replace(like, bars=bars_of(np.full(hours, 100.0)), replay=one) for one in played]


def trials(*sharpes):
    return Trials.of(np.array(sharpes, float))


def test_an_order_that_was_not_filled_is_an_attempt_that_earned_nothing():
    """Decided at the close of hour 23, it would have entered on the day after."""
    played = replay_of(96, [trade_of(3, 5, 2.0), trade_of(50, 52, -1.0)], unfilled=[23])
    played.outcome[70] = REFUSED
    found = attempts_of([(bars_of(np.full(96, 100.0)), played)])
    assert found.returns == pytest.approx([0.02, -0.01, 0.0, 0.0])
    assert (found.days - DAY).astype(int).tolist() == [0, 2, 1, 2]
    assert found.filled.tolist() == [True, True, False, False]
    assert found.mean == pytest.approx(0.0025)
    assert (len(found), found.trades) == (4, 2)


def test_no_attempts_have_no_mean():
    assert pooled([]).mean is None
    assert attempts_of([(bars_of(np.full(9, 1.0)), replay_of(9))]).mean is None


def test_a_reading_by_hand():
    """Days of +2 and +4 %, and of 0 %: three means, one of two attempts."""
    one = replay_of(96, [trade_of(3, 5, 2.0, ambiguous=True), trade_of(50, 52, 3.0)])
    other = replay_of(96, [trade_of(4, 5, 4.0)], unfilled=[23])
    found = read("pessimistic", runs_of(one, other))
    assert (found.attempts, found.trades, found.days) == (4, 3, 3)
    assert found.ambiguous == pytest.approx(1 / 3)
    assert found.mean == pytest.approx(0.0225)
    # Sums less the mean: 0.015, -0.0225, 0.0075, over 4; 3 days of which one is spent.
    error = np.sqrt(1.5 * (0.015**2 + 0.0225**2 + 0.0075**2)) / 4
    assert found.error == pytest.approx(error)
    assert found.high == pytest.approx(0.0225 + student.ppf(0.975, 2) * error)
    assert found.low == pytest.approx(0.0225 - student.ppf(0.975, 2) * error)
    assert found.sign == 0
    assert replace(found, low=0.01).sign == 1
    assert replace(found, high=-0.01).sign == -1


def test_a_reading_of_nothing_is_not_known():
    found = read("optimistic", runs_of(replay_of(96)))
    assert (found.attempts, found.mean, found.ambiguous, found.low) == (0, None, None, None)
    assert found.sign == 0
    alike = read("optimistic", runs_of(replay_of(96, [trade_of(3, 4, 1.0)])))
    assert (alike.mean, alike.low, alike.sign) == (pytest.approx(0.01), None, 0)


def test_an_error_of_0_is_no_certainty():
    """Two days that earned the same to the bit say nothing of how days differ."""
    assert interval_of(Mean(0.01, 0.0, None, None, 2, 2)) == (None, None)


def test_a_ratio_alone_is_not_deflated_and_of_many_it_is():
    daily = Daily(DAY + np.arange(400), np.random.default_rng(0).normal(0.0012, 0.01, 400))
    alone = ratio(daily, trials(daily.sharpe))
    assert alone.expected == 0.0
    assert alone.deflated == alone.probability > 0.9
    assert alone.years == pytest.approx(400 / 365)
    assert alone.needed_years == 0.0
    assert 0 < alone.record_years < alone.years  # believed alone, so it is long enough
    spread = np.random.default_rng(1).normal(0, 0.09, 99)
    many = ratio(daily, trials(daily.sharpe, *spread))
    assert many.trials == 100
    assert many.expected == pytest.approx(2.53 / np.sqrt(399), rel=0.01)
    assert many.by_spread == pytest.approx(2.53 * spread.std(), rel=0.05)
    assert many.deflated < 0.5 < many.probability
    assert many.needed_years == pytest.approx((2.53 / many.annual) ** 2, rel=0.02)


def test_returns_that_do_not_vary_have_no_ratio():
    found = ratio(Daily(DAY + np.arange(9), np.zeros(9)), trials(np.nan, 0.1))
    assert (found.daily, found.expected, found.by_spread, found.deflated) == (None,) * 4
    assert (found.needed_years, found.record_years) == (None, None)
    assert found.trials == 2
    falling = ratio(Daily(DAY + np.arange(3), np.array([-0.1, 0.0, 0.05])), trials(-0.2))
    assert (falling.needed_years, falling.record_years) == (None, None)


RATIOS = st.one_of(st.just(np.nan), st.floats(-2.0, 2.0))


@given(
    tried=st.lists(RATIOS, min_size=1, max_size=40),
    more=st.lists(RATIOS, min_size=1, max_size=3),
    copied=st.booleans(),
)
def test_no_trial_that_is_added_makes_the_chosen_one_easier_to_believe(tried, more, copied):
    """A copy, noise, a better or a worse one, one that did not trade, another size."""
    daily = Daily(DAY + np.arange(60), np.random.default_rng(0).normal(0.002, 0.01, 60))
    before = ratio(daily, trials(*tried))
    after = ratio(daily, trials(*tried, *(tried[:1] * len(more) if copied else more)))
    assert after.expected >= before.expected
    assert after.deflated <= before.deflated
    assert after.needed_years >= before.needed_years


def drawn(*draws, in_place=True):
    return Placebo("shuffled", True, in_place, tuple(Draw(one, 0.0) for one in draws))


def around(mean, wide=0.01):
    """Thirty days, by turns below and above their mean."""
    return attempts(*[mean - wide, mean + wide] * 15)


def test_p_of_a_drawn_placebo_by_hand():
    """Of 24 draws two are as good or better: (1 + 2) of (1 + 24)."""
    own, rng = around(0.03), np.random.default_rng(0)
    found = against(own, drawn(around(0.03), around(0.05), *[around(0.01)] * 22), rng)
    assert found.p == pytest.approx(3 / 25)
    assert found.draws == 24
    assert found.mean == pytest.approx(0.30 / 24)
    assert found.quantiles[1:4] == pytest.approx((0.01, 0.01, 0.01))
    assert against(own, drawn(*[around(0.01)] * 199), rng).p == pytest.approx(1 / 200)


def test_a_rule_that_only_varies_more_than_its_draws_is_not_better():
    """Above all of them, as it may be by chance: its days are as often below their mean."""
    rng = np.random.default_rng(0)
    draws = [around(way * 0.009, 0.004) for way in (1, -1) * 20]
    assert 0.1 < against(around(0.01, 0.05), drawn(*draws), rng).p < 0.2
    assert against(around(0.01, 0.004), drawn(*draws), rng).p == pytest.approx(1 / 41)
    # Nor is one that is above few of them, and varies less.
    assert against(around(0.008, 0.0001), drawn(*draws), rng).p == pytest.approx(21 / 41)


def test_what_the_market_did_on_a_day_says_nothing_for_or_against_its_draws():
    """A percent better than all of them, day by day, on days that earn or lose five."""
    rng = np.random.default_rng(0)
    draws = [around(way * 0.001, 0.05) for way in (1, -1) * 20]
    assert against(around(0.01, 0.05), drawn(*draws), rng).p == pytest.approx(1 / 41)
    # On other days, or of draws moved to others, the same may be luck.
    other = attempts(*[-0.04, 0.06] * 15, days=range(30, 60))
    assert 0.1 < against(other, drawn(*draws), rng).p < 0.4
    moved = drawn(*draws, in_place=False)
    assert 0.05 < against(around(0.01, 0.05), moved, rng).p < 0.4


def test_of_few_draws_or_of_one_day_no_p_is_told():
    rng = np.random.default_rng(0)
    assert against(around(0.03), drawn(*[around(0.01)] * 19), rng).p == pytest.approx(1 / 20)
    assert against(around(0.03), drawn(*[around(0.01)] * 18), rng).p is None
    assert against(attempts(0.03), drawn(*[around(0.01)] * 19), rng).p is None


def test_draws_without_an_attempt_are_no_draws():
    nothing, rng = pooled([]), np.random.default_rng(0)
    made = drawn(nothing, *[around(0.01)] * 19, nothing)
    assert against(around(0.03), made, rng).draws == 19
    assert against(around(0.03), made, rng).p == pytest.approx(1 / 20)
    found = against(around(0.03), Placebo("mirrored", False, True, (Draw(nothing, 0.0),)), rng)
    assert (found.draws, found.mean, found.p) == (0, None, None)
    assert against(nothing, made, rng).p is None


def test_p_of_a_placebo_of_one_draw_is_by_days():
    """Better by a percent on each of 30 days; then better and worse by turns."""
    own, rng = attempts(*[0.02] * 30), np.random.default_rng(0)
    worse = Placebo("mirrored", False, True, (Draw(attempts(*[0.01] * 30), 0.0),))
    assert against(own, worse, rng).p < 0.001
    assert against(own, worse, rng).quantiles is None
    turns = Placebo("mirrored", False, True, (Draw(attempts(*[0.0, 0.04] * 15), 0.0),))
    assert 0.2 < against(own, turns, rng).p < 0.8


def test_of_a_placebo_on_few_days_no_p_is_told():
    """Nineteen days that all lost; one more, and it can be told."""
    rng = np.random.default_rng(0)
    for days, told in ((19, False), (20, True)):
        few = Placebo("mirrored", False, True, (Draw(attempts(*[-0.02] * days), 0.0),))
        found = against(around(0.03), few, rng)
        assert (found.draws, found.mean) == (1, pytest.approx(-0.02))
        assert (found.p is not None) == told


@pytest.mark.parametrize("gain", [0.0, 0.02])
def test_an_ablation_sees_an_edge_where_one_is_planted(gain):
    close, rows = planted(60, gain, seed=4)
    tape = tape_of(close)
    base = At(rows=tuple(row + 7 for row in rows[:-1]))
    own, without = (run(tape, one, ("pessimistic",)) for one in (At(rows=rows), base))
    found = ablate("pessimistic", own, without, np.random.default_rng(0))
    assert (found.attempts.p < 0.001) == (found.p < 0.01) == (gain > 0)
    assert found.attempts.trades_with == len(rows)


def test_an_ablation_of_few_days_or_of_the_same_has_no_p():
    close, rows = planted(30, 0.01, seed=4)
    own = run(tape_of(close), At(rows=rows), ("pessimistic",))
    assert ablate("pessimistic", own, own, np.random.default_rng(0)).p is None
    short = run(tape_of(close[:48]), At(rows=(5,)), ("pessimistic",))
    other = run(tape_of(close[:48]), At(rows=(9,)), ("pessimistic",))
    assert ablate("pessimistic", short, other, np.random.default_rng(0)).p is None


def test_without_the_best_and_in_halves():
    """Of 20 attempts on 20 days one won 40 %, the others lost 1 % each."""
    made = attempts(0.4, *[-0.01] * 19)
    found = sturdy(made, [bars_of(np.full(20 * 24, 1.0))])
    assert found.without_1_pct.mean == pytest.approx(-0.01)
    assert found.without_5_pct.dropped == 1
    assert found.without_10_days.dropped == 10
    assert found.halves.first == pytest.approx((0.4 - 0.09) / 10)
    assert found.halves.second == pytest.approx(-0.01)
    assert sturdy(attempts(0.1), [bars_of(np.full(24, 1.0))]).halves is None


def test_capacity_by_hand():
    """Nothing else costs: a bar gains 2 %, and an order of N gives up 1e-5 √(N/100) each way,
    linear between 100 and 1e4 as the law's curves are."""
    close = np.full(60, 100.0)
    close[11:] = 102.0
    curve = np.array([[[1e-5, 1e-3]] * 2])
    rows = np.zeros(60, np.int64)
    law = Slippage(np.array([1e2, 1e4]), curve, rows, rows, "by hand")
    terms = Terms(replace(FREE.costs, slippage="charged"))
    tape = tape_of(close, terms, law)
    (own,) = run(tape, At(rows=(10,)), ("pessimistic",))
    found = capacity([tape], [own])
    notional = own.replay.entry_notional[0]
    assert notional == pytest.approx(1000.0, rel=0.01)
    assert found.notional == pytest.approx([notional * f for f in (0.1, 1, 10, 100, 1000)])
    assert found.mean[1] == pytest.approx(own.replay.trade_returns[0])
    # 1e5 and 1e6 USD give up 1e-3 √10 and 1e-3 √100 each way.
    paid = [1e-5, 1e-4, 1e-3, 1e-3 * 10**0.5, 1e-2]
    for mean, lost in zip(found.mean, paid, strict=True):
        assert mean == pytest.approx(1.02 * (1 - lost) / (1 + lost) - 1, abs=2e-4)
    assert found.mean[3] > 0 > found.mean[4]
    assert 3e5 < found.zero < 1e6


def test_size_costs_nothing_where_slippage_is_left_out():
    tape = tape_of(np.full(60, 100.0), Terms(replace(FREE.costs, slippage="none")))
    assert capacity([tape], run(tape, At(rows=(10,)), ("pessimistic",))) is None
    law = replace(Slippage.none(60), basis="by hand")
    charged = tape_of(np.full(60, 100.0), Terms(Costs(funding="none")), law)
    assert capacity([charged], run(charged, At(rows=()), ("pessimistic",))) is None


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=6))
def test_where_a_mean_turns(means):
    notional = [10.0**place for place in range(len(means))]
    found = turning(notional, means)
    falls = [row for row in range(1, len(means)) if means[row] <= 0 < means[row - 1]]
    if means[0] <= 0 or not falls:
        assert found is None
    else:
        row = falls[0]
        assert notional[row - 1] * 0.999 <= found <= notional[row] * 1.001


def test_a_mean_that_is_not_known_turns_nowhere():
    assert turning([1.0, 10.0, 100.0], [0.1, None, -0.1]) is None
    assert turning([1.0, 10.0, 100.0], [None, 0.1, -0.1]) == pytest.approx(10**1.5)
    assert turning([1.0, 10.0], [None, None]) is None


def test_a_size_that_the_venue_refuses_earns_nothing_that_is_known():
    """A tenth of 50 USD is less than the venue's smallest order: that is no mean of 0."""
    close = np.full(60, 100.0)
    close[11:] = 102.0
    rows = np.zeros(60, np.int64)
    law = Slippage(np.array([1e2, 1e4]), np.full((1, 2, 2), 1e-5), rows, rows, "-")
    tape = tape_of(close, Terms(replace(FREE.costs, slippage="charged")), law)
    found = capacity([tape], run(tape, At(rows=(10,), notional=50.0), ("pessimistic",)))
    assert found.mean[0] is None
    assert found.mean[1] == pytest.approx(0.02, abs=1e-3)


def test_what_went_where():
    """Of 10 gross: 1 in fees, 2 in funding, 3 in slippage, and 0.5 forfeited."""
    trade = trade_of(3, 5, 3.5, fees=1.0, funding=2.0, slippage=3.0, forfeit=0.5)
    found = split(runs_of(replay_of(96, [trade]), replay_of(96)))
    assert (found.gross, found.net, found.notional) == (10.0, 3.5, 100.0)
    assert (found.fees, found.funding, found.slippage, found.forfeit) == (1.0, 2.0, 3.0, 0.5)
    assert split(runs_of(replay_of(96))) is None


def test_months_by_hand():
    day = np.arange("2026-01-30", "2026-02-03", dtype="datetime64[D]")
    made = Attempts(
        np.array([0.01, 0.03, 0.0]),
        np.array(["2026-01-31", "2026-01-31", "2026-01-30"], "datetime64[D]"),
        np.array([True, True, False]),
        np.array([0.5, 0.5, 0.0]),
    )
    first, second = months(made, Daily(day, np.array([0.1, 0.2, 0.3, -0.1])))
    assert (first.month, first.days, first.attempts, first.trades) == ("2026-01", 2, 3, 2)
    assert (first.mean, first.earned) == (pytest.approx(0.04 / 3), pytest.approx(0.3))
    assert (second.month, second.attempts, second.mean) == ("2026-02", 0, None)
    assert second.earned == pytest.approx(0.2)


def test_excursions_are_told_from_the_side_of_the_trade():
    long, short = trade_of(3, 5), trade_of(6, 8, side=-1, worst=104.0, best=95.0)
    found = excursions(runs_of(replay_of(96, [long]), replay_of(96, [short])))
    assert found.against[0] == pytest.approx(-0.04 + 0.05 * 0.03)
    assert found.against[2] == pytest.approx(-0.025)
    assert found.favour[2] == pytest.approx(0.03)
    assert excursions(runs_of(replay_of(96))) is None
