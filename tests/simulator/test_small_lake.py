from datetime import UTC, date, datetime

import pytest

from pipelines.simulator.small_lake import small_lake
from warehouse import open_lake


@pytest.mark.slow
def test_a_small_lake_is_of_the_days_and_the_shock_that_were_asked_for(tmp_path):
    lake = small_lake(
        tmp_path,
        start=date(2025, 10, 10),
        days=1,
        shocks=["2025-10-10T12:00Z=-20%/10m"],
        accounts=30,
    )
    with open_lake(lake) as con:
        days = con.sql("select distinct day, source from snapshots").fetchall()
        assert days == [(date(2025, 10, 10), "simulated")]
        worst = con.sql(
            """
            select hour_ts
            from (
                select date_trunc('hour', start_ts) as hour_ts, low_px / open_px as fall
                from candles
                where coin = 'BTC'
            )
            order by fall
            limit 1
            """
        ).fetchall()
    assert worst == [(datetime(2025, 10, 10, 12, tzinfo=UTC),)]
