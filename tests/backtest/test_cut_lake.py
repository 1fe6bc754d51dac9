from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from backtest.proof.cut_lake import HISTORY, READ, CutLake
from backtest.proof.worlds import KINDS, OPENED, SCRAMBLED, TRUNCATED, UNPUBLISHED, Pin, World
from tests.backtest.small_lake import at, land_fills, land_snapshot
from tests.rows import T0
from tests.warehouse import shown_market, whole_market
from tests.warehouse.every_macro import AT, UNTIL
from tests.warehouse.test_point_in_time import NOT_KNOWABLE, Moment, answer
from warehouse import open_lake
from warehouse.contracts.tables import CANDLES
from warehouse.marts.refresh import refresh
from warehouse.store.asks import Ask, record
from warehouse.store.lake import Lake

HOUR = timedelta(hours=1)
CUT = T0 + 52 * HOUR
QUARTER = np.timedelta64(900_000_000, "us")
PIN = Pin("BTC", "hyperliquid", "test", ("15m",), QUARTER, "test", "test")


def world(kind, *, knowable=True, live_flow=False, cut=CUT, seed=1):
    moment = np.datetime64(cut.replace(tzinfo=None), "us")
    return World(kind, 0, moment, 100.0, seed, knowable, live_flow, PIN)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(con, whole_market.made())
        shown_market.show(con, T0 + 10_000 * HOUR, False)
        beneath(con)
        yield con


def beneath(con):
    """Let the tables be read through the views that name a lake's files, as in any lake."""
    for table in READ:
        columns = ", ".join(f"part.{name}" for name in table.promised.names)
        spans = "part.since_ts, part.superseded_ts"
        con.execute(
            f"create or replace view listed.{table.name} as select {columns} "
            f"from shown.{table.name} as part where part.superseded_ts is null; "
            f"create or replace view listed.{table.name}_versions as "
            f"select {columns}, {spans} from shown.{table.name} as part; "
            f"create or replace view {table.name} as "
            f"select {columns} from listed.{table.name} as part; "
            f"create or replace view {table.name}_versions as "
            f"select {columns}, {spans} from listed.{table.name}_versions as part"
        )
    con.execute("create or replace view parts as from listed.parts")


@pytest.fixture(scope="module")
def lake(con):
    con.execute(
        "create or replace table promised.parts as "
        "select * exclude (row_number) replace (max_ts - interval 59 minute as min_ts) "
        "from told.parts"
    )
    return CutLake(con)


def rows(con, name, where="true"):
    return con.sql(f"from {name} where {where} order by all").fetchall()


def count(con, name, where):
    ((found,),) = con.sql(f"select count(*) from {name} as part where {where}").fetchall()
    return found


@pytest.mark.parametrize("knowable", [True, False])
@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_nothing_from_after_the_cut_is_left(con, lake, table, knowable):
    late = {table.name: f"part.{table.time} > $cut", f"{table.name}_versions": "false"}
    if table is CANDLES:  # but the empty bar
        late[table.name] = "part.start_ts > $cut or part.start_ts = $cut and high_px > low_px"
    if knowable:
        late[f"{table.name}_versions"] = "part.since_ts > $cut or part.known_ts > $cut"
        if table.name not in HISTORY:
            late[table.name] += " or part.known_ts > $cut"
    late[f"{table.name}_versions"] += f" or part.{table.time} > $cut"
    cut = f"'{CUT.isoformat()}'::timestamptz"
    for name, where in late.items():
        lake.show(None)
        assert count(con, name, where.replace("$cut", cut)) or table.name == "incidents"
        lake.show(world(TRUNCATED, knowable=knowable))
        assert count(con, name, where.replace("$cut", cut)) == 0
        assert count(con, name, "true") or table.name == "incidents"


@pytest.mark.parametrize("kind", [SCRAMBLED, OPENED])
@pytest.mark.parametrize(
    "table", [table for table in READ if table.name != "incidents"], ids=lambda one: one.name
)
def test_what_came_before_the_cut_stays_and_what_came_after_is_other(con, lake, table, kind):
    ended = f"{table.time} + bar_length(interval)" if table is CANDLES else table.time
    cut = f"'{CUT.isoformat()}'::timestamptz"
    before, after = f"{ended} <= {cut}", f"{ended} > {cut}"
    name = f"{table.name}_versions"
    lake.show(None)
    early, late = rows(con, name, before), rows(con, name, after)
    lake.show(world(kind, knowable=False))
    assert rows(con, name, before) == early
    changed = rows(con, name, after)
    assert len(changed) == len(late)
    assert changed != late
    lake.show(world(kind, knowable=False, seed=2))
    assert rows(con, name, after) != changed


