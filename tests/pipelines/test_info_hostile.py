"""Answers with one value replaced by anything, anywhere: a clear error, or good rows."""

from collections import Counter
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.info.account_fills import to_account_fills
from pipelines.sources.info.dexes import to_dexes
from pipelines.sources.info.leaderboard import to_accounts
from pipelines.sources.info.metas import to_contexts, to_meta
from pipelines.sources.info.modes import to_mode, to_spot
from pipelines.sources.info.series import to_candles, to_funding
from pipelines.sources.info.states import to_state
from pipelines.sources.info.trades import to_heard, to_trades
from tests.pipelines.test_info_answers import CONTEXT, META, STATE, json_values
from tests.pipelines.test_info_modes import USDC
from tests.rows import batch
from warehouse.contracts.tables import CANDLES, FUNDING, INSTRUMENTS, POSITIONS

NOW = datetime(2026, 8, 22, tzinfo=UTC)
ACCOUNT = "0x" + "ab" * 20
BAR = {"t": 0, "T": 59_999, "s": "BTC", "i": "1m", "v": "0", "n": 0} | dict.fromkeys(
    "ohlc", "1.0"
)
RATE = {"coin": "BTC", "fundingRate": "-0.0002", "premium": "-0.0005", "time": 1}
TRADE = {
    "coin": "BTC",
    "side": "B",
    "px": "100.0",
    "sz": "2.0",
    "time": 1_767_571_200_000,
    "hash": "0x0",
    "tid": 7,
    "users": [ACCOUNT, "0x" + "cd" * 20],
}
FILL = {
    "coin": "ETH",
    "px": "4215.9",
    "sz": "0.3",
    "side": "A",
    "time": 1_761_584_399_797,
    "startPosition": "0.3",
    "dir": "Close Long",
    "closedPnl": "-1.5",
    "oid": 7,
    "crossed": True,
    "fee": "0.2",
    "tid": 9,
    "feeToken": "USDC",
    "liquidation": {"liquidatedUser": ACCOUNT, "markPx": "4216.5", "method": "market"},
}

TRANSLATIONS = {
    "state": (STATE, lambda value: to_state(value, ACCOUNT)),
    "meta": (META, lambda value: to_meta(value, NOW)),
    "contexts": ([META, [CONTEXT, CONTEXT]], lambda value: to_contexts(value, NOW)),
    "dexes": ([None, {"name": "xyz"}], to_dexes),
    "candles": ([BAR], lambda value: to_candles(value, "BTC", "1m", NOW)),
    "funding": ([RATE], lambda value: to_funding(value, "BTC")),
    "mode": ("default", lambda value: to_mode(value, ACCOUNT)),
    "spot": ({"balances": [USDC]}, lambda value: to_spot(value, ACCOUNT)),
    "trades": ([TRADE], lambda value: to_trades(value, "recentTrades BTC")),
    "fills": ([FILL], lambda value: to_account_fills(value, ACCOUNT)),
    "leaderboard": (
        {"leaderboardRows": [{"ethAddress": ACCOUNT, "accountValue": "1.5"}]},
        to_accounts,
    ),
}
each_translation = pytest.mark.parametrize("name", TRANSLATIONS)


def places(value):
    """Return holder and key of every value in a value."""
    if not isinstance(value, dict | list):
        return []
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [(value, key) for key, _ in pairs] + [
        place for _, inner in pairs for place in places(inner)
    ]


hostile = st.one_of(
    json_values,
    st.sampled_from(
        [
            2**63,
            -(2**63) - 1,
            10**400,
            1e308,
            float("nan"),
            "1e99",
            "-0",
            "٣",
            "",
            "\x00",
            "9" * 30,
        ]
    ),
)


@each_translation
def test_what_is_as_documented_is_read(name):
    answer, translate = TRANSLATIONS[name]
    translate(answer)


@each_translation
@given(data=st.data())
def test_one_value_replaced_or_left_out_is_refused_or_read(name, data):
    answer, translate = TRANSLATIONS[name]
    whole = [deepcopy(answer)]
    holder, key = data.draw(st.sampled_from(places(whole)))
    if isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(hostile)
    with suppress(SourceError):
        translate(whole[0])


LANDED = {
    "state": (POSITIONS, lambda state: state.positions, "snapshot_ts"),
    "meta": (INSTRUMENTS, lambda meta: meta.instruments, "effective_ts"),
    "candles": (CANDLES, lambda rows: rows, "start_ts"),
    "funding": (FUNDING, lambda rows: rows, "time_ts"),
}


