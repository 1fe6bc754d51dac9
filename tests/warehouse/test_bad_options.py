"""An option out of its range is refused in one line that says what is allowed."""

import re
from contextlib import nullcontext

import duckdb
import pytest

from tests.warehouse.bad_questions import a_market, refusal, rows, some
from tests.warehouse.every_macro import EVERY
from warehouse import catalog


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with a_market(tmp_path_factory.mktemp("lake")) as con:
        yield con


# Of each option a value or a few: what else its check refuses stands in CHECKS.
WIDTHS = ("null", "-1", "'nan'::double", "'a'")
PCTS = ("51", "2.5", "'a'")
LISTS = ("null", "[5, 51]", "['a']", "5.5", "'a'")
LENGTHS = ("null", "interval '-1 hour'", "0", "'a'")
OPTIONS = [
    *(
        (call, "width_pct", WIDTHS, "use a number from 0.0001 to 100")
        for call in (
            "liquidation_map('BTC', $at, {})",
            "liquidation_clusters('BTC', $at, {})",
            "segment_map('BTC', $at, {})",
            "map_changes('BTC', $earlier, $at, {})",
            "mass_decay('BTC', $earlier, $at, {})",
            "liquidation_heatmap('BTC', $since, $at, {})",
        )
    ),
    ("liquidation_map('BTC', $at, {})", "width_px", (*WIDTHS[1:], "1e-300"), "use USD from"),
    *(
        (call, "within_pct", PCTS, "use whole numbers from 1 to 50")
        for call in (
            "leverage_regime('BTC', $at, {})",
            "leverage_regime_between('BTC', $since, $at, interval 5 hours, {})",
        )
    ),
    *(
        (
            call,
            "pcts",
            LISTS,
            "use whole numbers from 1 to 50",
        )
        for call in (
            "cascade_scenarios('BTC', $at, {})",
            "cascade_scenarios_between('BTC', $since, $at, interval 5 hours, {})",
        )
    ),
    *(
        (f"{name}('BTC', $since, $at, {{}})", "every", LENGTHS, "use 1 second to 366 days")
        for name in (
            "liquidation_heatmap",
            "liquidation_rates",
            "liquidation_flow",
            "cascades",
            "cascade_scenarios_between",
            "leverage_regime_between",
        )
    ),
    *(
        (
            query.removeprefix("from ")
            .split("max_age")[0]
            .replace("knowable := $knowable)", "{})")
            .rstrip(", ")
            .removesuffix("{})")
            + "{})",
            "max_age",
            LENGTHS,
            "use 0 seconds or more",
        )
        for name, query in EVERY.items()
        if any(
            "max_age" in made.parameters and "asof" not in name and name != "liquidation_flow"
            for made in catalog.definitions("table macro")
            if made.name == name
        )
        and name != "levels_at"
    ),
    *(
        (f"{name}('BTC', $at, {{}})", "max_age", LENGTHS, "use more than 0 seconds")
        for name in ("context_asof", "funding_asof", "book_asof")
    ),
    ("candle_asof('BTC', $at, {})", "max_age", LENGTHS[1:], "use more than 0 seconds"),
    (
        "candle_asof('BTC', $at, {})",
        "interval_",
        ("null", "''", "'1y'", "'7m'"),
        "as 1m, 1h, 1d",
    ),
    ("book_asof('BTC', $at, {})", "depth_pct", WIDTHS, "use a number above 0"),
    ("liquidation_flow('BTC', $since, $at, {})", "min_held", WIDTHS, "up to 1"),
    ("liquidation_flow('BTC', $since, $at, {})", "book_age", LENGTHS, "up to 31 days"),
    ("cascades('BTC', $since, $at, {})", "seed_ratio", WIDTHS, "use a number above 0"),
    ("cascades('BTC', $since, $at, {})", "gap", LENGTHS, "use more than 0 seconds"),
    ("position_spells($since, $at, {})", "max_gap", LENGTHS, "use more than 0 seconds"),
    ("liquidation_risk({}, $at)", "", ("null", "''", "'nope'"), "use all, shrimp, fish"),
    ("liquidation_risk('all', $at, {})", "threshold_pct", WIDTHS, "up to 100"),
    ("segment_map('BTC', $at, {})", "kind", ("null", "''", "'age'"), "use 'size' or 'profit'"),
    (
        "mass_decay('BTC', $earlier, $at, {})",
        "hours",
        ("null", "[-1]", "'a'"),
        "use numbers above 0",
    ),
]


