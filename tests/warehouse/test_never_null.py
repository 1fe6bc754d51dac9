"""A column that the dictionary says is never null is not: of a market with every kind of row.

The cases under tests/sql are held to it too, each as it is asked (tests/sql/test_macros.py).
"""

from datetime import timedelta

import pytest

from tests.never_null import nulls, promised
from tests.rows import T0
from tests.warehouse import market_rows, shown_market, whole_market
from tests.warehouse.every_macro import EVERY
from warehouse import open_lake
from warehouse.catalog import definitions
from warehouse.dictionary import dictionary

AT = T0 + timedelta(hours=58)
ASKED = {
    "at": AT,
    "since": AT - timedelta(hours=40),
    "earlier": AT - timedelta(hours=12),
    "knowable": True,
}
VIEWS = {name: f"from {name}" for name in ("account_book", "liquidations", "segments")}
# Nobody bins ahead, nothing is held against the venue, and no rule is asked about, in a market
# without its nights.
ELSEWHERE = {"levels_at", "margin_error", "study_runs"}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(con, whole_market.made())
        shown_market.show(con, AT, True)
        yield con


@pytest.fixture(scope="module")
def never():
    return promised(dictionary())


def answer(con, query):
    asked = {key: ASKED[key] for key in ASKED if f"${key}" in query}
    return con.sql(query, params=asked).to_arrow_table()


def hold(con, never, asked):
    for name, query in asked.items():
        found = answer(con, query)
        assert found.num_rows or name in ELSEWHERE, name
        assert not nulls(found, never[name]), name


def test_of_tables_and_views_what_is_said_to_be_never_null_never_is(con, never):
    hold(con, never, {table.name: f"from {table.name}" for table in market_rows.HELD} | VIEWS)


@pytest.mark.slow
def test_of_macros_what_is_said_to_be_never_null_never_is(con, never):
    hold(con, never, EVERY)


def test_everything_that_is_not_landed_is_asked(never):
    made = {one.name for one in definitions() if one.kind != "macro"}
    assert set(VIEWS | EVERY) | ELSEWHERE == made
    assert made < set(never)


def test_a_column_that_is_null_after_all_is_found(con, never):
    found = answer(con, EVERY["map_coverage"])
    assert not nulls(found, never["map_coverage"])
    assert nulls(found, never["map_coverage"] | {"low_pct"}) == ["low_pct"]
