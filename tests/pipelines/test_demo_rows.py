import hashlib
from collections import Counter
from datetime import UTC, date, datetime

import lz4.frame
import numpy as np
import orjson
import polars as pl
import pytest

from pipelines.demo_rows import write_demo_rows
from pipelines.demo_rows.prices import COINS
from pipelines.demo_rows.world import run
from pipelines.sources import reservoir
from pipelines.sources.archive import Archive
from pipelines.sources.documented_tiers import tiers_of
from pipelines.sources.node_fill_rows import to_fills
from pipelines.sources.node_fills import read
from pipelines.steps.market import land_market
from warehouse.margin import TierTable, fill_liquidation_px

DAYS = 14
TIERS = TierTable.of({coin.name: tiers_of(coin.name, coin.max_leverage) for coin in COINS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo_rows(folder)
    return folder


@pytest.fixture(scope="module")
def snapshots(folder):
    """Each snapshot as its adapter reads it, by its moment in ms."""
    archive = reservoir.reservoir(str(folder))
    return {
        int(file.snapshot_ts.timestamp() * 1000): reservoir.read(archive, file)
        for file in reservoir.snapshot_files(archive)
    }


@pytest.fixture(scope="module")
def events(folder):
    """Every side of every trade as written, with the start of its file's hour in ms."""
    rows = []
    for path in folder.glob("node_fills_by_block/hourly/*/*.lz4"):
        file = datetime.strptime(f"{path.parent.name} {path.stem} +0000", "%Y%m%d %H %z")
        for line in lz4.frame.decompress(path.read_bytes()).splitlines():
            for account, fill in orjson.loads(line)["events"]:
                rows.append(
                    fill | {"account": account, "file_ms": int(file.timestamp()) * 1000}
                )
    return sorted(rows, key=lambda row: row["time"])


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_a_seed_says_every_byte_and_another_seed_says_others(tmp_path):
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write_demo_rows(tmp_path / name, seed=seed, days=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "again")
    one, other = digest(tmp_path / "one"), digest(tmp_path / "other")
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())


def test_a_world_lasts_as_long_as_asked_from_when_asked(tmp_path):
    write_demo_rows(tmp_path, days=1, start=date(2025, 3, 1))
    bars = pl.read_parquet(tmp_path / "market/candles.parquet")
    assert bars["timestamp"].min() == datetime(2025, 3, 1, tzinfo=UTC)
    assert bars["timestamp"].max() == datetime(2025, 3, 1, 23, tzinfo=UTC)
    with pytest.raises(ValueError, match="days 0"):
        write_demo_rows(tmp_path, days=0)


def test_for_each_coin_bought_one_is_sold(snapshots):
    for rows in snapshots.values():
        sums = rows.positions.group_by("coin").agg(pl.col("size").sum())["size"]
        assert sums.abs().max() < 1e-6


def test_money_is_neither_made_nor_lost():
    history = run(np.random.default_rng(1), 2, date(2026, 1, 5))
    accounts, mark = history.accounts, history.marks[-1]
    now = accounts.margins(mark)
    equity = now.cross.sum() + now.isolated[accounts.isolated].sum()
    assert equity + accounts.fees == pytest.approx(accounts.deposited, abs=1e-3)
    assert not accounts.purse[~accounts.isolated].any()


def test_the_kernel_finds_every_price_of_accounts_that_are_all_cross(snapshots):
    """The world's own closed form and the warehouse's kernel say the same."""
    for rows in list(snapshots.values())[::5]:
        whole = rows.positions.filter(
            (pl.col("leverage_type") == "cross").all().over("account")
        )
        told = whole["liquidation_px"]
        untold = whole.with_columns(liquidation_px=pl.lit(None, pl.Float64))
        filled = fill_liquidation_px(untold, TIERS).positions["liquidation_px"]
        both = told.is_not_null()
        assert both.sum() > 100
        np.testing.assert_allclose(filled.filter(both), told.filter(both), rtol=1e-9)


def test_some_prices_are_left_out_and_can_be_filled_in(snapshots):
    filled = [fill_liquidation_px(rows.positions, TIERS) for rows in snapshots.values()]
    assert min(one.computed for one in filled) >= 1
    assert min(one.never for one in filled) >= 10
    for one in filled:
        longs = one.positions.filter(
            pl.col("liquidation_px").is_not_null(), pl.col("leverage_type") == "isolated"
        )
        wrong = (pl.col("liquidation_px") - pl.col("mark_px")) * pl.col("size") > 0
        assert longs.filter(wrong).is_empty()


def test_fills_are_read_without_unknown_fields(folder):
    archive = Archive(str(folder))
    for path in archive.files("node_fills_by_block", ".lz4")[::24]:
        fills, unknown = to_fills(read(archive, path), path)
        assert fills.num_rows > 0
        assert not unknown


def test_each_trade_has_two_sides_that_agree(events):
    by_trade = {}
    for event in events:
        by_trade.setdefault(event["tid"], []).append(event)
    for sides in by_trade.values():
        assert sorted(side["side"] for side in sides) == ["A", "B"]
        assert sides[0]["crossed"] != sides[1]["crossed"]
        for name in ("coin", "px", "sz", "time", "liquidation"):
            assert sides[0].get(name) == sides[1].get(name)


def test_fills_lead_from_each_position_to_the_next(events):
    """But over the hour that is missing."""
    held, breaks = {}, []
    for event in events:
        key = event["account"], event["coin"]
        start, size = float(event["startPosition"]), float(event["sz"])
        if key in held and abs(held[key] - start) > 1e-6:
            breaks.append(event["time"] // 3_600_000)
        held[key] = start + (size if event["side"] == "B" else -size)
    hours = {event["file_ms"] // 3_600_000 for event in events}
    [missing] = set(range(min(hours), max(hours) + 1)) - hours
    assert len(hours) == DAYS * 24 - 1
    assert breaks
    assert min(breaks) >= missing


def test_some_fills_lie_in_the_next_hours_file(events):
    late = [(event["file_ms"] - event["time"]) // 3_600_000 for event in events]
    assert set(late) == {-1, 0}
    assert Counter(late)[0] > 10


def test_liquidations_are_marked_as_the_venue_marks_them(events):
    forced = [event for event in events if "liquidation" in event]
    own = [e for e in forced if e["liquidation"]["liquidatedUser"] == e["account"]]
    assert len(own) == len(forced) / 2
    market = [e for e in own if e["liquidation"]["method"] == "market"]
    backstop = [e for e in own if e["liquidation"]["method"] == "backstop"]
    assert len(market) > 300
    assert len(backstop) > 5
    assert all(e["crossed"] and e["dir"].startswith("Close ") for e in market)
    assert all(not e["crossed"] and e["dir"].startswith("Liquidated ") for e in backstop)


def test_a_large_position_is_sold_a_fifth_first(events):
    parts = 0
    for event in events:
        told = event.get("liquidation", {})
        if told.get("liquidatedUser") != event["account"] or told["method"] != "market":
            continue
        start, size = abs(float(event["startPosition"])), float(event["sz"])
        if start * float(told["markPx"]) <= 1e5:
            assert size == start
        parts += size / start == pytest.approx(0.2, abs=1e-3)
    assert parts > 10


def test_an_account_is_liquidated_where_its_price_was_crossed(events, snapshots):
    """Of positions whose price no other moves, if the account has not traded since.

    Funding between the two moves the price by less than 0.2 %.
    """
    moments = np.array(sorted(snapshots))
    traded, checked = {}, 0
    for event in events:
        before = moments.searchsorted(event["time"]) - 1
        last, traded[event["account"]] = traded.get(event["account"], 0), event["time"]
        told = event.get("liquidation", {})
        if before < 0 or told.get("liquidatedUser") != event["account"]:
            continue
        moment = int(moments[before])
        held = snapshots[moment].positions.filter(account=event["account"])
        row = held.filter(coin=event["coin"])
        alone = held.height == 1 or (row["leverage_type"] == "isolated").all()
        if last > moment or not alone or row["liquidation_px"].null_count():
            continue
        mark, px = float(told["markPx"]), row["liquidation_px"].item()
        assert (mark / px - 1) * np.sign(row["size"].item()) < 0.002
        checked += 1
    assert checked > 50


def test_nobody_is_left_past_their_price_at_a_snapshot(snapshots):
    for rows in snapshots.values():
        alone = rows.positions.filter(pl.len().over("account") == 1)
        past = (pl.col("mark_px") - pl.col("liquidation_px")) * pl.col("size") < 0
        assert alone.filter(past).is_empty()


def test_one_day_lacks_a_snapshot(snapshots):
    days = Counter(ms // 86_400_000 for ms in snapshots)
    assert sorted(days.values()) == [3] + [4] * (DAYS - 1)


def test_prices_are_positive_and_a_snapshots_mark_lies_in_its_bar(folder, snapshots):
    bars = pl.read_parquet(folder / "market/candles.parquet")
    assert bars.select(pl.min_horizontal("o", "h", "l", "c").min()).item() > 0
    for ms, rows in snapshots.items():
        hour = datetime.fromtimestamp(ms // 3_600_000 * 3600, UTC)
        bar = bars.filter(pl.col("timestamp") == hour)
        met = rows.positions.join(bar, on="coin")
        assert met.height == rows.positions.height
        slack = 1e-9 * pl.col("mark_px")
        outside = (pl.col("mark_px") < pl.col("l") - slack) | (
            pl.col("mark_px") > pl.col("h") + slack
        )
        assert met.filter(outside).is_empty()


def test_there_are_two_falls_that_liquidate_longs(folder, events):
    bars = pl.read_parquet(folder / "market/candles.parquet").filter(coin="BTC")
    falls = bars.filter(pl.col("l") / pl.col("h") < 0.95).select(pl.col("timestamp").dt.date())
    worst = Counter(
        datetime.fromtimestamp(event["time"] / 1000, UTC).date()
        for event in events
        if "liquidation" in event and event["crossed"] and event["side"] == "A"
    ).most_common(2)
    assert {day for day, _ in worst} <= set(falls.to_series())
    assert falls.n_unique() >= 2


def test_market_files_land(folder, tmp_path):
    landed = {one.table: one for one in land_market(str(folder), tmp_path)}
    hourly = DAYS * 24 * len(COINS)
    assert landed["candles"].rows == landed["funding"].rows == hourly
    assert landed["asset_contexts"].rows == hourly + DAYS * len(COINS)
    assert landed["instruments"].rows == len(COINS)
    assert not any(one.gaps or one.unknown_fields for one in landed.values())