@pytest.mark.parametrize(
    ("call", "option", "values", "allowed"),
    OPTIONS,
    ids=[f"{call.split('(')[0]}-{option}" for call, option, *_ in OPTIONS],
)
def test_an_option_out_of_range_is_refused(con, call, option, values, allowed):
    for value in some(*values):
        given = f"{option} := {value}" if option else value
        said = refusal(con, f"from {call.format(given)}")
        assert allowed in said
        assert "is not " in said


@pytest.mark.parametrize(
    ("call", "option", "value"),
    [
        (call, option, values[-1])
        for call, option, values, _ in OPTIONS
        if option in ("width_pct", "every", "pcts", "kind", "threshold_pct", "min_held", "gap")
        or not option
    ],
)
def test_an_empty_lake_answers_bad_questions_or_refuses_them(empty, call, option, value):
    """Of nothing nothing is told, and nothing but a refusal is raised."""
    given = f"{option} := {value}" if option else value
    refused_or = pytest.raises(duckdb.InvalidInputException, match="is not ")
    with refused_or if is_refused(empty, call, given) else nullcontext():
        assert rows(empty, f"from {call.format(given)}") == []


def test_a_width_that_is_no_number_is_left_to_its_check(empty):
    """Of two places of one question that see it, either may be the first to look."""
    assert rows(empty, "from levels_at('BTC', $at, 'a', null)") == []


def is_refused(con, call, given):
    try:
        rows(con, f"from {call.format(given)}")
    except duckdb.Error:
        return True
    return False


CHECKS = [
    (
        "checked_width({})",
        ("null", "0", "-1", "'nan'::double", "'infinity'::double", "101", "1e-5", "'a'"),
    ),
    ("checked_ticks({})", ("0", "-1", "1e-300", "1e300", "'nan'::double", "'infinity'", "'a'")),
    ("checked_pcts([5, {}])", ("null", "0", "51", "2.5", "-5", "'nan'::double")),
    ("checked_pcts([{}])", ("'a'",)),
    ("checked_positive({}, 'it')", ("null", "0", "-1", "'nan'::double", "'infinity'", "'a'")),
    ("checked_share({})", ("null", "0", "-1", "1.1", "'nan'::double", "'a'")),
    ("checked_threshold({})", ("null", "0", "-1", "101", "'nan'::double", "'a'")),
    ("checked_hours([{}])", ("null", "0", "-1", "'nan'::double", "'infinity'", "'a'")),
    ("checked_age({})", ("null", "interval 0 hours", "interval '-1 hour'", "interval 1 year")),
    ("checked_reach({})", ("null", "interval '-1 hour'", "interval 20 years")),
    ("checked_kind({})", ("null", "''", "'age'", "'SIZE'")),
    ("checked_segment({})", ("null", "''", "'nope'", "'x'' or 1=1'")),
    ("bar_length({})", ("null", "''", "'1y'", "'0m'", "'7m'", "'5h'", "'1.5h'", "'h'")),
    (
        "checked_every({}, timestamptz '2026-01-01', timestamptz '2026-01-02')",
        (
            "null",
            "interval 0 hours",
            "interval '-1 hour'",
            "interval 1 month",
            "interval 10 milliseconds",
            "interval 400 days",
        ),
    ),
]


@pytest.mark.parametrize(("call", "values"), CHECKS, ids=[call for call, _ in CHECKS])
def test_every_check_says_what_is_allowed(empty, call, values):
    for value in values:
        said = refusal(empty, f"select {call.format(value)}")
        assert re.search(r"is not (allowed|known); use ", said)
