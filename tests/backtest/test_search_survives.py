"""What is left of the best of many settings: all of a planted edge, nothing of noise."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from backtest.search.choice import Ways, forward, ways
from backtest.search.survives import BLOCKS, Named, survivor
from backtest.search.table import Table, sharpes
from backtest.search.told import failed, in_words


def table_of(daily):
    settings = [(float(number),) for number in range(daily.shape[1])]
    return Table(
        "breakout", ("breakout.stop_pct",), settings, daily, np.ones(len(settings), int)
    )


def noise(seed, days=400, settings=30):
    return np.random.default_rng(seed).normal(0, 0.01, (days, settings))


def left_of(daily, more=0, embargo=1):
    table = table_of(daily)
    tried = np.append(table.sharpe, np.full(more, np.nan))
    return table, survivor(table, tried, embargo, 0)


def said_of(table, left):
    return in_words(table, left, ["BTC"], "undertow backtest run --all")


def test_a_planted_edge_survives():
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.003
    table, left = left_of(daily)
    assert (left.best, failed(left)) == (7, [])
    assert left.deflated.probability > 0.99
    assert left.pbo < 0.01
    assert left.forward.mean == pytest.approx(0.003, abs=0.001)
    assert left.named.settings == {7}
    assert left.ways.lost == 0
    assert left.ways.median == pytest.approx(left.deflated.sharpe, rel=0.2)
    words = said_of(table, left)
    assert words[0].startswith("30 settings of breakout were tried on BTC over 1500 days")
    assert words[0].endswith("30 trials of this rule or these coins in this period count.")
    assert "breakout.stop_pct=7.0" in words[1]
    assert words[2] == (
        "Of 30 settings compared 1 beats doing nothing, with a chance of 5 % that even one is "
        "named wrongly (StepM)."
    )
    assert words[4].startswith("Chosen on the days around 28 times (combinatorial purged ")
    assert words[4].endswith("; 0 % of them are not above 0.")


def test_what_survives_a_sweep_is_to_be_asked_as_a_study():
    """No yes: the sweep has seen no placebo."""
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.003
    table, left = left_of(daily)
    assert said_of(table, left)[-1] == (
        "The best setting survives these six tests of a sweep, which knows no placebo, no rule "
        "without the map and no interval of the mean attempt; ask it as a study before "
        "believing it: undertow backtest run --all"
    )
    untold = in_words(table, left, ["BTC"], None)[-1]
    assert untold.endswith("it: from Python, as no command line tells all of its terms")


def test_of_noise_nothing_survives():
    survived = 0
    for seed in range(30):
        table, left = left_of(noise(seed, days=200, settings=20))
        survived += not failed(left)
        assert said_of(table, left)[-1] == "Nothing survives."
    assert survived == 0


def alike(edge, seed):
    """Days of a year and 40 settings that move together; ten have an edge, in deviations."""
    rng = np.random.default_rng(seed)
    daily = 0.7 * rng.normal(size=(365, 1)) + 0.714 * rng.normal(size=(365, 40))
    daily[:, :10] += edge
    return daily * 0.01


@pytest.mark.slow
def test_settings_that_are_alike_survive_with_an_edge_and_not_without():
    """By the spread of their ratios a sixth of those with an edge would pass the first test."""
    none, edge = ([left_of(alike(size, seed))[1] for seed in range(12)] for size in (0, 0.3))
    assert sum(not failed(left) for left in none) == 0
    assert sum(not failed(left) for left in edge) >= 10


def test_what_was_tried_before_counts():
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.0008
    _, alone = left_of(daily)
    _, after = left_of(daily, more=99_970)
    assert alone.deflated.probability > after.deflated.probability
    assert after.years_needed > alone.years_needed
    assert any("years are too short: of 100000 trials" in reason for reason in failed(after))


def test_each_test_is_named_when_it_fails():
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.003
    _, left = left_of(daily)
    for change, said in (
        (
            {"deflated": replace(left.deflated, probability=0.94)},
            "deflated Sharpe ratio is 0.94",
        ),
        ({"deflated": replace(left.deflated, probability=None)}, "ratio is not known"),
        ({"pbo": 0.5}, "probability of overfitting is 0.50"),
        ({"pbo": None}, "overfitting is not known"),
        (
            {"years": 0.1},
            "36 days are too short: of 30 trials without an edge the best shows",
        ),
        ({"years_needed": None}, "the Sharpe ratio found is not above 0"),
        ({"forward": replace(left.forward, sure=0.9)}, "certainty of 0.90"),
        ({"forward": replace(left.forward, sure=None)}, "certainty of not known"),
        ({"forward": None}, "too few days to choose on the past"),
        ({"ways": Ways((0.1,) * 9 + (-0.1,), 28)}, "10 % of 10 ways through the period do not"),
        ({"ways": Ways((0.0, 0.1), 28)}, "50 % of 2 ways"),
        ({"ways": None}, "too few days to choose on some"),
        ({"named": Named(frozenset({3}), frozenset({3, 7}))}, "not among the settings that"),
        ({"named": None}, "too few days to tell which settings beat doing nothing"),
    ):
        (reason,) = failed(replace(left, **change))
        assert said in reason


def test_a_choice_is_made_of_the_past_alone():
    """The best of the whole period is worthless until half of it has passed."""
    daily = noise(3, days=100, settings=2)
    daily[:, 0] += 0.002
    daily[60:, 1] += 1.0
    made = forward(daily, 0)
    assert (made.days, made.choices) == (50, 5)
    rows = []
    for first in range(50, 100, 10):
        rows.append(daily[first : first + 10, np.argmax(sharpes(daily[:first]))])
    assert made.mean == pytest.approx(np.concatenate(rows).mean())
    changed = daily.copy()
    changed[50:60] = -changed[50:60]  # the first days tested are not fitted on before them
    assert forward(changed, 0).mean != made.mean


def test_the_embargo_keeps_days_out_of_the_choice():
    daily = np.zeros((40, 2))
    daily[:, 0] = np.tile([0.01, -0.009], 20)
    daily[18:20, 1] = 0.5, 0.7  # two days before the first test
    daily[20:, 1] = -0.1
    assert forward(daily, 2).mean > forward(daily, 0).mean


def test_each_run_of_days_is_earned_by_what_was_best_around_it():
    """Eighty days in eight runs: each way is all days, each run of it by one of its choices."""
    daily = noise(5, days=80, settings=6)
    found = ways(daily, 0)
    assert (found.choices, len(found.sharpes)) == (28, 7)
    runs = np.array_split(np.arange(80), 8)
    held = [[] for _ in runs]
    for one, other in itertools.combinations(range(8), 2):
        rest = np.concatenate([run for n, run in enumerate(runs) if n not in (one, other)])
        best = sharpes(daily[rest]).argmax()
        for number in (one, other):
            held[number].append(daily[runs[number], best])
    for number, ratio in enumerate(found.sharpes):
        way = np.concatenate([some[number] for some in held])
        assert ratio == pytest.approx(way.mean() / way.std(ddof=1))


@pytest.mark.parametrize("embargo", [0, 2])
def test_the_days_of_a_trade_are_on_neither_side_of_a_choice(embargo, monkeypatch):
    """A trade of the embargo's length touches days that are fitted on, or tested, not both."""
    seen = []

    def earned(daily, train, test):
        seen.append(np.abs(train[:, None] - test).min())
        return np.zeros(test.size)

    monkeypatch.setattr("backtest.search.choice._earned", earned)
    ways(noise(6, days=83), embargo)
    assert (len(seen), set(seen)) == (28, {embargo + 1})


