from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipelines.sources.documented_tiers import documented_tiers, tiers_of
from pipelines.sources.errors import SourceError
from pipelines.sources.market_files import market_files, to_candles, to_funding, to_universe
from pipelines.steps.market import land_market
from warehouse.catalog import open_lake
from warehouse.contracts.table import ContractError

START = datetime(2026, 1, 5, 22, tzinfo=UTC)
HOURS = [START + timedelta(hours=n) for n in range(4)]


def candles(**changed):
    rows = {
        "timestamp": HOURS,
        "venue": "Binance",
        "coin": "BTC",
        "o": [100.0, 101.0, 102.0, 103.0],
        "h": 110.0,
        "l": 90.0,
        "c": 104.0,
        "v": [1.0, None, 0.0, 2.0],
    }
    return pl.DataFrame(rows | changed)


def funding(**changed):
    jitter = [START, START + timedelta(hours=1, milliseconds=6)]
    rows = {"timestamp": jitter, "venue": "hyperliquid", "coin": "BTC", "funding_rate": 1.25e-5}
    return pl.DataFrame(rows | changed)


def universe(*lines):
    head = "ts,name,markPx,indexPx,maxLeverage,openInterest,openInterestCoins,funding,volume24h"
    return "\n".join([head, *lines]) + "\n"


READING = "2026-01-05T22:10:00.5Z,BTC,100.0,100.1,40,1000.0,10.0,0.00125,5000.0"


@pytest.fixture
def root(tmp_path):
    """Folder above ``market``, with every file in it."""
    folder = tmp_path / "rows" / "market"
    folder.mkdir(parents=True)
    candles().write_parquet(folder / "candles.parquet")
    funding().write_parquet(folder / "funding_rates.parquet")
    interest = {"timestamp": HOURS, "venue": "hyperliquid", "coin": "BTC", "oi_usd": 7.0}
    pl.DataFrame(interest).write_parquet(folder / "open_interest.parquet")
    (folder / "universe.csv").write_text(universe(READING))
    return folder.parent


def rows_of(lake, table, columns="*"):
    with open_lake(lake) as con:
        return con.sql(f"select {columns} from {table} order by all").fetchall()


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_a_bar_is_known_when_it_has_ended_and_a_reading_at_its_own_instant(root, tmp_path):
    land_market(str(root), tmp_path / "lake")
    bars = rows_of(tmp_path / "lake", "candles", "venue, interval, start_ts, known_ts, volume")
    assert bars[0] == ("binance", "1h", HOURS[0], HOURS[1], 1.0)
    assert bars[1][4] is None
    rates = rows_of(tmp_path / "lake", "funding", "time_ts, known_ts, rate, period_hours")
    jittered = START + timedelta(hours=1, milliseconds=6)
    assert rates[1] == (jittered, jittered, 1.25e-5, 1.0)


def test_open_interest_and_universe_both_tell_of_contexts(root, tmp_path):
    land_market(str(root), tmp_path / "lake")
    columns = "source, mark_px, oracle_px, open_interest, open_interest_notional, funding_rate"
    contexts = rows_of(tmp_path / "lake", "asset_contexts", columns)
    assert contexts[:4] == [("market_files-open_interest", None, None, None, 7.0, None)] * 4
    assert contexts[4] == ("market_files-universe", 100.0, 100.1, 10.0, 1000.0, 1.25e-5)


def test_one_part_a_day_and_table_and_landing_twice_leaves_the_same_bytes(root, tmp_path):
    lake = tmp_path / "lake"
    landed = {one.table: one for one in land_market(str(root), lake)}
    first = bytes_of(lake)
    assert [path.parent.name for path in landed["candles"].files] == [
        "day=2026-01-05",
        "day=2026-01-06",
    ]
    assert {path.name for path in landed["asset_contexts"].files} == {
        "market_files-open_interest.parquet",
        "market_files-universe.parquet",
    }
    land_market(str(root), lake)
    assert bytes_of(lake) == first


def test_the_range_is_half_open_and_instruments_from_before_it_hold(root, tmp_path):
    day = date(2026, 1, 6)
    landed = land_market(str(root), tmp_path / "lake", day, day + timedelta(days=1))
    assert {one.table: one.rows for one in landed} == {
        "candles": 2,
        "funding": 0,
        "asset_contexts": 2,
        "instruments": 1,
    }
    assert rows_of(tmp_path / "lake", "candles", "min(start_ts)") == [(HOURS[2],)]
    earlier = land_market(str(root), tmp_path / "before", until=date(2026, 1, 5))
    assert [one.rows for one in earlier] == [0, 0, 0, 0]
    assert earlier[0].gaps == []
    assert earlier[0].notes == ["candles: candles.parquet holds no row of what was asked for"]


