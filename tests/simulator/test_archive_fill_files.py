"""The files of fills are those that the venue's nodes write, and are read as those are."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest

from pipelines.sources.hourly_files import hourly_files, open_archive, read_packed
from pipelines.sources.node_fill_rows import FILL_FIELDS, to_fills
from pipelines.sources.node_fills import NODE_FILLS_BY_BLOCK
from tests.simulator.archived import AT_FOUR, FILLS, blocks_of, contexts_of


def test_every_fill_of_the_world_is_in_the_lake_once(written, lake):
    trades = pl.read_parquet(written / "truth/trades.parquet")
    sides = [
        trades.select(
            time_ts="ts",
            account=side,
            is_buy=pl.lit(side == "buyer"),
            trade_id="trade_id",
            coin="coin",
            px="px",
            size="size",
            start_position=f"{side}_start",
            closed_pnl=f"{side}_pnl",
            fee=f"{side}_fee",
            is_taker=pl.col("taker_buys") == (side == "buyer"),
            liquidated_account="liquidated",
        )
        for side in ("buyer", "seller")
    ]
    true = pl.concat(sides).sort("trade_id", "is_buy")
    landed = lake.sql("from fills").pl().select(true.columns).sort("trade_id", "is_buy")
    assert true.height > 1000
    assert landed.equals(true)


def test_the_liquidations_that_land_are_those_that_were(written, lake):
    true = pl.read_parquet(written / "truth/liquidations.parquet").filter(pl.col("filled") > 0)
    landed = lake.sql(
        "select time_ts as ts, account, coin, liquidation_method as method, "
        "sum(size) as filled, sum(px * size) / sum(size) as vwap, any_value(order_id) as o "
        "from fills where liquidated_account = account group by all"
    ).pl()
    both = true.join(landed, on=["ts", "account", "coin", "method"], how="full")
    assert both.height == true.height > 30
    assert (both["filled"] - both["filled_right"]).abs().max() < 1e-9
    assert (both["vwap"] / both["vwap_right"] - 1).abs().max() < 1e-9


def test_no_field_of_the_real_lines_is_missing(written, real):
    """Nor is any of ours of another kind, or in another place."""
    [file] = (real / "raw-blocks" / FILLS).rglob("*.lz4")
    files = sorted((written / "files" / FILLS).rglob("*.lz4"))
    own = [block for path in files for block in blocks_of(path)]
    theirs, ours = shape_of(blocks_of(file)), shape_of(own)
    assert {name for name in theirs if name not in ours} == set()
    for name, kinds in theirs.items():
        assert kinds <= ours[name] | {type(None)}, name
    assert ours.keys() <= theirs.keys()
    assert order_of(blocks_of(file)) >= order_of(own)


def shape_of(blocks):
    """Return each field's kinds; strings by the form of what they hold."""
    kinds = {}

    def note(name, value):
        kinds.setdefault(name, set()).add(
            form(value) if isinstance(value, str) else type(value)
        )

    for block in blocks:
        for name, value in block.items():
            note(name, value)
        for account, fill in block["events"]:
            note("account", account)
            for name, value in fill.items():
                note(name, value)
            for name, value in fill.get("liquidation", {}).items():
                note(f"liquidation.{name}", value)
    return kinds


def form(text):
    for name, pattern in {
        "decimal": r"-?\d+\.\d+",
        "hexadecimal": r"0x[0-9a-f]+",
        "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}",
    }.items():
        if re.fullmatch(pattern, text):
            return f"{name} {len(text)}" if name != "decimal" else name
    return "words"


def order_of(blocks):
    """Return which field comes before which."""
    return {pair for block in blocks for _, fill in block["events"] for pair in pairwise(fill)}


def test_every_documented_field_is_there(events):
    names = set().union(*events)
    assert {*FILL_FIELDS} - {"deployerFee"} <= names


