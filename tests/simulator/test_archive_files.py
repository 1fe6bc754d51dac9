"""The other files of a made-up world are those that archives keep, and so are its rules."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import lz4.frame
import numpy as np
import orjson
import polars as pl
import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.coins import COINS
from pipelines.simulator.world import WorldSpec
from pipelines.sources.archive import Archive
from pipelines.sources.documented_tiers import tiers_of
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from tests.simulator.archived import SPEC, contexts_of, digest, lines_of
from warehouse import open_lake
from warehouse.margin import TierTable, fill_liquidation_px

TIERS = TierTable.of({coin.name: tiers_of(coin.name, coin.max_leverage) for coin in COINS})


def test_a_seed_says_every_byte_and_another_seed_says_others(tmp_path):
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write_archive(WorldSpec(seed, coins=3, accounts=40), 1, tmp_path / name)
    one, again, other = (digest(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert {path for path in one if "snapshots" not in path} == {
        path for path in other if "snapshots" not in path
    }
    # Hours in which nothing happened are alike in all worlds.
    empty = hashlib.sha256(lz4.frame.compress(b"")).hexdigest()
    assert set(one.values()) & set(other.values()) <= {empty}


def test_contexts_say_every_minute_what_coins_showed(written):
    contexts = contexts_of(written)
    truth = pl.read_parquet(written / "truth/minutes.parquet").filter("listed")
    truth = truth.filter(pl.col("ts") < datetime(2026, 1, 6, tzinfo=UTC))
    assert contexts.height == truth.height > 5_000
    instants = contexts["time"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    assert (instants.dt.replace_time_zone("UTC") == truth["ts"]).all()
    for name, true in (
        ("mark_px", truth["mark_px"]),
        ("oracle_px", truth["oracle_px"]),
        ("open_interest", truth["open_interest"]),
        ("mid_px", (truth["bid_px"] + truth["ask_px"]) / 2),
        ("funding", truth["rate"]),
    ):
        told = contexts[name].is_not_null()
        assert told.mean() > 0.99
        np.testing.assert_allclose(
            contexts[name].filter(told), true.filter(told), rtol=1e-9, atol=1e-10
        )


def test_a_days_volume_is_of_the_last_24_hours(tmp_path):
    write_archive(
        WorldSpec(coins=2, accounts=40),
        2,
        tmp_path / "files",
        books=False,
        truth=tmp_path / "truth",
    )
    trades = pl.read_parquet(tmp_path / "truth/trades.parquet")
    trades = trades.filter(pl.col("kind").is_in(["choice", "market"]), coin="BTC")
    file = tmp_path / "files/hyperliquid-archive/asset_ctxs/20260106.csv.lz4"
    text = lz4.frame.decompress(file.read_bytes())
    rows = pl.read_csv(text, infer_schema_length=None).filter(coin="BTC")
    # A block that is counted with its minute may carry a time just after it.
    slack = timedelta(milliseconds=100)
    for hour in (5, 12):
        until = datetime(2026, 1, 6, hour, tzinfo=UTC) + slack
        day = trades.filter(pl.col("ts") < until, pl.col("ts") >= until - timedelta(days=1))
        row = rows.filter(time=f"2026-01-06T{hour:02}:00:00Z")
        value = (day["px"] * day["size"]).sum()
        assert row["day_ntl_vlm"].item() == pytest.approx(value)
    minutes = pl.read_parquet(tmp_path / "truth/minutes.parquet").filter(coin="BTC")
    then = minutes.filter(ts=datetime(2026, 1, 5, 12, tzinfo=UTC))["mark_px"].item()
    noon = rows.filter(time="2026-01-06T12:00:00Z")
    assert noon["prev_day_px"].item() == then


def test_books_are_a_line_a_minute(written):
    folder = written / "files/hyperliquid-archive/market_data/20260105"
    lines = [orjson.loads(line) for line in lines_of(folder / "7/l2Book/ETH.lz4")]
    assert len(lines) == 60
    seven = int(datetime(2026, 1, 5, 7, tzinfo=UTC).timestamp()) * 1000
    assert [line["raw"]["data"]["time"] for line in lines] == list(
        range(seven, seven + 3_600_000, 60_000)
    )
    for line in lines:
        assert list(line) == ["time", "ver_num", "raw"]
        assert list(line["raw"]) == ["channel", "data"]
        bids, asks = line["raw"]["data"]["levels"]
        assert 0 < len(bids) <= 20
        px = [float(level["px"]) for level in [*bids[::-1], *asks]]
        assert px == sorted(set(px))
        assert all(list(level) == ["px", "sz", "n"] for level in [*bids, *asks])
        assert all(float(level["sz"]) > 0 < level["n"] for level in [*bids, *asks])


def test_snapshots_are_of_the_ends_of_what_they_divide(snapshots):
    first = datetime(2026, 1, 5, 5, 59, 0, 100_000, tzinfo=UTC)
    assert list(snapshots) == [first + timedelta(hours=6 * number) for number in range(4)]
    for rows in snapshots.values():
        assert not rows.unknown_fields
        sums = rows.positions.group_by("coin").agg(pl.col("size").sum())["size"]
        assert sums.abs().max() < 1e-9


def test_prices_that_were_left_out_come_out_as_they_were(snapshots, written):
    """What the margin kernel works out for them is what was true."""
    computed = 0
    archive = Archive(str(written / "files"))
    paths = archive.files("hydromancer-reservoir/by_dex", ".parquet")
    assert len(paths) == len(snapshots)
    for rows in snapshots.values():
        filled = fill_liquidation_px(rows.positions, TIERS)
        whole = (pl.col("leverage_type") == "cross").all().over("account")
        given = rows.positions.filter(whole)
        bare = given.with_columns(liquidation_px=pl.lit(None, pl.Float64))
        again = fill_liquidation_px(bare, TIERS).positions["liquidation_px"]
        told = given["liquidation_px"].is_not_null()
        np.testing.assert_allclose(
            again.filter(told), given["liquidation_px"].filter(told), rtol=1e-9
        )
        computed += filled.computed
    assert computed > 3


def test_account_values_add_up_to_the_positions(written, snapshots):
    folder = written / "files/hydromancer-reservoir/global/snapshots/account_values"
    for file, rows in zip(sorted(folder.rglob("*.parquet")), snapshots.values(), strict=True):
        values = pl.read_parquet(file, hive_partitioning=False)
        longs = rows.positions.filter(pl.col("size") > 0)
        held = (longs["size"] * longs["mark_px"]).sum()
        assert values["total_long_notional"].sum() == pytest.approx(held)
        assert values["account_value"].min() >= -1e-6
        assert values["user"].is_unique().all()


def test_market_files_land(written, tmp_path):
    landed = {one.table: one for one in land_market(str(written / "files"), tmp_path)}
    hourly = 5 * 24 - 8  # of which one coin is gone after 16 hours
    assert landed["candles"].rows == landed["funding"].rows == hourly
    # Open interest comes with each of four snapshots too, of which one coin sees two.
    assert landed["asset_contexts"].rows == hourly + 5 + 4 * 5 - 2
    assert landed["instruments"].rows == 5
    assert not any(one.gaps or one.unknown_fields for one in landed.values())


def test_bars_hold_every_trade_of_the_book(written):
    bars = pl.read_parquet(written / "files/market/candles.parquet")
    trades = pl.read_parquet(written / "truth/trades.parquet")
    # Blocks of a minute's end may carry a time just after it.
    trades = trades.filter(pl.col("kind").is_in(["choice", "market"])).with_columns(
        timestamp=(pl.col("ts") - pl.duration(milliseconds=100)).dt.truncate("1h")
    )
    met = trades.join(bars, on=["timestamp", "coin"], how="left")
    assert met.filter(pl.col("h").is_null() & (pl.col("coin") != "HYPE")).is_empty()
    assert met.filter((pl.col("px") > pl.col("h")) | (pl.col("px") < pl.col("l"))).is_empty()
    volume = met.group_by("timestamp", "coin").agg(pl.col("size").sum(), pl.col("v").first())
    np.testing.assert_allclose(volume["size"], volume["v"], rtol=1e-9)


def test_the_true_states_lead_from_one_to_the_next(written):
    """By the trades between them, and they are there every hour."""
    states = pl.concat(
        pl.read_parquet(file) for file in (written / "truth/states/positions").iterdir()
    )
    first = datetime(2026, 1, 5, tzinfo=UTC)
    moments = [first + timedelta(hours=number) for number in range(25)]
    shot = [first + timedelta(hours=hours, minutes=-1) for hours in (6, 12, 18, 24)]
    assert states["ts"].unique().sort().to_list() == sorted(moments + shot)
    trades = pl.read_parquet(written / "truth/trades.parquet")
    moved = pl.concat(
        trades.select("ts", "coin", account=side, size=sign * pl.col("size"))
        for side, sign in (("buyer", 1), ("seller", -1))
    )
    before, after = (states.filter(ts=moments[n]) for n in (0, 24))
    sums = pl.concat(
        [before.select("coin", "account", "size"), moved.select("coin", "account", "size")]
    )
    sums = sums.group_by("coin", "account").agg(pl.col("size").sum())
    sums = sums.filter(pl.col("size").abs() > 1e-9)
    met = sums.join(after, on=["coin", "account"], how="full")
    assert met.height == sums.height == after.height
    assert (met["size"] - met["size_right"]).abs().max() < 1e-6
    accounts = pl.read_parquet(written / "truth/states/accounts/day=2026-01-05.parquet")
    assert accounts.height == (24 + len(shot)) * (120 + 7)
    assert set(accounts["role"]) == {"trader", "maker", "vault"}


def test_a_snapshot_is_what_was_true(written):
    """Each Reservoir snapshot holds the positions of the state 100 ms before it."""
    states = pl.concat(
        pl.read_parquet(file) for file in (written / "truth/states/positions").iterdir()
    )
    files = sorted((written / "files/hydromancer-reservoir").rglob("perp/date=*/*.parquet"))
    assert files
    for file in files:
        ms = int(file.stem.partition("_")[2])
        true = states.filter(pl.col("ts").dt.epoch("ms") == ms - 100)
        rows = pl.read_parquet(file, hive_partitioning=False)
        pairs = rows.join(
            true, left_on=["user", "market"], right_on=["account", "coin"], how="full"
        )
        assert pairs.height == rows.height == true.height > 0
        assert (pairs["size"] == pairs["size_right"]).all()


def test_another_worlds_place_is_refused_and_the_own_is_written_again(tmp_path):
    spec = WorldSpec(coins=2, accounts=20)
    write_archive(spec, 1, tmp_path / "files", books=False)
    before = digest(tmp_path)
    write_archive(spec, 1, tmp_path / "files", books=False)
    assert digest(tmp_path) == before
    with pytest.raises(
        ValueError, match=r"holds the files of another world \(seed 7 instead of"
    ):
        write_archive(spec._replace(seed=8), 1, tmp_path / "files", books=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="of no simulated world"):
        write_archive(spec, 1, tmp_path / "mine")
    with pytest.raises(ValueError, match="must be a folder or an s3:// URL"):
        write_archive(spec, 1, "ftp://somewhere")
    (tmp_path / "mine/letter.txt").unlink()
    assert digest(tmp_path) == before


def test_impossible_worlds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="days 0"):
        write_archive(SPEC, 0, tmp_path)
    with pytest.raises(ValueError, match="snapshot_every 7: must divide"):
        write_archive(SPEC, 1, tmp_path, snapshot_every=7)
    with pytest.raises(ValueError, match="fault 'typo': unknown; there are missing-hours"):
        write_archive(SPEC, 1, tmp_path, faults=["typo"])
    assert not list(tmp_path.iterdir())


def test_a_world_lasts_as_long_as_asked_from_when_asked(tmp_path):
    spec = WorldSpec(start=date(2025, 3, 1), coins=2, accounts=20)
    write_archive(spec, 1, tmp_path, books=False, contexts=False)
    bars = pl.read_parquet(tmp_path / "market/candles.parquet")
    assert bars["timestamp"].min() == datetime(2025, 3, 1, tzinfo=UTC)
    assert bars["timestamp"].max() == datetime(2025, 3, 1, 23, tzinfo=UTC)


@pytest.mark.parametrize("root", ["files", "files/hl-mainnet-node-data"])
def test_rows_of_a_simulated_venue_say_so_by_themselves(written, tmp_path, root):
    land_hourly_fills(str(written / root), tmp_path)
    with open_lake(tmp_path) as con:
        assert con.sql("select distinct source from fills").fetchall() == [("simulated",)]
