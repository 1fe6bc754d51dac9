"""What cannot be asked is refused in one line that says what is allowed; nothing is guessed."""

import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest

from tests.cli.inside import refused, run
from tests.effort import THOROUGH
from tests.rows import T0, land_snapshot, position
from tests.warehouse import whole_market as market
from tests.warehouse.every_macro import AT, EVERY, UNTIL
from warehouse import ask, catalog, cohorts, flow, heatmap, open_lake
from warehouse.joint_map import joint_map
from warehouse.survival.ask import survival

HOUR = timedelta(hours=1)
NOW = T0 + 60 * HOUR
ASKED = {"at": NOW, "since": NOW - 30 * HOUR, "earlier": NOW - 12 * HOUR, "knowable": False}
SPAN = [name for name in UNTIL if name not in ("incidents_at",)]
PAIR = ["map_moves", "map_changes", "mass_decay"]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        market.put(con, market.made())
        market.show(con, NOW, knowable=False)
        yield con


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("empty")) as con:
        yield con


def rows(con, query, **others):
    asked = {name: value for name, value in (ASKED | others).items() if f"${name}" in query}
    return con.sql(query, params=asked).fetchall()


def refusal(con, query, **others):
    """Return the one line that a question is refused with."""
    with pytest.raises(duckdb.InvalidInputException) as raised:
        rows(con, query, **others)
    (line,) = str(raised.value).splitlines()
    return line.removeprefix("Invalid Input Error: ")


def some(*cases):
    """Return all cases where there is time, and the last."""
    return cases if THOROUGH else cases[-1:]


# An answer about a coin says nothing of one that is not named.  These say of its dex alone.
OF_A_DEX = {"snapshot_at", "states_at", "fill_hours", "incidents_at"}
WITHOUT_A_COIN = {name for name, query in EVERY.items() if "'BTC'" not in query}


@pytest.mark.parametrize("name", sorted(set(EVERY) - OF_A_DEX - WITHOUT_A_COIN))
def test_without_a_coin_there_is_no_answer(con, name):
    for coin in some("null", "''"):
        assert rows(con, EVERY[name].replace("'BTC'", coin)) == []


# Nothing is held of a coin that nobody has heard of; these say so in rows of nothing.
NOTHING_HELD = {"map_coverage", "map_dependence", "liquidation_rates", "liquidation_flow"}
NOTHING_HELD |= {"dex_positions_at"}


@pytest.mark.parametrize("name", sorted(set(EVERY) - OF_A_DEX - WITHOUT_A_COIN - NOTHING_HELD))
def test_of_an_unknown_coin_there_are_no_rows(con, name):
    assert rows(con, EVERY[name].replace("'BTC'", "'NOPE'")) == []


def test_of_an_unknown_coin_nothing_is_made_up(con):
    for name in NOTHING_HELD - {"dex_positions_at"}:
        relation = con.sql(
            EVERY[name].replace("'BTC'", "'NOPE'"),
            params={key: value for key, value in ASKED.items() if f"${key}" in EVERY[name]},
        )
        for column in ("notional", "mapped_notional", "multi_notional"):
            if column in relation.columns:
                found = relation.select(column).distinct().fetchall()
                assert set(found) <= {(0,), (None,)}
        unknown = ("coverage", "share", "open_interest", "funding_rate")
        for column in (*unknown, "liquidations", "velocity", "norm", "cascade_score"):
            if column in relation.columns:
                assert relation.select(column).distinct().fetchall() == [(None,)]


@pytest.mark.parametrize("name", sorted(set(AT) - set(PAIR) - {"positions_at_each"}))
def test_at_no_moment_there_is_no_answer(con, name):
    assert rows(con, AT[name], at=None) == []


@pytest.mark.parametrize("name", SPAN)
def test_a_span_must_have_two_moments_in_order(con, name):
    for since, until in some((NOW, NOW), (None, NOW), (NOW, None), (NOW, NOW - HOUR)):
        said = refusal(con, UNTIL[name], since=since, at=until)
        assert "is not allowed; use a moment after" in said
    infinite = UNTIL[name].replace("$at", "'infinity'::timestamptz")
    assert "moment" in refusal(con, infinite)


