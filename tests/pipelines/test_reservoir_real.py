from datetime import UTC, date, datetime

import polars as pl
import pytest

from pipelines.steps.positions import land_reservoir
from tests.pipelines.data_reservoir import rows
from warehouse import open_lake


@pytest.fixture(scope="module")
def real_lake(real, tmp_path_factory):
    lake = tmp_path_factory.mktemp("real")
    land_reservoir(str(real), lake, date(2026, 2, 5), date(2026, 2, 7))
    return lake


def test_real_rows_land_whole(real, real_lake):
    files = sorted(
        real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-0[56]/*")
    )
    held = sum(pl.read_parquet(file).height for file in files)
    assert rows(real_lake, "select count(*) from positions") == [(held,)]
    assert rows(real_lake, "select count(*) from snapshots") == [(len(files),)]


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE"])
@pytest.mark.parametrize("at", ["2026-02-05T12:00Z", "2026-02-06T00:00Z"])
def test_real_scenarios_agree_with_sums_by_hand(real, real_lake, coin, at):
    from warehouse import ask

    moment = ask.moment(at)
    files = real.glob("hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp/*/*.parquet")
    stamps = {int(file.stem.partition("_")[2]): file for file in files}
    newest = max(ms for ms in stamps if ms <= moment.timestamp() * 1000)
    book = pl.read_parquet(stamps[newest], hive_partitioning=False).filter(market=coin)
    mark = (book["notional"] / book["size"].abs()).median()
    with open_lake(real_lake) as con:
        answer = ask.cascade_scenarios(con, coin, moment, [5, 10, 15])
        cells = ask.liquidation_map(con, coin, moment)
    for row in answer.rows:
        got = dict(zip(answer.columns, row, strict=True))
        assert got["snapshot_ts"] == datetime.fromtimestamp(newest / 1000, UTC)
        assert got["current_px"] == pytest.approx(mark)
        px, down = pl.col("liquidation_price"), got["direction"] == "down"
        reached = book.filter(
            (pl.col("size") > 0) & (px >= mark * (1 - got["pct"] / 100))
            if down
            else (pl.col("size") < 0) & (px <= mark * (1 + got["pct"] / 100))
        )
        assert got["positions"] == reached.height
        assert got["notional"] == pytest.approx(
            (reached["size"].abs() * reached["liquidation_price"]).sum()
        )
    whole = (book["size"].abs() * book["liquidation_price"]).sum()
    notional = cells.columns.index("notional")
    assert sum(row[notional] for row in cells.rows) == pytest.approx(whole)
