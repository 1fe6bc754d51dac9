"""A moment that is none, or not one alone, is refused; nothing is guessed of its zone."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.warehouse.bad_questions import ASKED, HOUR, NOW, a_market, refusal, rows, some
from tests.warehouse.every_macro import AT, EVERY, UNTIL
from warehouse.catalog import definitions

SPAN = [name for name in UNTIL if name not in ("incidents_at",)]
PAIR = ["map_moves", "map_changes", "mass_decay"]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with a_market(tmp_path_factory.mktemp("lake")) as con:
        yield con


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


BY = sorted(one.name for one in definitions("table macro") if "coin_by" in one.parameters)


@pytest.mark.parametrize("name", BY)
def test_the_moment_by_which_a_coin_is_known_names_its_zone_too(con, name):
    for written in some(*NAIVE.values()):
        said = refusal(con, f"{EVERY[name][:-1]}, coin_by := {written(NOW)})")
        assert re.match(
            r"coin_by 2026-01-.* has no time zone; if it is UTC, write it as ", said
        )
    said = refusal(con, f"{EVERY[name][:-1]}, coin_by := 'soon')")
    assert said == "coin_by soon is not allowed; use a moment, as 2026-02-05T12:00Z"
    later = f"{EVERY[name][:-1]}, coin_by := '2026-02-05T12:00Z')"
    assert rows(con, later) == rows(con, EVERY[name])


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