@pytest.mark.parametrize("name", PAIR)
def test_the_later_of_two_maps_must_be_later(con, name):
    for earlier, at in some((NOW, NOW), (None, NOW), (NOW, None), (NOW, NOW - HOUR)):
        said = refusal(con, AT[name], earlier=earlier, at=at)
        assert "is not allowed; use a moment after" in said


@pytest.mark.parametrize("name", sorted(set(AT) - set(PAIR) - {"positions_at_each"}))
def test_infinity_is_no_moment(con, name):
    said = refusal(con, AT[name].replace("$at", "'infinity'::timestamptz"))
    assert said == "at infinity is not allowed; use a moment, as 2026-02-05T12:00Z"


def moments_as(query, written):
    """Return a question whose moments are what ``written`` makes of one, as SQL."""
    return re.sub(r"\$(at|since|earlier)\b", lambda found: written(ASKED[found[1]]), query)


NAIVE = {
    "timestamp": lambda at: f"timestamp '{at:%Y-%m-%d %H:%M:%S}'",
    "date": lambda at: f"date '{at:%Y-%m-%d}'",
    "text": lambda at: f"'{at:%Y-%m-%dT%H:%M}'",
    "text of a day": lambda at: f"'{at:%Y-%m-%d}'",
    "a place": lambda at: f"'{at:%Y-%m-%d %H:%M} America/New_York'",
}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_moment_without_a_zone_is_refused(con, name):
    """In a session of another zone it would mean another moment."""
    for written in some(*NAIVE.values()):
        said = refusal(con, moments_as(EVERY[name], written))
        assert re.match(r"(at|since|until|from_at|to_at|moments) 2026-01-", said)
        assert re.search(r" has no time zone; if it is UTC, write it as 2026-01-\S+Z$", said)


def test_every_kind_of_moment_without_a_zone_is_refused(empty):
    for written in NAIVE.values():
        said = refusal(empty, f"select checked_moment({written(NOW)}, 'at')")
        assert " has no time zone; if it is UTC, write it as " in said
    for kind in ("timestamp_s", "timestamp_ms", "timestamp_ns"):
        said = refusal(empty, f"select checked_moment({kind} '2026-01-03 10:00', 'at')")
        assert said.endswith("has no time zone; if it is UTC, write it as 2026-01-03T10:00:00Z")


def test_what_is_suggested_is_the_same_moment_and_is_taken(empty):
    said = refusal(empty, "select checked_moment('2026-01-03T10:00:00.5', 'at')")
    suggested = said.rpartition(" ")[2]
    assert suggested == "2026-01-03T10:00:00.5Z"
    ((taken,),) = empty.sql(f"select checked_moment('{suggested}', 'at')").fetchall()
    assert taken == datetime(2026, 1, 3, 10, 0, 0, 500_000, tzinfo=UTC)


def test_what_is_no_moment_is_refused(empty):
    for value in ("5", "true", "interval 1 day", "[1]", "'yesterday'", "''", "'12:00Z'"):
        said = refusal(empty, f"select checked_moment({value}, 'at')")
        assert said.endswith(" is not allowed; use a moment, as 2026-02-05T12:00Z")


@pytest.mark.parametrize("name", sorted(EVERY))
def test_text_with_its_zone_is_a_moment(con, name):
    """A table macro asks others, and each of them takes what it was given."""

    def said(written):
        return sorted(map(repr, rows(con, moments_as(EVERY[name], written))))

    ist = timezone(timedelta(hours=5, minutes=30))
    told = said(lambda at: f"timestamptz '{at:%Y-%m-%d %H:%M:%S}+00'")
    for written in some(
        lambda at: f"'{at:%Y-%m-%d %H:%M:%S UTC}'",
        lambda at: f"'{at:%Y-%m-%dT%H:%MZ}'",
        lambda at: f"'{at.astimezone(ist):%Y-%m-%d %H:%M:%S.000}+05:30'",
    ):
        assert said(written) == told


def test_a_column_without_a_zone_is_refused_too(con):
    for macro in ("liquidation_map", "context_asof", "current_px"):
        said = refusal(
            con,
            f"select m.* from (select unnest([timestamp '2026-01-03']) as ts) as t, "
            f"lateral (from {macro}('BTC', t.ts)) as m",
        )
        assert "at 2026-01-03 00:00:00 has no time zone" in said


