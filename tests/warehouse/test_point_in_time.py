"""The future cannot change the past: what comes later never changes an answer.

Of one market (tests/warehouse/whole_market.py) as much as was known at a moment is shown, and
then some of what came after: rows, publications, corrections.  Each answer must stay.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import pytest

from tests.effort import THOROUGH
from tests.rows import T0, account, batch, position, snapshot
from tests.warehouse import market_rows, shown_market, whole_market
from tests.warehouse.every_macro import AT, EVERY, UNTIL
from warehouse import ask, catalog, cohorts, flow, open_lake
from warehouse.contracts.tables import ACCOUNTS, ASSET_CONTEXTS, POSITIONS, SNAPSHOTS
from warehouse.joint_map import joint_map
from warehouse.marts.refresh import refresh
from warehouse.store import Lake, land
from warehouse.survival.ask import survival

HOUR = timedelta(hours=1)
MOMENTS, SUBSETS = (12, 5) if THOROUGH else (1, 2)
# What is wrong with a window is found when somebody looks, mostly after it: of a span that is
# over, incidents_at says what is known today.
NOT_KNOWABLE = {"incidents_at"}


class Moment(NamedTuple):
    """What is asked for, and how."""

    at: object
    knowable: bool

    @property
    def asked(self):
        return {
            "at": self.at,
            "knowable": self.knowable,
            "since": self.at - 40 * HOUR,
            "earlier": self.at - 12 * HOUR,
        }


def moments(knowable, count):
    """Return moments of rows, and moments just before and after; a day comes after each."""
    draw = random.Random(f"{knowable}")
    edges = [timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1)]
    return [
        Moment(T0 + (46 + draw.randrange(20) / 2) * HOUR + draw.choice(edges), knowable)
        for _ in range(count)
    ]


def answer(con, query, moment):
    asked = {name: value for name, value in moment.asked.items() if f"${name}" in query}
    return sorted(map(repr, con.sql(query, params=asked).fetchall()))


PYTHON: dict[str, Callable] = {
    "joint_map": lambda con, one: joint_map(con, "BTC", one.at, knowable=one.knowable),
    "map_coverage": lambda con, one: ask.map_coverage(con, "BTC", one.at, one.knowable),
    "liquidation_map": lambda con, one: ask.liquidation_map(
        con, "BTC", one.at, 1.0, one.knowable
    ),
    "liquidation_risk": lambda con, one: cohorts.liquidation_risk(
        con, "all", one.at, one.knowable
    ),
    "map_changes": lambda con, one: cohorts.map_changes(
        con, "BTC", one.asked["earlier"], one.at, 1.0, one.knowable
    ),
}
PYTHON_UNTIL: dict[str, Callable] = {
    "survival": lambda con, one: survival(
        con, one.asked["since"], one.at, knowable=one.knowable
    ),
    "liquidation_flow": lambda con, one: flow.liquidation_flow(
        con, "BTC", one.asked["since"], one.at, HOUR, one.knowable
    ),
    "cascades": lambda con, one: flow.cascades(
        con, "BTC", one.asked["since"], one.at, one.knowable
    ),
}


def told(made):
    """Return an answer of Python as text, rows in any order."""
    return [
        sorted(map(repr, one.to_pylist())) if hasattr(one, "to_pylist") else repr(one)
        for one in made
    ]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(con, whole_market.made())
        yield con


def changed(con, moment, asked, python, until):
    """Return which answers change when some of what came later is shown, and which are not."""
    shown_market.show(con, moment.at, moment.knowable, until=until)

    def answers():
        out = {name: answer(con, query, moment) for name, query in asked.items()}
        return out | {f"{name}()": told(call(con, moment)) for name, call in python.items()}

    before = answers()
    found = set()
    for seed in range(SUBSETS):
        shown_market.show(con, moment.at, moment.knowable, seed, until)
        after = answers()
        found |= {name for name in before if after[name] != before[name]}
    return found, {name for name, rows in before.items() if not rows}


def test_every_macro_is_asked():
    assert set(EVERY) == {made.name for made in catalog.definitions("table macro")}


@pytest.mark.parametrize("knowable", [False, True])
@pytest.mark.parametrize("kind", ["at", "until"])
def test_nothing_that_came_later_changes_an_answer(con, knowable, kind):
    asked, python = (AT, PYTHON) if kind == "at" else (UNTIL, PYTHON_UNTIL)
    if knowable:
        asked = {name: query for name, query in asked.items() if name not in NOT_KNOWABLE}
    for moment in moments(knowable, MOMENTS):
        found, empty = changed(con, moment, asked, python, kind == "until")
        assert not found, moment
        assert empty <= {"levels_at"}, moment


# Leaks of several kinds: what is asked, where one is planted, what becomes of what.
LEAKS = [
    ("liquidation_map", "snapshot_at", "s.snapshot_ts <= q.at_asked", "true"),
    ("liquidation_clusters", "stands", 'known_ts <= "at"', "true"),
    ("positions_at", "stands", 'coalesce(superseded_ts > "at", true)', "superseded_ts is null"),
    ("positions_at_each", "snapshot_at", "s.snapshot_ts <= q.at_asked", "true"),
    ("account_segments", "stands", 'coalesce(since_ts <= "at", true)', "true"),
    ("context_asof", "context_asof", "context_ts <= h.at_asked", "context_ts >= h.at_asked"),
    ("candle_asof", "candle_asof", "bar_length(interval_) as", "interval 0 second as"),
    ("book_asof", "book_asof", "b.book_ts <= h.at_asked", "true"),
    ("account_profits", "account_profits", "f.time_ts <= d.at_asked", "true"),
    ("liquidations_between", "liquidations_between", "f.time_ts < d.until_asked", "true"),
    ("liquidation_flow", "stands", 'known_ts <= "at"', "true"),
    ("position_spells", "position_spells", "s.snapshot_ts < d.until_asked", "true"),
]


@pytest.mark.parametrize(
    ("asked", "macro", "whole", "leaky"), LEAKS, ids=[f"{leak[0]}-{leak[1]}" for leak in LEAKS]
)
def test_a_leak_would_be_seen(con, asked, macro, whole, leaky):
    body = next(made for made in catalog.definitions() if made.name == macro)
    assert whole in body.body
    con.execute(catalog._statement(body._replace(body=body.body.replace(whole, leaky))))
    try:
        until = asked in UNTIL
        seen = any(
            changed(con, moment, {asked: EVERY[asked]}, {}, until)[0]
            for knowable in (True, False)
            for moment in moments(knowable, 5)
        )
    finally:
        con.execute(catalog._statement(body))
    assert seen


# Of a series: whether its rows are of what was knowable at their own moment, not at its end.
SERIES = {
    "liquidation_rates": False,
    "liquidation_flow": False,
    "cascade_scenarios_between": True,
    "leverage_regime_between": True,
    "liquidation_heatmap": True,
}


@pytest.mark.parametrize("name", SERIES)
def test_a_row_of_a_series_uses_nothing_from_after_its_time(con, name):
    """By what was knowable too, where a row is of its own moment and not of the span's end."""
    shown_market.show(con, T0 + market_rows.HOURS * HOUR, knowable=False)
    # 26 hours are two steps of 13: the shorter span ends where a row does.
    for knowable in {False, SERIES[name]}:
        until = moments(knowable, 1)[0].at
        cut = until - 40 * HOUR + 26 * HOUR
        whole, part = (
            of_their_moment(series(con, EVERY[name], end, knowable, until), knowable)
            for end in (until, cut)
        )
        assert part
        assert [row for row in whole if row["ts"] < cut] == part