def test_only_the_coins_asked_for_are_landed(root, tmp_path):
    landed = land_market(str(root), tmp_path / "lake", coins=["ETH"])
    assert sum(one.rows for one in landed) == 0


def test_the_folder_of_the_files_is_a_root_too(root, tmp_path):
    assert market_files(str(root / "market")).root == str(root / "market")
    with pytest.raises(FileNotFoundError, match=r"neither it nor its folder market/"):
        market_files(str(tmp_path))


def test_an_absent_file_is_a_note_and_nothing_else(root, tmp_path):
    for name in ("funding_rates.parquet", "universe.csv", "open_interest.parquet"):
        (root / "market" / name).unlink()
    landed = {one.table: one for one in land_market(str(root), tmp_path / "lake")}
    assert landed["candles"].rows == 4
    assert landed["funding"].notes == ["funding: there is no funding_rates.parquet"]
    assert len(landed["asset_contexts"].notes) == 2


def test_missing_hours_are_told(root, tmp_path):
    candles().filter(pl.col("timestamp") != HOURS[1]).write_parquet(
        root / "market" / "candles.parquet"
    )
    landed = land_market(str(root), tmp_path / "lake")
    assert landed[0].gaps == ["candles: BTC on binance lacks 1 of 4 hours"]


def test_unknown_columns_are_counted_and_repeated_rows_landed_once(root, tmp_path):
    twice = pl.concat([candles(trades=7), candles(trades=7)])
    twice.write_parquet(root / "market" / "candles.parquet")
    landed = land_market(str(root), tmp_path / "lake")[0]
    assert (landed.rows, landed.duplicates, landed.unknown_fields) == (4, 4, {"trades": 8})


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"o": "100"}, r"candles.parquet: field o must be a number, is String"),
        ({"timestamp": [1, 2, 3, 4]}, r"field timestamp must be a UTC timestamp, is Int64"),
        ({"coin": ["BTC", None, "BTC", "BTC"]}, r"row 1: field coin must not be missing"),
        ({"c": [100.0, 100.0, float("nan"), 100.0]}, r"row 2: field c must be finite, is nan"),
        ({"l": [90.0, 90.0, 90.0, -1.0]}, r"row 3: field l must be above 0, is -1.0"),
        ({"h": 99.0}, r"row 0: field h must be the highest, is 99.0"),
        ({"v": -1.0}, r"row 0: field v must be 0 or more"),
        ({"timestamp": [HOURS[0]] * 4}, r"row 1: field timestamp must come once per"),
        ({"timestamp": [t + timedelta(minutes=5) for t in HOURS]}, r"must start a full hour"),
        (
            {"timestamp": [START + timedelta(hours=4 * n) for n in range(4)]},
            r"bars of BTC on binance are 4:00:00 apart",
        ),
    ],
)
def test_a_bad_candle_is_refused_by_file_row_and_field(changed, complaint):
    with pytest.raises(SourceError, match=complaint):
        to_candles(candles(**changed))


def test_longer_bars_of_one_series_are_refused_beside_hourly_ones_of_another():
    long = [START + timedelta(hours=8 * n) for n in range(4)]
    both = pl.concat([candles(), candles(timestamp=long, coin="ETH", venue="okx")])
    with pytest.raises(SourceError, match=r"bars of ETH on okx are 8:00:00 apart"):
        to_candles(both)


def test_a_row_that_breaks_the_contract_leaves_the_lake_as_it_was(root, tmp_path):
    lake = tmp_path / "lake"
    land_market(str(root), lake)
    before = bytes_of(lake)
    candles(c=105.0).write_parquet(root / "market" / "candles.parquet")
    funding(coin="").write_parquet(root / "market" / "funding_rates.parquet")
    with pytest.raises(ContractError, match=r"funding\.coin"):
        land_market(str(root), lake)
    assert bytes_of(lake) == before