def test_ways_that_do_not_trade_have_not_earned():
    daily = np.zeros((80, 2))
    daily[0, 0] = 0.01  # in one run alone, so that nothing varies around it
    found = ways(daily, 0)
    assert (found.lost, set(found.sharpes)) == (1.0, {0.0})


def test_too_little_to_say_is_not_known():
    """Of twelve days a sweep once said a probability of overfitting of 0.15."""
    table, left = left_of(noise(1, days=12, settings=3))
    assert (left.forward, left.pbo, left.ways, left.named) == (None, None, None, None)
    reasons = "; ".join(failed(left))
    for said in ("overfitting is not known", "(StepM)", "on the past", "on some and score"):
        assert said in reasons
    _, left = left_of(noise(1, days=39, settings=3))
    assert (left.pbo, left.ways) == (None, None)
    _, left = left_of(noise(1, days=40, settings=3))
    assert None not in (left.pbo, left.ways, left.named, left.forward)
    assert ways(noise(1, days=40), 20) is None
    _, left = left_of(noise(1, days=100, settings=1))
    assert left.pbo is None
    table, left = left_of(np.zeros((50, 3)))
    assert (left.best, left.deflated, left.pbo, left.forward) == (None, None, None, None)
    assert (left.ways, left.named) == (None, None)
    assert said_of(table, left)[-1].endswith("nothing survives.")
    assert forward(noise(1, days=30), 60) is None


def test_very_many_settings_are_compared_by_some_of_them(monkeypatch):
    monkeypatch.setattr("backtest.search.survives.MOST_COMPARED", 10)
    daily = noise(4, days=5 * BLOCKS, settings=200)
    daily[:, 3] += 0.05
    _, left = left_of(daily)
    assert (left.best, left.pbo) == (3, 0.0)
    assert (left.named.settings, len(left.named.compared)) == ({3}, 10)


def test_settings_are_ranked_and_those_without_a_ratio_come_last():
    daily = np.array([[0.01, 0.0, 0.03, 0.01], [0.0, 0.0, 0.01, 0.0]])
    table = table_of(daily)
    assert table.order == [2, 0, 3, 1]
    assert np.isnan(table.sharpe[1])
    assert np.isnan(sharpes(daily[:1])).all()