@pytest.mark.parametrize("name", LANDED)
@given(data=st.data())
def test_what_is_read_keeps_the_contract(name, data):
    """One odd answer must not keep the others of its batch from being landed."""
    answer, translate = TRANSLATIONS[name]
    whole = [deepcopy(answer)]
    holder, key = data.draw(st.sampled_from(places(whole)))
    likely = st.sampled_from(["0.0", "-1.5", "", 0, -1, 2**40, "isolated", "ETH", None])
    holder[key] = data.draw(hostile | likely)
    table, rows_of, time = LANDED[name]
    with suppress(SourceError):
        rows = rows_of(translate(whole[0]))
        more = {"source": "info", "scope": "hyperliquid", "known_ts": NOW, time: NOW}
        names = set(table.schema.names)
        table.check(batch(table, [{k: more.get(k) for k in names} | row for row in rows]))


def test_a_coin_that_is_there_twice_is_refused():
    with pytest.raises(SourceError, match="field name must be there once, is 'BTC'"):
        to_meta(META | {"universe": [META["universe"][0]] * 2}, NOW)
    with pytest.raises(SourceError, match="field coin must be there once, is 'BTC'"):
        to_state(STATE | {"assetPositions": STATE["assetPositions"] * 2}, ACCOUNT)


def test_lists_within_lists_are_refused_and_shown_shortly():
    deep = orjson.loads(b"[" * 1000 + b"]" * 1000)
    for translate in (to_mode, to_spot, to_state):
        with pytest.raises(SourceError, match=r"is a .*lists within lists"):
            translate(deep, ACCOUNT)


@each_translation
@pytest.mark.parametrize(
    "junk", [None, 7, "x", [], {}, [[]], [None], [[], []]], ids=lambda value: repr(value)
)
def test_something_else_altogether_is_refused_or_read(name, junk):
    _, translate = TRANSLATIONS[name]
    with suppress(SourceError):
        translate(junk)


@given(st.binary() | st.text() | st.builds(orjson.dumps, st.lists(st.booleans())))
def test_a_message_that_is_none_is_counted(text):
    unknown = Counter()
    assert to_heard(text, unknown) == []
    assert unknown.total() <= 1


@pytest.mark.parametrize("text", ["", "[]", "7", '{"channel":"sky"}', b"\xff"])
def test_a_message_of_no_known_channel_is_counted(text):
    unknown = Counter()
    to_heard(text, unknown)
    assert unknown.total() == 1


def test_fills_so_deep_that_they_are_no_json_are_refused():
    deep = []
    for _ in range(400):
        deep = [deep]
    with pytest.raises(SourceError, match="userFillsByTime"):
        to_account_fills([FILL | {"hash": deep}], ACCOUNT)


def test_a_fill_that_is_not_as_documented_names_account_and_field():
    with pytest.raises(SourceError, match=f"userFillsByTime {ACCOUNT} .*field px: must be"):
        to_account_fills([FILL | {"px": 4215.9}], ACCOUNT)


def test_fills_have_the_columns_of_node_fills():
    rows, unknown = to_account_fills([FILL | {"mood": 1}], ACCOUNT.upper().replace("X", "x"))
    assert isinstance(rows, pa.Table)
    (row,) = rows.to_pylist()
    assert (row["account"], row["liquidation_method"]) == (ACCOUNT, "market")
    assert dict(unknown) == {"mood": 1}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ([None, None], "dex '' is there twice"),
        ([None, {"name": "a/b"}], "field name must be letters and digits, is 'a/b'"),
        ([None, {"name": ""}], "field name must be letters and digits"),
    ],
)
def test_a_dex_that_could_be_no_scope_is_refused(answer, complaint):
    with pytest.raises(SourceError, match=complaint):
        to_dexes(answer)


def test_a_trade_with_one_address_is_refused():
    with pytest.raises(SourceError, match="field users must be two addresses"):
        to_trades([TRADE | {"users": [ACCOUNT]}], "recentTrades BTC")


def test_a_bar_that_ends_before_it_begins_is_refused():
    with pytest.raises(SourceError, match="field T must be after t"):
        to_candles([BAR | {"t": 60_000}], "BTC", "1m", NOW)


def test_a_bar_is_known_when_it_has_ended():
    (row,) = to_candles([BAR], "BTC", "1m", NOW)
    assert row["known_ts"] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    (rate,) = to_funding([RATE], "BTC")
    assert rate["known_ts"] == rate["time_ts"]