def test_a_late_publication_is_garbage_where_only_the_knowable_counts(con, lake):
    cut = f"'{CUT.isoformat()}'::timestamptz"
    where = f"snapshot_ts <= {cut} and known_ts > {cut}"
    lake.show(None)
    held = rows(con, "positions_versions", where)
    assert held
    lake.show(world(SCRAMBLED, knowable=False))
    assert rows(con, "positions_versions", where) == held
    lake.show(world(SCRAMBLED))
    assert rows(con, "positions_versions", where) != held


@pytest.mark.parametrize("kind", [TRUNCATED, SCRAMBLED, OPENED])
def test_a_context_published_late_tells_a_rule_nothing_and_still_charges(con, lake, kind):
    cut = f"'{CUT.isoformat()}'::timestamptz"
    late = f"context_ts <= {cut} and known_ts > {cut}"

    def said(what):
        return con.sql(f"select {what} from asset_contexts where {late}").fetchall()

    rules, charged = "count(open_interest) + count(mark_px)", "count(*), sum(oracle_px)"
    lake.show(None)
    told = said(charged)
    assert said(rules) != [(0,)]
    lake.show(world(kind))
    assert (said(charged), said(rules)) == (told, [(0,)])
    for other in (world(kind, knowable=False), world(kind, live_flow=True)):
        lake.show(other)
        assert said(rules) != [(0,)]


@pytest.mark.parametrize("kind", [TRUNCATED, SCRAMBLED, OPENED])
def test_a_fill_published_late_tells_a_rule_nothing_and_has_still_traded(con, lake, kind):
    """What happened within a bar is told by its trades; who was liquidated is not."""
    cut = f"'{CUT.isoformat()}'::timestamptz"
    late = f"time_ts <= {cut} and known_ts > {cut}"

    def said(what):
        return con.sql(f"select {what} from fills where {late}").fetchall()

    rules = "count(liquidation_method) + count(liquidated_account) + count(direction)"
    traded = "count(*), sum(px * size), count_if(is_buy)"
    lake.show(None)
    told = said(traded)
    assert said(rules) != [(0,)]
    lake.show(world(kind))
    assert (said(traded), said(rules)) == (told, [(0,)])
    for other in (world(kind, knowable=False), world(kind, live_flow=True)):
        lake.show(other)
        assert said(rules) != [(0,)]


def test_what_is_not_published_is_gone_but_the_bars_that_are_traded_on(con, lake):
    """Of a venue that is replayed the bars are seen live; of no other, nor of other coins."""
    cut = f"'{CUT.isoformat()}'::timestamptz"
    of_pin = "coin = 'BTC' and venue = 'hyperliquid' and source = 'test' and interval = '15m'"
    late = f"known_ts > {cut}"
    heard = set()
    for table in READ:
        for name in (table.name, f"{table.name}_versions"):
            # The empty bar is known at the cut.
            lake.show(world(TRUNCATED, knowable=False))
            early = count(con, name, late)
            lake.show(world(UNPUBLISHED))
            bars = f" and not ({of_pin})" if name == "candles" else ""
            assert count(con, name, late + bars) == 0, name
            if early:
                heard.add(name)
    assert {"positions", "fills", "funding", "order_books", "asset_contexts"} <= heard
    lake.show(world(TRUNCATED))
    traded = rows(con, "candles", of_pin)
    lake.show(world(UNPUBLISHED))
    assert rows(con, "candles", of_pin) == traded
    lake.show(world(UNPUBLISHED, live_flow=True))
    assert count(con, "funding", late)
    assert count(con, "positions", late) == 0


def test_a_scrambled_bar_is_one_that_could_have_been(con, lake):
    for kind in (SCRAMBLED, OPENED):
        lake.show(world(kind, cut=T0 + 45 * HOUR))
        bars = con.sql("select open_px, high_px, low_px, close_px from candles").fetchnumpy()
        low = np.minimum(bars["open_px"], bars["close_px"])
        assert (bars["low_px"] <= low).all()
        assert (bars["high_px"] >= np.maximum(bars["open_px"], bars["close_px"])).all()
        assert (bars["low_px"] > 0).all()