def test_rows_stand_at_a_moment_that_says_its_zone(con):
    asked = "from fills_versions as f where stands(f.known_ts, f.since_ts, f.superseded_ts, {})"
    assert rows(con, asked.format("timestamptz '2026-01-09 00:00Z', true"))
    for naive in ("timestamp '2026-01-09'", "'2026-01-09'"):
        assert "use a TIMESTAMPTZ" in refusal(con, asked.format(f"{naive}, true"))


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


def asks(con, at=NOW, earlier=T0, coin="BTC"):
    """Return every question of Python, with each of its moments and its coin as given."""
    return (
        lambda: ask.liquidation_map(con, coin, at),
        lambda: ask.liquidation_clusters(con, coin, at),
        lambda: ask.cascade_scenarios(con, coin, at),
        lambda: ask.leverage_regime(con, coin, at),
        lambda: ask.map_coverage(con, coin, at),
        lambda: cohorts.map_changes(con, coin, earlier, at),
        lambda: cohorts.mass_decay(con, coin, earlier, at),
        lambda: flow.liquidation_flow(con, coin, earlier, at),
        lambda: flow.cascades(con, coin, earlier, at),
        lambda: joint_map(con, coin, at),
        lambda: survival(con, earlier, at, coin),
        lambda: cohorts.liquidation_risk(con, "all" if coin == "BTC" else coin, at),
    )


SPANS = slice(5, 9)  # of `asks`: those that take an earlier moment


def test_python_takes_no_moment_without_a_zone(con):
    naive = NOW.replace(tzinfo=None)
    for call in (
        *asks(con, at=naive),
        *asks(con, earlier=naive)[SPANS],
        lambda: ask.moment("2026-01-03T00:00"),
    ):
        with pytest.raises(ValueError, match="no time zone") as raised:
            call()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("at", ["2026-01-03T00:00Z", None, NOW.date(), 5, NOW.timestamp()])
def test_python_takes_no_other_moment_than_an_aware_datetime(con, at):
    for call in (*asks(con, at=at), *asks(con, earlier=at)[SPANS]):
        with pytest.raises(TypeError, match="is not allowed; give an aware datetime") as raised:
            call()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("coin", [None, 5, b"BTC", ["BTC"]])
def test_python_takes_no_other_coin_than_text(con, coin):
    for call in asks(con, coin=coin):
        with pytest.raises(TypeError, match=r"(coin|segment) .* give its name, as '") as raised:
            call()
        assert "\n" not in str(raised.value)


def test_what_the_command_line_suggests_is_the_same_moment():
    for text in ("2026-01-03T10:30", "2026-01-03", "2026-01-03 10:30:01.5"):
        with pytest.raises(ValueError, match="no time zone; if it is UTC") as raised:
            ask.moment(text)
        suggested = str(raised.value).rpartition(" ")[2]
        assert ask.moment(suggested) == datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_python_names_coins_that_are_like_an_unknown_one(con):
    for call in (
        lambda: ask.liquidation_map(con, "BTX", NOW),
        lambda: ask.map_coverage(con, "BTX", NOW),
        lambda: cohorts.map_changes(con, "BTX", T0, NOW),
        lambda: joint_map(con, "BTX", NOW),
        lambda: survival(con, T0, NOW, "BTX"),
        lambda: flow.cascades(con, "BTX", T0, NOW),
    ):
        with pytest.raises(LookupError, match="is not in this lake; near it: BTC"):
            call()


def test_a_heatmap_of_python_has_a_width():
    import polars as pl

    for width in (0, -1, 101, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="use a number above 0, up to 100"):
            heatmap.liquidation_heatmap(pl.DataFrame(), pl.DataFrame(), width)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = tmp_path_factory.mktemp("landed")
    land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, 90.0)], T0)
    return lake


