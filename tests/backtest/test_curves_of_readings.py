"""The curve of a reading is of all coins, those that lack it included."""

from datetime import UTC, datetime
from types import SimpleNamespace

import duckdb
import pytest

from backtest.report.facts import _equity

ROWS = """
create table backtest_runs as select *, date '2026-01-02' as day from (values
    ('a', 'pessimistic'), ('a', 'drilled'), ('b', 'pessimistic')
) as run (run_id, bound);
create table backtest_equity as
select
    *, date '2026-01-02' as day, timestamptz '2026-01-02T01:00Z' as time_ts, 1.0 as close_px
from (values
    ('a', 'BTC', 'pessimistic', 900.0),
    ('a', 'BTC', 'drilled', 800.0),
    ('b', 'ETH', 'pessimistic', 1100.0)
) as row (run_id, coin, bound, equity)
"""
STUDY = {
    "start_ts": datetime(2026, 1, 2, tzinfo=UTC),
    "end_ts": datetime(2026, 1, 3, tzinfo=UTC),
}


def test_a_coin_that_lacks_a_reading_is_in_its_curve_too():
    with duckdb.connect() as con:
        con.execute(ROWS)
        named = SimpleNamespace(own=("a", "b"), base=())
        curves, _ = _equity(con, STUDY, named, 1000.0, shared=False)
    assert {key: curve.gain for key, curve in curves.items()} == {
        (True, "pessimistic"): pytest.approx([0.0]),
        (True, "drilled"): pytest.approx([-5.0]),
    }
