import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.node_trade_rows import to_fills
from pipelines.sources.trade_directions import directions
from tests.pipelines.data_fills import OTHER, USER, body_of
from tests.pipelines.data_hostile import OFTEN
from tests.pipelines.data_node_trades import (
    files,
    plain,
    rows_of,
    trade,
    word_of,
)
from warehouse.contracts.fills import FILLS


@given(made=files)
@OFTEN
def test_agrees_with_the_obvious_version(made):
    body = body_of(map(json.dumps, made))
    rows, unknown = to_fills(body, "0.lz4")
    assert (rows.to_pylist(), unknown) == plain(body)


def test_a_file_without_trades_has_no_rows():
    rows, unknown = to_fills(b"", "0.lz4")
    assert rows.num_rows == 0
    assert not unknown


def test_a_trade_is_two_rows_that_keep_the_contract():
    rows, _ = to_fills(body_of([json.dumps(trade())]), "0.lz4")
    known = rows["time_ts"]
    source = pa.repeat("node_trades", rows.num_rows)
    checked = FILLS.check(
        rows.append_column("known_ts", known).append_column("source", source)
    ).to_pylist()
    assert [row["account"] for row in checked] == [USER, OTHER]
    assert [row["order_id"] for row in checked] == [11, 12]
    assert len({row["trade_id"] for row in checked}) == 1
    for row in checked:
        given = [
            row[name] for name in ("closed_pnl", "fee", "fee_token", "liquidation_mark_px")
        ]
        assert given == [None] * 4


def test_nanoseconds_are_cut_and_not_rounded():
    rows = rows_of(trade(time="2025-05-25T13:59:59.999999999"))
    assert rows[0]["time_ts"] == datetime(2025, 5, 25, 13, 59, 59, 999999, UTC)


@pytest.mark.parametrize(("taker", "takes"), [("B", [True, False]), ("A", [False, True])])
def test_the_side_of_a_trade_is_its_takers(taker, takes):
    rows = rows_of(trade(side=taker))
    assert [row["is_buy"] for row in rows] == [True, False]
    assert [row["is_taker"] for row in rows] == takes


@pytest.mark.parametrize(
    ("start", "size", "bought", "sold"),
    [
        ("0.0", "0.5", "Open Long", "Open Short"),
        ("-0.0", "0.5", "Open Long", "Open Short"),
        ("0.2", "0.5", "Open Long", "Long > Short"),
        ("0.5", "0.50", "Open Long", "Close Long"),
        ("0.7", "0.5", "Open Long", "Close Long"),
        ("-0.2", "0.5", "Short > Long", "Open Short"),
        ("-0.5", "0.5", "Close Short", "Open Short"),
        ("-0.7", "0.5", "Close Short", "Open Short"),
        ("0.2", "0.0", None, None),
    ],
)
def test_directions_follow_from_position_side_and_size(start, size, bought, sold):
    here = {"start_pos": start}
    rows = rows_of(trade(here, here, sz=size))
    assert [row["direction"] for row in rows] == [bought, sold]


@given(start=st.floats(-9, 9), size=st.floats(0, 9), is_buy=st.booleans())
def test_directions_agree_with_the_obvious_version(start, size, is_buy):
    columns = (pa.chunked_array([[value]]) for value in ("BTC", start, size))
    end = start + size if is_buy else start - size
    if end != 0 or abs(start) == size:
        word = word_of("BTC", start, size, is_buy)
        assert directions(*columns, is_buy).to_pylist() == [word]


@pytest.mark.parametrize("coin", ["@107", "PURR/USDC"])
def test_on_spot_one_buys_and_sells(coin):
    assert [row["direction"] for row in rows_of(trade(coin=coin))] == ["Buy", "Sell"]


def test_of_a_trade_with_oneself_no_direction_is_told():
    rows = rows_of(trade(seller={"user": USER.upper().replace("0X", "0x")}))
    assert [row["direction"] for row in rows] == [None, None]


def test_netted_child_vaults_are_called_so():
    rows = rows_of(trade(trade_dir_override="NetChildVaultPositions"))
    assert [row["direction"] for row in rows] == ["Net Child Vaults"] * 2
    assert [row["liquidation_method"] for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("taker", "buyer", "seller", "liquidated"),
    [
        ("A", "0.0", "0.1", OTHER),
        ("B", "-0.1", "0.0", USER),
        # Both close; it is the taker that was forced to.
        ("A", "-0.1", "0.1", OTHER),
        ("B", "-0.1", "0.1", USER),
        # The taker does not close: whose liquidation it is cannot be told.
        ("A", "-0.1", "0.0", None),
        ("B", "0.0", "0.1", None),
        ("A", "0.0", "0.01", None),
    ],
)
def test_the_taker_that_closes_is_who_was_liquidated(taker, buyer, seller, liquidated):
    rows = rows_of(
        trade(
            {"start_pos": buyer},
            {"start_pos": seller},
            side=taker,
            trade_dir_override="LiquidatedMarket",
        )
    )
    assert [row["liquidation_method"] for row in rows] == ["market", "market"]
    assert [row["liquidated_account"] for row in rows] == [liquidated, liquidated]


def test_unknown_fields_are_counted_exactly():
    novel = trade({"mood": 1}, {"mood": 2}, shard=3)
    body = body_of(json.dumps(novel if n % 2 else trade()) for n in range(600))
    assert to_fills(body, "0.lz4")[1] == {"shard": 300, "side_info.mood": 600}