def of_their_moment(rows, knowable):
    """Leave out what a heatmap says as of its end: what was liquidated, of what is knowable."""
    if not knowable or "liquidated_long" not in rows[0]:
        return rows
    rows = [row for row in rows if row["positions"]]
    return [{name: row[name] for name in row if "liquidated" not in name} for row in rows]


def series(con, query, end, knowable, until):
    """Ask for the span of ``until`` that ends at ``end``."""
    asked = Moment(until, knowable).asked | {"at": end}
    relation = con.sql(
        f"{query} order by all",
        params={name: value for name, value in asked.items() if f"${name}" in query},
    )
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


BINNED = (
    "from liquidation_map($coin, $at, knowable := $knowable)",
    "from liquidation_heatmap($coin, $at::timestamptz - interval 9 hours, $at, "
    "every := interval 3 hours, knowable := $knowable)",
)
LEVELS = "from levels_at($coin, $at, 0.5, null, knowable := $knowable)"


@pytest.mark.slow
def test_maps_binned_ahead_know_no_more_than_their_rows(tmp_path):
    """Levels of a lake that holds what came later, and of one that does not yet."""
    rows = whole_market.made(2)
    at = T0 + 49 * HOUR
    lakes = {}
    for name, later in (("then", False), ("now", True)):
        lakes[name] = Lake.at(tmp_path / name)
        for table in market_rows.HELD:
            some = [
                row.values
                for row in rows[table.name]
                if row.since_ts is None and (later or row.values[table.time] <= at)
            ]
            land(lakes[name], table, batch(table, some), "all")
        assert refresh(lakes[name], since=(at - 24 * HOUR).date()).rows > 100
    with open_lake(lakes["then"]) as then, open_lake(lakes["now"]) as now:
        binned = 0
        for hours, coin, knowable in product((0, 4, 20), ("BTC", "xyz:GOLD"), (False, True)):
            asked = {"coin": coin, "at": at - hours * HOUR, "knowable": knowable}
            for query in BINNED:
                found = [rounded(con.sql(query, params=asked)) for con in (then, now)]
                bare = raw(now, query, asked)
                assert found == [bare, bare], asked
            binned += len(now.sql(LEVELS, params=asked).fetchall())
    assert binned > 20


