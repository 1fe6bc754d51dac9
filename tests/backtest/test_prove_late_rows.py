"""What was published late is no signal before, though an account is charged by it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

import backtest.prove
import backtest.tape
from backtest.bars import as_utc
from backtest.proof.worlds import KINDS
from tests.backtest import leaks
from tests.backtest.proving import LAST, asked, differs, proven
from tests.backtest.small_lake import (
    land_bars,
    land_book,
    land_context,
    land_funding,
    walk,
)
from warehouse.catalog import open_lake
from warehouse.contracts.tables import CANDLES, FUNDING
from warehouse.store import land, landing

slow = pytest.mark.slow
LATE = 48


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """A lake in which all is published two days after it happened, its bars too."""
    root = tmp_path_factory.mktemp("late")
    bars = walk(LAST)
    land_bars(root, bars, volume=1e5)
    land_bars(root, walk(LAST, seed=5), coin="ETH", volume=1e5)
    rates = np.random.default_rng(4).normal(0, 1e-4, LAST + 1)
    published = (
        (FUNDING, "time_ts", "BTC", "market-btc"),
        (CANDLES, "start_ts", "BTC", "hyperliquid-market-btc-1h"),
        (CANDLES, "start_ts", "ETH", "hyperliquid-market-eth-1h"),
    )
    land_funding(root, [float(rate) for rate in rates])
    with landing(root) as batches:
        for hour in range(LAST):
            px = bars[hour][0]
            size = 50.0 + float(rates[hour]) * 1e5
            land_book(
                batches, hour, [(px * 0.999, size)], [(px * 1.001, 50.0)], known=hour + LATE
            )
            land_context(
                batches,
                hour,
                oracle=px * (1 + float(rates[hour])),
                volume=1e7,
                known=hour + LATE,
            )
    with open_lake(root) as con:
        for table, time, coin, part in published:
            names = ", ".join(column.name for column in table.columns)
            rows = con.sql(
                f"select {names} from {table.name} where coin = $coin", params={"coin": coin}
            ).to_arrow_table()
            moved = [one + timedelta(hours=LATE) for one in rows[time].to_pylist()]
            place = rows.column_names.index("known_ts")
            kept = rows.cast(table.schema)
            kept = kept.set_column(place, table.schema.field("known_ts"), [moved])
            land(root, table, kept, part)
    return root


@slow
def test_an_honest_rule_passes_for_the_bars_it_trades_on_are_seen_live(late):
    found = proven(late, asked(leaks.LastBar()))
    assert found.trades > 0


EARLY = {
    "payments": "select max_by(rate, time_ts) from funding "
    "where coin = 'BTC' and time_ts < close_ts",
    "books": "select max_by(bids[1].size - asks[1].size, book_ts) from order_books "
    "where coin = 'BTC' and book_ts <= close_ts",
    "candles": "select max_by(close_px / open_px, start_ts) from candles "
    "where coin = 'ETH' and start_ts < close_ts",
    "oracle prices": "select max_by(oracle_px / 100, context_ts) from asset_contexts "
    "where coin = 'BTC' and context_ts <= close_ts",
}


def told_early(query):
    """Return a flow that knows rows from their own moment on, however late they came."""

    def read(lake, bars, *, knowable, honest=backtest.tape.read_flow):
        flow = honest(lake, bars, knowable=knowable)
        moments = [as_utc(moment) for moment in bars.end]
        told = lake.sql(
            f"select ({query}) as told from (select unnest($moments::timestamptz[]) "
            "as close_ts, unnest(range(len($moments::timestamptz[]))) as number) "
            "order by number",
            params={"moments": moments},
        ).fetchnumpy()["told"]
        rate = np.ma.filled(np.ma.asarray(told, float), np.nan)
        return replace(flow, funding_rate=rate)

    return read


@pytest.mark.parametrize(
    "what", ["payments", *(pytest.param(one, marks=slow) for one in EARLY if one != "payments")]
)
def test_what_was_published_late_and_used_early_is_caught(late, monkeypatch, what):
    monkeypatch.setattr(backtest.tape, "read_flow", told_early(EARLY[what]))
    found = differs(late, asked(leaks.Told()))
    assert (found.kind, found.what) == ("unpublished", "decision")


@slow
@pytest.mark.parametrize("what", EARLY)
def test_no_other_world_shows_it(late, monkeypatch, what):
    """An account is charged by these rows, so that the other worlds keep them."""
    monkeypatch.setattr(backtest.tape, "read_flow", told_early(EARLY[what]))
    monkeypatch.setattr(backtest.prove, "KINDS", KINDS[:3])
    proven(late, asked(leaks.Told()))


@slow
def test_who_hears_the_venue_live_may_use_it(late, monkeypatch):
    monkeypatch.setattr(backtest.tape, "read_flow", told_early(EARLY["payments"]))
    proven(late, asked(leaks.Told(), live_flow=True))
