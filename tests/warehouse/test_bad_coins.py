"""A coin nobody had told of is an error of one line; where none is named, nothing is told."""

import random

import duckdb
import pytest

from tests.cli.inside import refused, run
from tests.effort import THOROUGH
from tests.rows import T0, land_snapshot, position
from tests.warehouse import shown_market, whole_market
from tests.warehouse.bad_questions import ASKED, HOUR, a_market, refusal, rows, some
from tests.warehouse.every_macro import EVERY, UNTIL
from tests.warehouse.test_export import plain
from warehouse import ask, catalog, open_lake
from warehouse.export import export_catalog
from warehouse.sandbox import select


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with a_market(tmp_path_factory.mktemp("lake")) as con:
        yield con


# An answer about a coin says nothing of one that is not named.  These say of its dex alone.
OF_A_DEX = {"snapshot_at", "states_at", "fill_hours", "incidents_at"}
WITHOUT_A_COIN = {name for name, query in EVERY.items() if "'BTC'" not in query}
# Of these too nothing is asked of the coin itself: all coins of its dex, what is binned ahead.
UNCHECKED = OF_A_DEX | WITHOUT_A_COIN | {"dex_positions_at", "levels_at"}
CHECKED = {
    name: query.replace("'BTC'", "$coin")
    for name, query in EVERY.items()
    if name not in UNCHECKED
} | {
    "position_spells": "from position_spells($since, $at, coin := $coin, knowable := $knowable)"
}


@pytest.mark.parametrize("name", sorted(set(EVERY) - OF_A_DEX - WITHOUT_A_COIN))
def test_without_a_coin_there_is_no_answer(con, name):
    assert rows(con, EVERY[name].replace("'BTC'", "null")) == []


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_an_unknown_coin_is_an_error_that_names_the_nearest(con, name):
    for coin in some("NOPE", "", "BTX"):
        for query in some(CHECKED[name], CHECKED[name].replace("from ", "select 1 from ", 1)):
            said = refusal(con, query, coin=coin)
            assert said.startswith(
                f"coin '{coin}' is not known by then; of 8 that are, near it: "
            )
    assert said.endswith(": BTC, ETH, xyz:GOLD")


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_it_is_one_where_nothing_is_held_too(con, name):
    """Nor is there a snapshot, a fill or a bar: a lake that knows a coin and has no row."""
    with open_lake(con.sql("select root from promised.lake").fetchall()[0][0]) as bare:
        assert rows(bare, CHECKED[name], coin="NOPE") is not None
        bare.execute("insert into promised.coins values ('BTC', $1::timestamptz, $1)", [T0])
        assert "of 1 that are, near it: BTC" in refusal(bare, CHECKED[name], coin="NOPE")
        rows(bare, CHECKED[name], coin="BTC")


def test_every_macro_of_a_coin_is_checked_or_says_why():
    takes = {
        made.name for made in catalog.definitions("table macro") if "coin" in made.parameters
    }
    assert takes - {"position_spells"} == set(EVERY) - WITHOUT_A_COIN
    assert takes == set(CHECKED) | OF_A_DEX | {"dex_positions_at", "levels_at"}


HOSTILE = [
    "x' or 1=1 --",
    "BTC\n; drop view positions",
    'a"b\x00\x1b[2J',
    "\u2028\u202e\x85",
    "{} {0} %s $at \\1 \\0",
    "x" * 10_000,
    "’é'" * 5_000,
]


@pytest.mark.parametrize("coin", HOSTILE, ids=range(len(HOSTILE)))
def test_what_was_asked_is_told_in_one_short_line(con, coin):
    for name in ("liquidation_map", "cascades"):
        said = refusal(con, CHECKED[name], coin=coin)
        assert len(said) < 160
        assert said.isprintable()
        assert said.endswith(("NEWC", "BTC", "ETH", "DOGE", "GOLD", "HYPE", "NEWF", "NEWI"))
    assert con.sql("select count(*) > 0 from positions").fetchall() == [(True,)]


def test_coins_of_the_lake_are_told_in_one_short_line_too(tmp_path):
    land_snapshot(tmp_path, [position("a\nb" + "c" * 999), position("x'; drop view coins")], T0)
    with open_lake(tmp_path) as con:
        said = refusal(con, "from positions_at('NOPE', $at)", at=T0)
        assert len(said) < 160
        assert said.isprintable()


def test_a_coin_is_a_column_of_whatever_name(con):
    """Not even a relation called coins, as it is natural to have, is taken for the lake's."""
    query = (
        "with coins as (select unnest($names) as coin) select coins.coin, count(p.side) > 0 "
        "from coins left join lateral (from positions_at({}, $at)) as p on true group by all"
    )
    for argument in ("coins.coin", "coin"):
        told = query.format(argument)
        assert sorted(rows(con, told, names=["BTC", "DOGE"])) == [
            ("BTC", True),
            ("DOGE", False),
        ]
        assert "'NOPE' is not known" in refusal(con, told, names=["BTC", "NOPE"])


