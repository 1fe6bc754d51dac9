"""Runs of backtests are told apart on the page of maps."""

import duckdb

from warehouse.report.backtest_facts import read_backtests

RUNS = """
create table backtest_runs as from (values
    ('aaaaaaaa', 'BTC', 'breakout', 'filter', 'pessimistic'),
    ('aaaaaaaa', 'BTC', 'breakout', 'filter', 'optimistic'),
    ('bbbbbbbb', 'BTC', 'breakout', 'filter', 'pessimistic'),
    ('bbbbbbbb', 'BTC', 'breakout', 'filter', 'optimistic'),
    ('bbbbbbbb', 'BTC', 'breakout', 'filter', 'drilled'),
    ('cccccccc', 'BTC', 'breakout', 'without map', 'pessimistic'),
    ('cccccccc', 'BTC', 'breakout', 'without map', 'drilled')
) as run (run_id, coin, strategy, variant, bound);
create table backtest_trades as select 'BTC' as coin;
create table backtest_equity as select 'BTC' as coin;
create table backtest_studies as
select '' as study_id, '' as strategy, '' as variant, '' as coins, '' as start_ts, '' as end_ts,
    '' as verdict
"""


def test_readings_of_one_run_stay_together_where_another_lacks_one():
    with duckdb.connect() as con:
        con.execute(RUNS)
        runs = read_backtests(con, ["BTC"]).runs
    labels = {label: set(rows["bound"]) for (label,), rows in runs.group_by("label")}
    assert labels == {
        "filter · aaaaaa": {"pessimistic", "optimistic"},
        "filter · bbbbbb": {"pessimistic", "optimistic", "drilled"},
        "without map": {"pessimistic", "drilled"},
    }