def test_only_the_open_of_the_bar_at_the_cut_is_kept(con, lake):
    told = {}
    for kind in (None, SCRAMBLED, OPENED):
        lake.show(kind and world(kind))
        at_cut, *later = con.sql(
            "select open_px, close_px from candles where start_ts >= $cut and coin = 'BTC' "
            "and interval = '15m' and source = 'test' order by start_ts",
            params={"cut": CUT},
        ).fetchall()
        told[kind] = [*at_cut, later]
    (opened, closed, later), (other_open, *_), (kept, *rest) = told.values()
    assert kept == opened != other_open
    assert closed != rest[0]
    assert later != rest[1]


# What a backtest asks.
READ_FROM = ("snapshot_at", "positions_at", "liquidation_clusters", "liquidation_flow")


@pytest.fixture(scope="module")
def changed(con, lake):
    """Return the macros whose answers of at or before the cut differ in a world.

    What the lake says as it is is asked once for all worlds.
    """

    @cache
    def told(kind, questions, knowable):
        lake.show(kind and world(kind, knowable=knowable))
        return [answer(con, query, moment) for _, query, moment in questions]

    def of(kind, knowable, names=None):
        questions = asked(knowable, names)
        as_it_is = told(None, questions, knowable)
        assert any(as_it_is)
        cut = told(kind, questions, knowable)
        every = zip(questions, as_it_is, cut, strict=True)
        return {name for (name, *_), one, other in every if one != other}

    return of


def asked(knowable, names):
    """Return what macros are asked: their name, the query, and the moment."""
    return tuple(
        (name, query, Moment(at, knowable))
        for some, at in ((AT, CUT), (UNTIL, CUT), (AT, CUT - 3.5 * HOUR))
        for name, query in some.items()
        if names is None or name in names
        if not (knowable and name in NOT_KNOWABLE)
    )


@pytest.mark.parametrize("knowable", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_backtests_ask_is_answered_alike_before_the_cut(changed, kind, knowable):
    assert changed(kind, knowable, READ_FROM) == set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_macro_answers_otherwise_before_the_cut(changed, kind):
    assert changed(kind, True) == set()


def test_the_ledger_ends_at_the_cut(tmp_path):
    """An hour that was published later is gone; one told as it happened is held to the cut."""
    cut = at(10.5)
    for hour in (8, 9, 10, 11):
        land_fills(tmp_path, hour, known=12 if hour == 9 else None)
    asks = [
        Ask("fills", "market", at(hour).date(), hour, "failed", "no answer") for hour in (7, 20)
    ]
    record(Lake.at(tmp_path), asks, at(100))
    with open_lake(tmp_path) as con:
        lake = CutLake(con)
        told = {}
        for knowable in (True, False):
            lake.show(world(TRUNCATED, knowable=knowable, cut=cut))
            lines = con.sql("select part, max_ts, known_ts from parts order by part").fetchall()
            told[knowable] = {part[-2:]: (held, known) for part, held, known in lines}
            assert con.sql("select hour from asks").fetchall() == [(7,)]
    assert set(told[True]) == {"08", "10"}
    assert set(told[False]) == {"08", "09", "10"}
    assert told[True]["10"] == (cut, cut)  # its only fill comes at the end of the hour
    assert told[False]["09"][1] == at(12)
    assert told[True]["08"][0] == told[True]["08"][1] < at(9)


def test_maps_that_were_binned_ahead_do_not_answer_in_their_rows_place(tmp_path):
    land_snapshot(tmp_path, 0, [("BTC", 1.0, 90.0)])
    refresh(tmp_path)
    query = "select * from liquidation_map('BTC', $at)"
    with open_lake(tmp_path) as con:
        assert con.sql("select 1 from liquidation_levels").fetchall()
        before = con.sql(query, params={"at": at(1)}).fetchall()
        lake = CutLake(con)
        lake.show(world(SCRAMBLED, cut=at(-1)))
        assert not con.sql("select 1 from liquidation_levels").fetchall()
        assert con.sql(query, params={"at": at(1)}).fetchall() != before
        lake.show(world(SCRAMBLED, cut=at(1)))
        assert con.sql(query, params={"at": at(1)}).fetchall() == before