AT_T0 = ("--at", f"{T0:%Y-%m-%dT%H:%MZ}")
OVER = ("--from", "2026-01-01T00:00Z", "--to", "2026-01-03T00:00Z")
BACK = ("--from", "2026-01-03T00:00Z", "--to", "2026-01-01T00:00Z")
VERBS = [
    *(
        (verb, coin, *AT_T0, said)
        for verb in ("map", "coverage", "scenarios", "joint-map")
        for coin, said in (("BTX", "near it: BTC"), ("", "is not in this lake"))
    ),
    *(
        (verb, "BTC", "--at", text, said)
        for verb in ("map", "coverage", "scenarios", "joint-map")
        for text, said in (
            ("2026-01-02T00:00", "if it is UTC, write it as 2026-01-02T00:00:00Z"),
            ("yesterday", "write it as 2026-02-05T12:00Z"),
            ("", "write it as 2026-02-05T12:00Z"),
            ("infinity", "write it as 2026-02-05T12:00Z"),
            ("9999-01-01T00:00Z", "years are 2000 to 2199"),
        )
    ),
    *(
        ("map", "BTC", *AT_T0, "--width", width, "use a number from 0.0001 to 100")
        for width in ("0", "-1", "nan", "inf", "101")
    ),
    ("map", "BTC", *AT_T0, "--width", "a", "is not a valid float"),
    *(
        ("scenarios", "BTC", *AT_T0, "--pct", pct, "use whole numbers from 1 to 50")
        for pct in ("0", "51", "2.5", "-5", "", "5,,6", "nan", "٥")
    ),
    ("scenarios", "BTC", *AT_T0, "--pct", "0,5,51", "--pct '0', '51' is not allowed"),
    *(
        ("joint-map", "BTC", *AT_T0, *wrong, said)
        for wrong, said in (
            (("--width", "0"), "use 0.0001 to 100"),
            (("--width", "nan"), "use 0.0001 to 100"),
            (("--beta", "ETH"), "write it as ETH=1.2"),
            (("--beta", "BTC=99"), "use -10 to 10"),
            (("--beta", "BTC=nan"), "use -10 to 10"),
            (("--beta", "BTX=1"), "is not in this lake"),
            (("--others", "inf"), "use -10 to 10"),
        )
    ),
    ("changes", "BTX", *OVER, "near it: BTC"),
    (
        "changes",
        "BTC",
        *BACK,
        "to_at 2026-01-01 00:00:00+00 is not allowed; use a moment after from",
    ),
    ("changes", "BTC", *OVER, "--width", "-1", "use a number from 0.0001 to 100"),
    ("changes", "BTC", "--from", "x", "--to", "y", "write it as 2026-02-05T12:00Z"),
    ("risk", "nope", *AT_T0, "use all, shrimp, fish"),
    ("risk", "", *AT_T0, "use all, shrimp, fish"),
    ("risk", "all", "--at", "x", "write it as 2026-02-05T12:00Z"),
    ("risk", "all", *AT_T0, "--threshold", "0", "use a number above 0, up to 100"),
    ("risk", "all", *AT_T0, "--threshold", "nan", "use a number above 0, up to 100"),
    *(
        (verb, *wrong, said)
        for verb in ("flow", "cascades")
        for wrong, said in (
            (("BTX", *OVER), "near it: BTC"),
            (("", *OVER), "name one, as BTC"),
            (("BTC", *BACK), "use a moment after"),
            (("BTC", "--from", "2026-01-01", "--to", "y"), "has no time zone"),
        )
    ),
    *(
        ("flow", "BTC", *OVER, "--every", text, "write 30s, 15m, 1h or 1d")
        for text in ("0s", "-1h", "1mo", "", "367d", "1.5h", "h", "٣h")
    ),
    ("survival", *BACK, "use a moment after"),
    ("survival", "BTX", *OVER, "near it: BTC"),
    ("survival", *OVER, "--by", "age", "is not one of"),
    ("report", "--coin", "BTX", "near it: BTC"),
    ("report", "--at", "x", "write it as 2026-02-05T12:00Z"),
    ("sql", "", "one statement, a SELECT"),
    ("sql", "select 1; select 2", "one statement, a SELECT"),
    ("sql", "selec 1", "syntax error"),
    ("sql", "from nowhere", "nowhere"),
    ("compact", "--table", "nope", "nope"),
    ("compact", "--from", "x", "does not match"),
    ("compact", "--grace", "x", "x"),
    ("marts", "--from", "x", "does not match"),
    ("gaps", "--table", "nope", "nope"),
    ("check", "--freshness", "--table", "nope", "nope"),
    ("check", "--max-age", "x", "x"),
]


@pytest.mark.parametrize(
    "words", VERBS, ids=[" ".join((*case[:-1],)).replace("2026-01", "") for case in VERBS]
)
def test_the_command_line_refuses_in_one_line(lake, words):
    *args, said = words
    assert said in refused(run(*args, lake=lake))
