"""What is left of the best of many settings: all of a planted edge, nothing of noise."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.search.survives import BLOCKS, forward, in_words, survivor
from backtest.search.table import Table, sharpes


def table_of(daily):
    settings = [(float(number),) for number in range(daily.shape[1])]
    return Table(
        "breakout", ("breakout.stop_pct",), settings, daily, np.ones(len(settings), int)
    )


def noise(seed, days=400, settings=30):
    return np.random.default_rng(seed).normal(0, 0.01, (days, settings))


def left_of(daily, trials=None, embargo=1):
    table = table_of(daily)
    ratios = table.sharpe
    return table, survivor(table, ratios, ratios.size if trials is None else trials, embargo, 0)


def test_a_planted_edge_survives():
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.003
    table, left = left_of(daily)
    assert (left.best, left.failed) == (7, [])
    assert left.deflated.probability > 0.99
    assert left.pbo < 0.01
    assert left.forward.mean == pytest.approx(0.003, abs=0.001)
    words = in_words(table, left, ["BTC"])
    assert words[0].startswith("30 settings of breakout were tried on BTC over 1500 days")
    assert "breakout.stop_pct=7.0" in words[1]
    assert words[-1] == "The best setting survives all four tests."


def test_of_noise_nothing_survives():
    survived = 0
    for seed in range(30):
        table, left = left_of(noise(seed, days=200, settings=20))
        survived += not left.failed
        assert in_words(table, left, ["BTC"])[-1] == "Nothing survives."
    assert survived == 0


def test_what_was_tried_before_counts():
    daily = noise(1, days=1_500)
    daily[:, 7] += 0.0008
    _, alone = left_of(daily)
    _, after = left_of(daily, trials=100_000)
    assert alone.deflated.probability > after.deflated.probability
    assert after.years_needed > alone.years_needed
    assert any("years are too short: of 100000 trials" in reason for reason in after.failed)


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
        ({"forward": None}, "too few days to choose"),
    ):
        (reason,) = replace(left, **change).failed
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


def test_too_little_to_say_is_not_known():
    _, left = left_of(noise(1, days=10, settings=3))
    assert (left.forward, left.pbo is None) == (None, False)
    _, left = left_of(noise(1, days=3, settings=3))
    assert left.pbo is None
    _, left = left_of(noise(1, days=100, settings=1))
    assert left.pbo is None
    table, left = left_of(np.zeros((50, 3)))
    assert (left.best, left.deflated, left.pbo, left.forward) == (None, None, None, None)
    assert in_words(table, left, ["BTC"])[-1].endswith("nothing survives.")
    assert forward(noise(1, days=30), 60) is None


def test_very_many_settings_are_compared_by_some_of_them(monkeypatch):
    monkeypatch.setattr("backtest.search.survives.MOST_COMPARED", 10)
    daily = noise(4, days=4 * BLOCKS, settings=200)
    daily[:, 3] += 0.05
    _, left = left_of(daily)
    assert (left.best, left.pbo) == (3, 0.0)


def test_settings_are_ranked_and_those_without_a_ratio_come_last():
    daily = np.array([[0.01, 0.0, 0.03, 0.01], [0.0, 0.0, 0.01, 0.0]])
    table = table_of(daily)
    assert table.order == [2, 0, 3, 1]
    assert np.isnan(table.sharpe[1])
    assert np.isnan(sharpes(daily[:1])).all()