def test_a_missing_column_is_refused():
    with pytest.raises(SourceError, match=r"candles.parquet: field v is missing"):
        to_candles(candles().drop("v"))
    with pytest.raises(SourceError, match=r"funding_rates.parquet: field venue is missing"):
        to_funding(funding().drop("venue"))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            READING.replace("100.1", "x"),
            r"universe.csv line 3: field indexPx must be a number, is x",
        ),
        (READING.replace("2026-01-05T", "soon "), r"line 3: field ts must be a UTC timestamp"),
        (READING.replace(",40,", ",,"), r"line 3: field maxLeverage must not be missing"),
        (READING.replace("100.0", "0"), r"line 3: field markPx must be above 0, is 0.0"),
    ],
)
def test_a_bad_reading_is_refused_by_file_line_and_field(root, tmp_path, line, complaint):
    (root / "market" / "universe.csv").write_text(universe(READING, line))
    with pytest.raises(SourceError, match=complaint):
        land_market(str(root), tmp_path / "lake")
    assert not (tmp_path / "lake").exists()


def test_a_file_that_is_no_parquet_is_refused_before_anything_is_landed(root, tmp_path):
    (root / "market" / "open_interest.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match=r"open_interest.parquet: cannot be read as Parquet"):
        land_market(str(root), tmp_path / "lake")
    assert not (tmp_path / "lake").exists()


def test_an_empty_cell_of_a_reading_is_null():
    line = READING.replace("100.1", "").replace("5000.0", "")
    raw = pl.read_csv(universe(line).encode(), infer_schema=False)
    contexts, _ = to_universe(raw)
    row = contexts.rows.row(0, named=True)
    assert (row["mark_px"], row["oracle_px"], row["day_notional_volume"]) == (100.0, None, None)


def test_an_instrument_begins_only_where_something_changed():
    times = ["05T22", "06T04", "06T10", "06T16"]
    lines = [
        READING.replace("05T22", at).replace(",40,", f",{leverage},")
        for at, leverage in zip(times, (40, 40, 25, 40), strict=True)
    ]
    shuffled = universe(lines[2], lines[0], lines[3], lines[1])
    _, instruments = to_universe(pl.read_csv(shuffled.encode(), infer_schema=False))
    held = instruments.rows.select("max_leverage", pl.col("margin_tiers").list.len()).rows()
    assert held == [(40.0, 2), (25.0, 1), (40.0, 2)]
    assert instruments.rows["size_decimals"].to_list() == [5, 5, 5]


def test_documented_tables_are_used_only_where_they_start_at_the_coins_leverage():
    for coin, tiers in documented_tiers().items():
        assert tiers[0].lower_bound == 0
        assert tiers_of(coin, tiers[0].max_leverage) == tiers
        assert len(tiers_of(coin, 50)) == 1


def test_real_rows_land_whole(real, tmp_path):
    landed = {one.table: one for one in land_market(str(real), tmp_path / "lake")}
    assert {table: one.rows for table, one in landed.items()} == {
        "candles": 108_832,
        "funding": 103_634,
        "asset_contexts": 13_367 + 912,
        "instruments": 228,
    }
    assert all(one.unknown_fields == {} and one.duplicates == 0 for one in landed.values())
    # Every coin with a documented table had the leverage it starts at.
    with open_lake(tmp_path / "lake") as con:
        tiered = con.sql("select coin from instruments where len(margin_tiers) > 1").fetchall()
        [(baseline,)] = con.sql("select mode(funding_rate) from asset_contexts").fetchall()
    listed = {coin for (coin,) in tiered}
    assert listed == set(documented_tiers()) & {
        coin for (coin,) in rows_of(tmp_path / "lake", "instruments", "coin")
    }
    assert baseline == pytest.approx(1.25e-5)


@pytest.mark.parametrize(("hours", "spanned"), [(0, 275), (-1, 207)])
def test_the_bar_that_starts_before_a_mark_spans_it(real, hours, spanned):
    """The measurement behind reading ``timestamp`` as a bar's start."""
    marks = []
    folder = real / "hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp"
    for path in sorted(folder.rglob("*.parquet")):
        at = datetime.fromtimestamp(int(path.stem.split("_")[1]) / 1000, UTC)
        start = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        large = pl.col("notional") > 1000
        marks.append(
            pl.read_parquet(path)
            .filter(large, pl.col("market").is_in(["BTC", "ETH", "SOL", "HYPE", "DOGE"]))
            .group_by(coin="market")
            .agg(mark=(pl.col("notional") / pl.col("size").abs()).median())
            .with_columns(start_ts=pl.lit(start, pl.Datetime("us", "UTC")))
        )
    bars = to_candles(pl.read_parquet(real / "market" / "candles.parquet")).rows
    met = pl.concat(marks).join(bars.filter(venue="binance"), on=["coin", "start_ts"])
    inside = met.filter(pl.col("mark").is_between("low_px", "high_px"))
    assert (met.height, inside.height) == (275, spanned)
