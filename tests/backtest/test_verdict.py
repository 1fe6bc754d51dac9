"""What is found of a study and said of it: yes on a planted edge, no on noise."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.findings.against import Against
from backtest.findings.find import Findings, find
from backtest.findings.plain import as_text
from backtest.findings.reading import Reading
from backtest.hurdles import hurdles, shows_edge
from backtest.placebos.play import play_placebos
from backtest.statistics.comparison import Comparison
from backtest.statistics.robustness import Remainder
from backtest.trials import Trials
from backtest.verdict import verdict
from tests.backtest.made import FREE, At, planted, played_of, tape_of
from tests.effort import THOROUGH

DAYS = 90


def studied(gain, seed=1, *, base=True, trials=1, draws=40, days=DAYS):
    """A study of closes after which prices gain so much, against other closes as base."""
    close, rows = planted(days, gain, seed)
    other = At(rows=tuple(row + 9 for row in rows[:-1])) if base else None
    played = played_of([tape_of(close)], At(rows=rows), other, draws=draws)
    spread = np.random.default_rng(7).normal(0, 0.2, trials)
    return find(played, play_placebos(played), Trials.of(spread), 3)


@pytest.fixture(scope="module")
def good():
    return studied(0.01)


@pytest.fixture(scope="module")
def noise():
    return studied(0.0)


def test_a_planted_edge_is_shown(good):
    assert shows_edge(good)
    said = verdict(good)
    assert " on BTC, 1h bars from 2026-01-02T00:00 to 2026-04-02T00:00" in said[0]
    assert said[0].endswith("recorded rows: 108 attempts, 108 trades.")
    assert said[1] == "It is the only trial known of this rule or these coins in this time."
    assert said[2] == "An edge is shown: it passed every test."
    assert said[3].startswith(
        "Passed: fees, funding, slippage and liquidation are charged; 2,160 of 2,160 bars of "
        "the period are held; 108 attempts on 90 days (at least 30 on 20); +0.9"
    )
    assert "; better than without the map: +0.9" in said[3]
    assert "; better than placebo random times: +0.9" in said[3]
    assert len(said) == 4


def test_noise_is_not(noise):
    said = verdict(noise)
    assert not shows_edge(noise)
    assert said[2].startswith("No edge is shown: of 8 tests it failed")
    assert "; not shown to be better than placebo random times: " in said[-1]


def test_of_many_trials_the_same_edge_is_luck():
    found = studied(0.002, trials=2)
    many = studied(0.002, trials=1000)
    failed = [one.said for one in hurdles(many) if not one.passed]
    assert failed[-1].startswith("deflated Sharpe ratio 0.7")
    assert many.ratio.deflated < 0.8 < 0.95 < found.ratio.deflated
    assert "It is one of 1000 trials" in verdict(many)[1]


def test_a_period_that_is_too_short_for_so_many_trials_is_said(good):
    """A ratio of 2 a year over 0.25 years: the best of 45 without an edge needs 1.23 years."""
    ratio = replace(good.ratio, trials=45, annual=2.0, years=0.25, needed_years=1.23)
    short = replace(good, ratio=ratio)
    assert verdict(short)[3] == (
        "Its 91 days are too short for so many trials: the best of as many without an edge "
        "is expected to show as much over 1.23 years (minimum backtest length)."
    )
    enough = replace(good, ratio=replace(ratio, years=1.23))
    assert verdict(enough)[3].startswith("Its 1.23 years are enough for so many trials")
    for silent in (replace(ratio, trials=1), replace(ratio, needed_years=None)):
        assert "minimum backtest" not in " ".join(verdict(replace(good, ratio=silent)))


def test_the_deflated_ratio_is_said_in_words_where_it_is_first_met(good):
    (said,) = (one for one in verdict(good) if one.startswith("Passed"))
    assert "the chance that it is above what luck gives the best of so many trials" in said


def test_without_placebos_nothing_is_an_edge():
    found = studied(0.01, draws=0)
    assert not shows_edge(found)
    assert verdict(found)[-1] == "Cannot be told: placebo random times: not drawn."


def test_too_few_draws_cannot_say_5_percent(good):
    """One of 1 + 18 is more than 5 %, one of 1 + 19 is 5 %."""
    assert not shows_edge(studied(0.01, draws=18))
    assert shows_edge(studied(0.01, draws=19))


@pytest.mark.slow
def test_false_positives_of_noise_are_rare():
    """The interval alone is wrong in some 2.5 % of worlds on this side; all tests, in fewer."""
    worlds = 60 if THOROUGH else 24
    found = [studied(0.0, seed, draws=19, days=45) for seed in range(worlds)]
    assert sum(one.readings[0].sign > 0 for one in found) <= worlds / 12
    assert sum(map(shows_edge, found)) == 0


def test_the_same_seed_finds_the_same(good):
    assert studied(0.01) == good


def test_what_comes_of_nothing():
    close, _ = planted(30, 0.0, seed=1)
    played = played_of([tape_of(close)], At(rows=()), draws=3)
    found = find(played, play_placebos(played), Trials.of(np.array([np.nan])), 0)
    assert (
        verdict(found)[2] == "Nothing can be said: it made no attempt, for it gave no signal."
    )
    assert found.costs is None
    assert found.capacity is None
    assert found.ratio.daily is None
    assert Findings.of_json(found.as_json()) == found


def test_findings_come_back_from_their_text(good, noise):
    for one in (good, noise):
        assert Findings.of_json(one.as_json()) == one
    text = good.as_json()
    assert Findings.of_json(text).as_json() == text
    assert Findings.of_json(text).sturdy.halves.middle == np.datetime64("2026-02-16")


def test_a_number_that_is_none_cannot_be_written(good):
    with pytest.raises(ValueError, match="Out of range float"):
        as_text(replace(good.ratio, daily=float("nan")))


def with_reading(found, **more):
    return replace(found, readings=(replace(found.readings[0], **more), *found.readings[1:]))


def with_subject(found, **more):
    return replace(found, subject=replace(found.subject, **more))


def with_sturdy(found, **more):
    return replace(found, sturdy=replace(found.sturdy, **more))


def pair(p):
    return Comparison(50, 50, 40, 0.01, 0.0, 0.01, 0.001, 0.02, p)


def of_map(mirrored=0.01):
    """What is held against a rule that looks at maps."""
    return (
        Against("mirrored", 1, 0.01, None, mirrored),
        Against("shuffled", 40, 0.01, (0.0,) * 5, 0.01),
    )


FAULTS = {
    "attempts": (lambda f: with_reading(f, attempts=29), "29 attempts on 90 days"),
    "days": (lambda f: with_reading(f, days=19), "108 attempts on 19 days"),
    "a reading": (
        lambda f: replace(f, readings=(f.readings[0], replace(f.readings[1], low=-0.001))),
        ", and read optimistically +0.",
    ),
    "an interval that is not known": (
        lambda f: with_reading(f, low=None, high=None),
        " an attempt, 95 % interval not known, and read optimistically",
        True,
    ),
    "the first half": (
        lambda f: with_sturdy(f, halves=replace(f.sturdy.halves, first=0.0)),
        "both halves of the period: +0.000 % an attempt before 2026-02-16, +",
    ),
    "the second half": (
        lambda f: with_sturdy(f, halves=replace(f.sturdy.halves, second=-0.001)),
        " an attempt before 2026-02-16, −0.100 % an attempt from then on",
    ),
    "a half without attempts": (
        lambda f: with_sturdy(f, halves=replace(f.sturdy.halves, second=None)),
        ", no attempt from then on",
    ),
    "a single day": (
        lambda f: with_sturdy(f, halves=None),
        "both halves of the period: it has one day",
        True,
    ),
    "the base": (
        lambda f: replace(
            f, ablations=(f.ablations[0], replace(f.ablations[1], attempts=pair(0.051)))
        ),
        "not shown to be better than without the map: read pessimistically ",
    ),
    "a base that is not known": (
        lambda f: replace(
            f, ablations=(replace(f.ablations[0], attempts=pair(None)), f.ablations[1])
        ),
        " an attempt against +0.000 %, p not known, and read optimistically",
        True,
    ),
    "a placebo": (
        lambda f: replace(f, placebos=(*f.placebos, *of_map(mirrored=0.06))),
        " an attempt against +1.000 %, p = 0.060",
    ),
    "a shuffle that cannot be": (
        lambda f: replace(f, placebos=(*f.placebos, of_map()[0])),
        "placebo shuffled: there is one map or day, and none to swap it with",
        True,
    ),
    "the trials": (
        lambda f: replace(f, ratio=replace(f.ratio, deflated=0.949)),
        "deflated Sharpe ratio 0.949 (at least 0.95)",
    ),
    "trials that are not known": (
        lambda f: replace(f, ratio=replace(f.ratio, deflated=None)),
        "deflated Sharpe ratio not known (at least 0.95)",
        True,
    ),
    "a cost that was left out": (
        lambda f: with_subject(f, left_out=("slippage", "liquidation of BTC")),
        "left out: slippage and liquidation of BTC",
    ),
    "a map before it was there": (
        lambda f: with_subject(f, knowable=False),
        "maps and flow are used from their own moment, before anyone had",
    ),
    "a period with holes": (
        lambda f: with_subject(f, bars=799, missing=201),
        "799 of 1,000 bars of the period are held (at least 80%)",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_test_alone_denies_the_edge_and_is_named(good, name):
    spoil, words, *untold = FAULTS[name]
    spoilt = spoil(good)
    assert not shows_edge(spoilt)
    said = "it failed 0, and 1 cannot be told." if untold else "it failed 1."
    assert verdict(spoilt)[2].endswith(f" tests {said}")
    last = verdict(spoilt)[-1]
    assert last.startswith("Cannot be told: " if untold else "Failed: ")
    assert words in last
    assert "; " not in last


def test_a_rule_that_looks_at_no_map_knows_none_early(good):
    blind = with_subject(good, knowable=False, variant="without map")
    assert shows_edge(blind)
    assert not shows_edge(with_subject(good, knowable=False))


@pytest.mark.parametrize(("late", "missing"), [(0, 0), (1, 1), (48, 48)])
def test_bars_that_are_not_there_are_counted(late, missing):
    close, rows = planted(3, 0.0, seed=1)
    played = played_of([tape_of(close)], At(rows=rows), draws=3)
    asked = replace(played.question, until=played.question.until + timedelta(hours=late))
    found = find(replace(played, question=asked), [], Trials.of(np.array([np.nan])), 0).subject
    assert (found.bars, found.missing) == (72, missing)


@pytest.mark.parametrize("name", ["funding", "slippage"])
def test_a_cost_that_was_left_out_is_told(name):
    terms = replace(FREE, costs=replace(FREE.costs, **{name: "none"}))
    close, rows = planted(3, 0.0, seed=1)
    charged, spared = (
        find(played_of([tape], At(rows=rows), draws=3), [], Trials.of(np.array([np.nan])), 0)
        for tape in (tape_of(close), replace(tape_of(close, terms), margin=None))
    )
    assert charged.subject.left_out == ()
    assert spared.subject.left_out == (name, "liquidation of BTC")


def test_a_rule_that_looks_at_maps_and_names_none_without_is_told_so(good):
    """A rule that is nothing without the map has none; one that looks at no map needs none."""
    words = "The rule names no rule without the map (without_map)"
    looks = (*good.placebos, *of_map())
    for placebos, ablations in ((looks, ()), (looks, good.ablations), (good.placebos, ())):
        found = replace(good, placebos=placebos, ablations=ablations)
        assert shows_edge(found)
        told = any(sentence.startswith(words) for sentence in verdict(found))
        assert told == (placebos == looks and not ablations)


@pytest.mark.parametrize(
    ("few", "why"),
    [
        (
            Against("shuffled", 18, 0.01, (0.0,) * 5, None),
            ", for it has 18 draws (at least 19).",
        ),
        (Against("distance only", 1, 0.01, None, None), " on fewer than 20 days."),
        (Against("shuffled", 19, 0.01, (0.0,) * 5, None), "p not known."),
    ],
)
def test_why_a_placebo_tells_nothing_is_said(good, few, why):
    last = verdict(replace(good, placebos=(*good.placebos, few)))[-1]
    assert last.startswith(f"Cannot be told: whether it is better than placebo {few.name}: ")
    assert why in last


def test_a_placebo_that_enters_nothing_is_said_and_denies_nothing(good):
    none = replace(
        good, placebos=(*good.placebos, Against("distance only", 0, None, None, None))
    )
    assert shows_edge(none)
    assert len(list(hurdles(none))) == len(list(hurdles(good)))
    assert verdict(none)[-1] == (
        "Placebo distance only makes no attempt that the rule could be held against."
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"signals": 0, "unmapped": 0}, ", for it gave no signal."),
        (
            {"signals": 7, "unmapped": 7},
            ", for at none of its 7 signals a map or flow was known in time.",
        ),
        (
            {"signals": 1, "unmapped": 1, "knowable": False},
            ", for at none of its 1 signal a map or flow is known.",
        ),
        (
            {"signals": 7, "unmapped": 2},
            " of its 7 signals; at 2 of them no map or flow was known.",
        ),
    ],
)
def test_why_no_attempt_was_made_is_said(good, changed, words):
    none = replace(with_reading(good, attempts=0), subject=replace(good.subject, **changed))
    assert verdict(none)[2] == f"Nothing can be said: it made no attempt{words}"


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.05, "p = 0.050: it matters how new the map or the flow is."),
        (0.06, "p = 0.060: nothing shows that it matters how new the map or the flow is."),
        (None, "p not known: nothing shows that it matters how new the map or the flow is."),
    ],
)
def test_yesterdays_map_denies_nothing_and_is_said(good, p, words):
    """It is old and not meaningless: a map that changes slowly was nearly the same then."""
    old = replace(good, placebos=(*good.placebos, Against("yesterday", 1, 0.01, None, p)))
    assert shows_edge(old)
    assert verdict(old)[-1] == f"With what was known a day before: +1.000 % an attempt, {words}"
    silent = replace(good, placebos=(*good.placebos, Against("yesterday", 0, None, None, None)))
    assert verdict(silent) == verdict(good)


@pytest.mark.parametrize("left", [None, 0.0, -0.001])
def test_what_a_profit_rests_on_is_said(good, left):
    words = {None: "no attempt", 0.0: "+0.000 % an attempt", -0.001: "−0.100 % an attempt"}
    for name, what in (
        ("without_1_pct", "its 2 best attempts"),
        ("without_5_pct", "its 6 best attempts"),
        ("without_10_days", "its ten best days"),
    ):
        one = with_sturdy(good, **{name: replace(getattr(good.sturdy, name), mean=left)})
        assert verdict(one)[3] == f"It rests on {what}: without them {words[left]}."
        assert shows_edge(one)
        assert len(verdict(one)) == len(verdict(good)) + 1
        assert "It rests on" not in " ".join(verdict(with_reading(one, mean=-0.01)))


def test_a_best_attempt_that_is_a_twentieth_of_all_is_named_once(good):
    """Of twenty attempts or fewer the best 1 % and the best 5 % are one."""
    alone = Remainder(-0.001, 1, 1.2)
    one = with_sturdy(good, without_1_pct=alone, without_5_pct=alone)
    said = " ".join(verdict(one))
    assert said.count("It rests on") == 1
    assert "It rests on its best attempt: without it −0.100 % an attempt." in said


def test_a_loss_is_called_one(good):
    worse = [replace(one, mean=-0.02, low=-0.03, high=-0.01) for one in good.readings]
    assert verdict(replace(good, readings=tuple(worse)))[2] == (
        "No edge is shown: it loses, in every reading of ambiguous bars."
    )


numbers = st.one_of(st.none(), st.floats(-1, 1))


@given(
    low=numbers,
    p=st.one_of(st.none(), st.floats(0, 1)),
    deflated=st.one_of(st.none(), st.floats(0, 1)),
    attempts=st.integers(0, 99),
)
def test_an_edge_needs_everything(good, low, p, deflated, attempts):
    first = good.readings[0]
    made = Reading("pessimistic", attempts, attempts, 40, 1, 0.0, 0.01, 0.001, low, 1.0, 0.01)
    spoilt = replace(
        good,
        readings=(made, replace(first, bound="optimistic")),
        placebos=(replace(good.placebos[0], p=p),),
        ratio=replace(good.ratio, deflated=deflated),
    )
    needed = [
        attempts >= 30,
        low is not None and low > 0,
        p is not None and p <= 0.05,
        deflated is not None and deflated >= 0.95,
    ]
    assert shows_edge(spoilt) == all(needed)
    said = verdict(spoilt)
    assert ("An edge is shown" in said[2]) == all(needed)
    assert all(sentence.endswith(".") for sentence in said)


def test_nothing_is_said_of_a_lake_that_was_not_asked(good):
    assert (good.cascades, good.incidents, good.untrusted) == (None, None, None)
