"""What a lake tells of a period: incidents while trades were open, cascades, untrusted maps."""

from dataclasses import replace

import duckdb
import numpy as np

from backtest.card import LOOKBACK
from backtest.findings.cascade_study import cascades_of
from backtest.findings.find import Findings, find
from backtest.findings.reported import reported, untrusted
from backtest.placebos.play import play_placebos
from backtest.trials import Trials
from tests.backtest.made import At, planted, played_of, replay_of, tape_of, trade_of
from tests.backtest.test_findings import runs_of
from warehouse.catalog import open_lake


def told(windows, snapshots=()):
    """A catalog that knows no more than incidents and snapshots."""
    con = duckdb.connect()
    con.sql(
        "create table incidents (table_name text, subject text, start_ts timestamp, "
        "end_ts timestamp, check_name text, source text)"
    )
    for window in windows:
        con.execute("insert into incidents values (?, ?, ?, ?, 'c', 's')", window)
    con.sql(
        "create macro incidents_at(table_asked, coin, since, until) as table select * from "
        "incidents where table_name = table_asked and subject in ('all', coin)"
    )
    con.sql("create macro dex_of(coin) as 'hyperliquid'")
    con.sql("create table snapshots (trusted bool, scope text, snapshot_ts timestamptz)")
    for row in snapshots:
        con.execute("insert into snapshots values (?, ?, ?)", row)
    return con


def test_incidents_by_hand():
    """Trades of hours 3 to 5 and 50 to 52, which close at the ends of those bars."""
    run, other = runs_of(
        replay_of(96, [trade_of(3, 5), trade_of(50, 52)]), replay_of(96, [trade_of(3, 5)])
    )
    other = replace(other, bars=replace(other.bars, coin="ETH"))
    con = told(
        [
            ("candles", "BTC", "2026-01-02 06:00", "2026-01-02 07:00"),  # begins as it closes
            ("candles", "BTC", "2026-01-02 05:59", None),  # of one instant, while it is open
            ("candles", "BTC", "2026-01-02 01:00", "2026-01-02 03:00"),  # ends as it opens
            ("positions", "all", "2026-01-02 04:00", "2026-01-02 04:30"),  # of both coins
            ("positions", "ETH", "2026-01-03 04:00", "2026-01-09"),
            ("funding", "all", "2026-01-02 02:00", "2026-01-02 09:00"),
        ]
    )
    candles, positions, fills, funding, *_ = reported(con, [run, other])
    assert (candles.table, candles.windows, candles.trades) == ("candles", 3, 1)
    assert (positions.windows, positions.trades) == (2, 2)
    assert (fills.windows, fills.trades) == (0, 0)
    assert (funding.table, funding.windows, funding.trades) == ("funding", 1, 2)


def test_cascades_of_a_long_period_are_asked_for_in_stretches():
    """One begins in the last hour of the first stretch, and is told by the day after it."""
    con = duckdb.connect()
    con.sql(
        "create table begun as select unnest([timestamptz '2026-01-02 05:00+00', "
        "'2026-10-28 23:00+00', '2026-10-29 01:00+00', '2028-03-01 00:00+00']) as start_ts, "
        "unnest(['long', 'short', 'long', 'short']) as side"
    )
    con.sql(
        "create macro cascades(coin, since, until) as table select * from begun where "
        "start_ts >= since and start_ts < until - interval 2 hours "
        "and until - since <= interval 301 days"
    )
    edges = np.array(["2026-01-02", "2028-02-01"], "datetime64[us]")
    began, way = cascades_of(con, "BTC", *edges)
    assert began.astype("datetime64[D]").astype(str).tolist() == [
        "2026-01-02",
        "2026-10-28",
        "2026-10-29",
    ]
    assert way.tolist() == [-1, 1, -1]
    later = np.array(["2026-01-03", "2026-01-04"], "datetime64[us]")
    assert cascades_of(con, "BTC", *later)[0].size == 0


def test_a_lake_without_fills_has_no_cascade(tmp_path):
    close, rows = planted(4, 0.0, seed=1)
    played = played_of([tape_of(close)], At(rows=rows), draws=2)
    with open_lake(tmp_path) as con:
        found = find(played, play_placebos(played), Trials.of(np.zeros(1)), 0, con)
    assert found.cascades.events == 0
    assert set(found.cascades.mean) == {None}
    assert {one.windows for one in found.incidents} == {0}
    read = set(LOOKBACK) - {"snapshots", "accounts", "instruments", "incidents"}
    assert {one.table for one in found.incidents} == read
    assert found.untrusted == 0
    assert Findings.of_json(found.as_json()) == found


def test_untrusted_snapshots_of_the_period_and_the_coin_s_dex_are_counted():
    con = told(
        [],
        [
            (False, "hyperliquid", "2026-01-02 05:00+00"),
            (False, "all", "2026-01-02 06:00+00"),
            (True, "all", "2026-01-02 07:00+00"),
            (False, "other", "2026-01-02 05:00+00"),
            (False, "hyperliquid", "2026-01-06 00:00+00"),
        ],
    )
    assert untrusted(con, runs_of(replay_of(96))) == 2
