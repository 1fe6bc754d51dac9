import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.made_trade_ids import made_trade_id
from pipelines.sources.node_fill_faults import first_fault
from pipelines.sources.node_trade_faults import trade_faults
from pipelines.sources.node_trade_rows import to_fills
from pipelines.sources.trade_directions import directions
from tests.pipelines.data_fills import OTHER, USER, above_zero, body_of, decimals, users
from tests.pipelines.data_hostile import OFTEN, hostile, refused_or_right
from warehouse.contracts.fills import FILLS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def side(**changes):
    whole = {"user": USER, "start_pos": "0.0", "oid": 11, "twap_id": None, "cloid": None}
    whole |= changes
    return {name: value for name, value in whole.items() if value is not ...}


def trade(buyer=None, seller=None, **changes):
    """Return one trade; a field given as ``...`` is left out."""
    whole = {
        "coin": "AAVE",
        "side": "B",
        "time": "2025-05-25T13:59:59.974190721",
        "px": "264.56",
        "sz": "0.06",
        "hash": "0x84a0",
        "trade_dir_override": "Na",
        "side_info": [
            side(**(buyer or {})),
            side(**{"user": OTHER, "oid": 12} | (seller or {})),
        ],
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def rows_of(*trades):
    return to_fills(body_of(map(json.dumps, trades)), "13.lz4")[0].to_pylist()


def word_of(coin, start, size, is_buy):
    """Say what a fill does, one case after the other."""
    if coin.startswith("@") or "/" in coin:
        return "Buy" if is_buy else "Sell"
    if size <= 0:
        return None
    end = start + size if is_buy else start - size
    if is_buy:
        if start >= 0:
            return "Open Long"
        return "Close Short" if end <= 0 else "Short > Long"
    if start <= 0:
        return "Open Short"
    return "Close Long" if end >= 0 else "Long > Short"


def moment_of(text):
    whole, _, rest = text.partition(".")
    time = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return time + int(rest.ljust(9, "0")) // 1000 * MICROSECOND


def plain(body):
    """Read trades the slow way."""
    rows, unknown = [], Counter()
    known = {*("coin", "side", "time", "px", "sz", "hash"), "trade_dir_override", "side_info"}
    for line in body.splitlines():
        given = json.loads(line)
        unknown.update(given.keys() - known)
        both, time = given["side_info"], moment_of(given["time"])
        size, forced = float(given["sz"]), given["trade_dir_override"] == "LiquidatedMarket"
        pair = []
        for place, each in enumerate(both):
            odd = each.keys() - {"user", "start_pos", "oid", "twap_id", "cloid"}
            unknown.update(f"side_info.{name}" for name in odd)
            start, is_buy = float(each["start_pos"]), place == 0
            word = word_of(given["coin"], start, size, is_buy)
            if both[0]["user"].lower() == both[1]["user"].lower():
                word = None
            if given["trade_dir_override"] == "NetChildVaultPositions":
                word = "Net Child Vaults"
            pair.append(
                {
                    "time_ts": time,
                    "coin": given["coin"],
                    "account": each["user"].lower(),
                    "px": float(given["px"]),
                    "size": size,
                    "is_buy": is_buy,
                    "start_position": start,
                    "direction": word,
                    "closed_pnl": None,
                    "fee": None,
                    "fee_token": None,
                    "trade_id": made_trade_id(
                        *(one["oid"] for one in both),
                        (time - EPOCH) // MICROSECOND,
                        given["coin"],
                    ),
                    "order_id": each["oid"],
                    "is_taker": is_buy == (given["side"] == "B"),
                    "liquidation_method": "market" if forced else None,
                    "liquidated_account": None,
                    "liquidation_mark_px": None,
                }
            )
        taker = next(row for row in pair if row["is_taker"])
        if forced and (taker["direction"] or "").startswith("Close "):
            for row in pair:
                row["liquidated_account"] = taker["account"]
        rows += pair
    return rows, unknown


sides = st.fixed_dictionaries(
    {
        "user": users,
        "start_pos": decimals | st.sampled_from(["0.0", "-0.5", "0.5"]),
        "oid": st.integers(-(2**63), 2**63 - 1),
    },
    optional={"twap_id": st.none() | st.integers(), "cloid": st.none(), "mood": st.integers()},
)
trades = st.fixed_dictionaries(
    {
        "coin": st.sampled_from(["BTC", "xyz:TSLA", "@107", "PURR/USDC", "ÉTH"]),
        "side": st.sampled_from("AB"),
        "time": st.sampled_from(
            [
                "2025-05-25T13:59:59.974190721",
                "2025-03-22T10:00:00",
                "2025-06-21T23:59:59.9",
                "1970-01-01T00:00:00.000000999",
            ]
        ),
        "px": above_zero,
        "sz": above_zero | st.sampled_from(["0.5", "0.0"]),
        "trade_dir_override": st.sampled_from(
            ["Na", "LiquidatedMarket", "NetChildVaultPositions"]
        ),
        "side_info": st.lists(sides, min_size=2, max_size=2),
    },
    optional={"hash": st.text(max_size=3), "shard": st.integers()},
)
files = st.lists(trades, max_size=4)


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


def test_made_ids_are_the_same_for_ever():
    # BLAKE2b by another implementation: b2sum --length 64, its first 50 bits.
    assert made_trade_id(11, 12, 1748181599974190, "AAVE") == -734292677214269


@given(
    orders=st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 2),
    time=st.integers(0, 2**60),
    coin=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
def test_made_ids_are_negative_and_of_50_bits(orders, time, coin):
    assert -(2**50) <= made_trade_id(*orders, time, coin) < 0


def test_made_ids_differ_by_each_thing_they_are_made_from():
    ids = [
        made_trade_id(*made)
        for made in [(1, 2, 3, "A"), (2, 1, 3, "A"), (1, 2, 4, "A"), (1, 2, 3, "B")]
    ]
    ids += [made_trade_id(n, n + 1, 5, "A") for n in range(10_000)]
    assert len(set(ids)) == len(ids)


def test_a_made_id_does_not_depend_on_what_else_is_in_the_file():
    many = [trade({"oid": n}) for n in range(600)]
    alone = [rows_of(each)[0]["trade_id"] for each in many[::100]]
    assert [row["trade_id"] for row in rows_of(*many)[::200]] == alone


def test_unknown_fields_are_counted_exactly():
    novel = trade({"mood": 1}, {"mood": 2}, shard=3)
    body = body_of(json.dumps(novel if n % 2 else trade()) for n in range(600))
    assert to_fills(body, "0.lz4")[1] == {"shard": 300, "side_info.mood": 600}


DECIMAL, INTEGER = "must be a decimal string", "must be an integer of 64 bits"
TIME = "must be YYYY-MM-DDTHH:MM:SS, with or without .n"
KINDS = "must be Na or LiquidatedMarket or NetChildVaultPositions"
FAULTS = [
    *(({"coin": value}, "coin: must be a string") for value in (..., None, 7)),
    *(({"px": value}, f"px: {DECIMAL}") for value in (..., None, 1.5, "", "NaN", "1e400")),
    *(({"sz": value}, f"sz: {DECIMAL}") for value in (..., None, [], "1_0")),
    *(({"side": value}, "side: must be A or B") for value in (..., None, "b", [])),
    *(
        ({"trade_dir_override": value}, f"trade_dir_override: {KINDS}")
        for value in (..., "", [])
    ),
    *(
        ({"side_info": value}, "side_info: must be [buyer, seller]")
        for value in (..., None, {}, {"a": 1, "b": 2}, "ab", [], [{}], [side()] * 3, 7)
    ),
    *(({"side_info": [side(), v]}, "side_info[1]: must be an object") for v in (None, "ab")),
    *(({"buyer": {"oid": v}}, f"side_info[0].oid: {INTEGER}") for v in (..., "7", 1.0, True)),
    *(({"seller": {"start_pos": v}}, f"side_info[1].start_pos: {DECIMAL}") for v in (..., 1)),
    *(({"seller": {"user": v}}, "side_info[1].user: must be a string") for v in (..., None)),
    *(
        ({"time": value}, f"time: {TIME}")
        for value in (
            *(
                ...,
                None,
                1748181599974,
                "",
                "2025-05-25",
                "2025-05-25T13:59",
                "٢٠٢٥-05-25T13:59:59",
            ),
            *("2025-05-25T13:59:59Z", "2025-05-25 13:59:59", "2025-02-30T00:00:00"),
            *("2025-05-25T24:00:00", "2025-05-25T23:59:60", "2025-05-25T13:59:59."),
            *("2025-05-25T13:59:59.1234567890", "1969-12-31T23:59:59", "2025-05-25T13:59:59\n"),
        )
    ),
]


@pytest.mark.parametrize(("changes", "says"), FAULTS)
def test_a_fault_is_named_by_file_line_and_field(changes, says):
    lines = [trade() for _ in range(300)] + [trade(**changes)]
    for rest in ([], [trade(px=None)]):
        with pytest.raises(SourceError) as caught:
            to_fills(body_of(map(json.dumps, lines + rest)), "20250601/3.lz4")
        assert str(caught.value).startswith(f"20250601/3.lz4 line 301: trade field {says}, is ")


@pytest.mark.parametrize("line", ["{", "", "[]", "null", '{"px":NaN}', '"trade"'])
def test_a_line_that_is_no_trade_is_named(line):
    with pytest.raises(SourceError, match=r"^0\.lz4 line 2: must be (JSON|a trade)"):
        to_fills(body_of([json.dumps(trade()), line]), "0.lz4")


@given(body=hostile(files))
@OFTEN
def test_a_harmed_line_is_refused_or_read_rightly(body):
    refused_or_right(to_fills, plain, body)
    if first_fault(body, "0.lz4", trade_faults) is None:
        to_fills(body, "0.lz4")