def rounded(relation):
    return sorted(
        repr([f"{value:.9g}" if isinstance(value, float) else value for value in row])
        for row in relation.fetchall()
    )


def raw(con, query, asked):
    """Ask the rows, as if nothing had been binned ahead."""
    con.execute("create temp table kept as from promised.levels_days")
    con.execute("delete from promised.levels_days")
    found = rounded(con.sql(query, params=asked))
    con.execute("insert into promised.levels_days from kept; drop table kept")
    return found


def test_a_mark_published_late_is_not_known_before(tmp_path):
    """A sweep that saw nothing of a coin takes its mark from a context, published later."""
    for hour, holder, held in ((1, 1, True), (2, 2, False)):
        end = T0 + hour * HOUR
        about = {"scope": "hyperliquid", "known_ts": end}
        rows = [position("BTC", 1, 1.0, 100.0, 80.0, snapshot_ts=end)] * held
        asked = market_rows.row_of(
            ACCOUNTS,
            **about,
            state_ts=end,
            sweep_ts=end,
            account=account(holder),
            positions=int(held),
        )
        told = snapshot(end, rows, complete=False, accounts_asked=1, accounts_failed=0)
        for table, some in ((ACCOUNTS, [asked]), (POSITIONS, rows), (SNAPSHOTS, [told])):
            land(tmp_path, table, batch(table, some), f"test-{hour}")
    late = {"context_ts": T0 + 1.5 * HOUR, "known_ts": T0 + 9 * HOUR}
    context = market_rows.row_of(
        ASSET_CONTEXTS, venue="hyperliquid", coin="BTC", mark_px=90.0, **late
    )
    land(tmp_path, ASSET_CONTEXTS, batch(ASSET_CONTEXTS, [context]), "test")
    assert refresh(tmp_path).rows == 2
    with open_lake(tmp_path) as con:
        query = "select current_px from liquidation_map('BTC', $at, knowable := $knowable)"

        def mark(hours, knowable):
            asked = {"at": T0 + hours * HOUR, "knowable": knowable}
            return con.sql(query, params=asked).fetchall()[0][0]

        assert [mark(3, True), mark(3, False), mark(9, True)] == [100.0, 90.0, 90.0]