def test_the_adapter_reads_every_file_without_a_word(written):
    archive = open_archive(NODE_FILLS_BY_BLOCK, str(written / "files"))
    files = hourly_files(NODE_FILLS_BY_BLOCK, archive)
    assert not files.odd
    first = datetime(2026, 1, 5, tzinfo=UTC)
    hours = [first + timedelta(hours=number) for number in range(25)]
    # The last one holds what came late.
    assert list(files.paths)[:24] == hours[:24]
    assert set(files.paths) <= set(hours)
    for path in files.paths.values():
        assert not to_fills(read_packed(archive, path), path)[1]


def test_fills_of_an_hours_end_lie_in_the_next_hours_file(events):
    late = [event for event in events if event["time"] < event["file_ms"]]
    assert len(late) > 3
    assert {(e["file_ms"] - e["time"] - 1) // 3_600_000 for e in late} == {0}
    assert not any(event["time"] >= event["file_ms"] + 3_600_000 for event in events)
    fell_behind = datetime(2026, 1, 5, 6, tzinfo=UTC).timestamp() * 1000
    assert any(event["file_ms"] == fell_behind for event in late)


def test_blocks_come_in_order_and_the_clock_never_goes_back(written):
    for file in (written / "files" / FILLS).rglob("*.lz4"):
        blocks = blocks_of(file)
        for name in ("local_time", "block_time", "block_number"):
            values = [block[name] for block in blocks]
            assert values == sorted(set(values))
        assert all(block["block_time"] < block["local_time"] for block in blocks)
        for block in blocks:
            ms = datetime.fromisoformat(block["block_time"] + "Z").timestamp() * 1000
            assert {fill["time"] for _, fill in block["events"]} == {int(ms)}


def test_each_trade_has_two_sides_that_agree(events):
    by_trade = {}
    for event in events:
        by_trade.setdefault(event["tid"], []).append(event)
    assert len({event["oid"] for event in events}) > len(by_trade)
    for sides in by_trade.values():
        assert sorted(side["side"] for side in sides) == ["A", "B"]
        assert sides[0]["crossed"] != sides[1]["crossed"]
        for name in ("coin", "px", "sz", "time", "hash", "liquidation"):
            assert sides[0].get(name) == sides[1].get(name)


def test_fills_lead_from_each_position_to_the_next(events):
    held = {}
    for event in events:
        key = event["account"], event["coin"]
        start, size = float(event["startPosition"]), float(event["sz"])
        assert held.get(key, start) == pytest.approx(start, abs=1e-9)
        held[key] = start + (size if event["side"] == "B" else -size)
    assert len(held) > 100


def test_directions_say_what_became_of_the_position(events):
    for event in events:
        start = float(event["startPosition"])
        end = start + float(event["sz"]) * (1 if event["side"] == "B" else -1)
        word = event["dir"]
        if word.startswith(("Liquidated", "Auto", "Settlement")):
            assert "liquidation" in event or word == "Settlement"
            continue
        if ">" in word:
            assert start * end < 0
            continue
        opens, side = word.split()
        assert (abs(end) > abs(start)) == (opens == "Open"), event
        assert (start + end > 0) == (side == "Long"), event


def test_a_delisted_coin_is_settled_and_then_gone(events, written):
    settled = [event for event in events if event["dir"] == "Settlement"]
    assert {event["coin"] for event in settled} == {"HYPE"}
    assert {event["time"] for event in settled} == {AT_FOUR}
    assert not [e for e in events if e["coin"] == "HYPE" and e["time"] > AT_FOUR]
    contexts = contexts_of(written)
    last = contexts.filter(coin="HYPE")["time"].max()
    assert last in {"2026-01-05T15:59:00Z", "2026-01-05T16:00:00Z"}
    books = written / "files/hyperliquid-archive/market_data/20260105"
    assert (books / "15/l2Book/HYPE.lz4").exists()
    assert not (books / "17/l2Book/HYPE.lz4").exists()


def test_builders_are_paid_out_of_the_fee_and_slices_say_so(events):
    built = [event for event in events if "builder" in event]
    sliced = [event for event in events if event["twapId"] is not None]
    assert len(built) > 10
    assert len(sliced) > 10
    assert all(0 < float(e["builderFee"]) < float(e["fee"]) for e in built)
    assert {event["hash"] for event in sliced} == {"0x" + "0" * 64}
    assert all(event["crossed"] for event in sliced)