def test_by_a_later_moment_it_may_be_known(con):
    """Moments before a coin was new are asked for one by one, and those after."""
    query = "select count(*) from positions_at('NEWC', $at, coin_by := $by)"
    before = T0 + 10 * HOUR
    assert rows(con, query, at=before, by=ASKED["at"]) == [(0,)]
    assert "'NEWC' is not known" in refusal(con, query, at=before, by=None)
    assert "'NOPE' is not known" in refusal(
        con, query.replace("NEWC", "NOPE"), at=before, by=ASKED["at"]
    )
    each = "select count(*) from positions_at_each('NEWC', [$at, $by])"
    assert rows(con, each, at=before, by=ASKED["at"]) == [(0,)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(con, whole_market.made())
        yield con


def told(con, query, at, knowable):
    """Return an answer, or the error, about a coin that is new and one that never is."""
    asked = {"at": at, "since": at - 20 * HOUR, "earlier": at - 9 * HOUR, "knowable": knowable}
    out = []
    for coin in ("NEWC", "NOPE"):
        given = {key: value for key, value in asked.items() if f"${key}" in query}
        try:
            out.append(
                sorted(map(repr, con.sql(query, params=given | {"coin": coin}).fetchall()))
            )
        except duckdb.InvalidInputException as error:
            out.append(str(error))
    return out


def changed(con, queries, hours, knowable):
    """Return the macros whose answer or error changes with what came later."""
    at, found = T0 + hours * HOUR, set()
    for until in (False, True):
        asked = {name: query for name, query in queries.items() if (name in UNTIL) == until}
        shown_market.show(con, at, knowable, until=until)
        before = {name: told(con, query, at, knowable) for name, query in asked.items()}
        for seed in (1, 2, 3):
            shown_market.show(con, at, knowable, seed, until)
            found |= {
                name
                for name, query in asked.items()
                if told(con, query, at, knowable) != before[name]
            }
    return found


# Before it is heard of, in the moment, and after; with knowable, 40 hours later or at 44.25.
MOMENTS = [(29, False), (30, False), (31, False), (43, True), (44.25, True), (45, True)]


QUICK = ("positions_at", "liquidations_between", "funding_asof")


@pytest.mark.parametrize(("hours", "knowable"), MOMENTS)
def test_no_row_of_the_future_makes_a_coin_known(shown, hours, knowable):
    assert changed(shown, {name: CHECKED[name] for name in QUICK}, hours, knowable) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "knowable"), MOMENTS)
def test_nor_does_one_for_any_macro(shown, hours, knowable):
    some_of = random.Random(hours).sample(sorted(CHECKED), 3)
    asked = CHECKED if THOROUGH else {name: CHECKED[name] for name in some_of}
    assert changed(shown, asked, hours, knowable) == set()


LEAKS = [
    (29, False, "<= moment", "is not null"),
    (43, True, "if(coalesce(knowable, true), told_known_ts, told_ts)", "told_ts"),
    (30, False, "+ to_microseconds(if(with_end, 0, 1))", ""),
]


@pytest.mark.parametrize(("hours", "knowable", "whole", "leaky"), LEAKS, ids=range(3))
def test_a_check_without_its_time_would_be_seen(shown, hours, knowable, whole, leaky):
    made = next(one for one in catalog.definitions() if one.name == "checked_coin")
    assert whole in made.body
    asked = {name: CHECKED[name] for name in ("positions_at", "liquidations_between")}
    shown.execute(catalog._statement(made._replace(body=made.body.replace(whole, leaky))))
    try:
        assert changed(shown, asked, hours, knowable)
    finally:
        shown.execute(catalog._statement(made))


def test_it_is_refused_however_a_lake_is_asked(lake, tmp_path):
    """By SQL, Python and a client without undertow, of a folder and of a bucket."""
    land_snapshot(lake, [position("BTC"), position("ETH")], T0)
    line = "coin 'BTX' is not known by then; of 2 that are, near it: BTC, ETH"
    query = f"from liquidation_map('BTX', '{T0.isoformat()}'::timestamptz)"
    with pytest.raises(duckdb.InvalidInputException, match=line):
        select(lake, query).fetchall()
    with open_lake(lake) as con, pytest.raises(duckdb.InvalidInputException, match=line):
        ask.liquidation_map(con, "BTX", T0)
    export_catalog(lake, tmp_path / "one.duckdb", T0)
    # Of a bucket a plain client reads no rows without an extension.
    if "://" in str(lake):
        query = f"select checked_coin('BTX', '{T0}'::timestamptz, true)"
    ((answer,),) = plain(tmp_path / "one.duckdb", [query])
    assert line in answer.replace("\\'", "'")


VERBS = [
    ("map", "BTX", "--at", "2026-01-02T01:00Z"),
    ("map", "BTX", "--at", "2026-01-02T01:00Z", "--json"),
    ("sql", "from positions_at('BTX', '2026-01-02T01:00Z')"),
    ("flow", "BTX", "--from", "2026-01-02T00:00Z", "--to", "2026-01-02T01:00Z"),
    ("report", "--coin", "BTX", "--to", "page.html"),
]


@pytest.mark.parametrize("verb", VERBS, ids=[" ".join(verb[:2]) for verb in VERBS])
def test_the_command_line_refuses_it_and_writes_nothing(tmp_path, verb, monkeypatch):
    monkeypatch.chdir(tmp_path)
    land_snapshot(tmp_path / "lake", [position("BTC")], T0)
    done = run(*verb, lake=tmp_path / "lake")
    assert (done.returncode, done.stdout) == (2, "")
    assert "coin 'BTX' is not known by then; of 1 that are, near it: BTC" in refused(done)
    assert [entry.name for entry in tmp_path.iterdir()] == ["lake"]
