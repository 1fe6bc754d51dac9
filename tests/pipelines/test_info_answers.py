import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.info.dexes import to_dexes
from pipelines.sources.info.metas import to_contexts, to_meta
from pipelines.sources.info.series import to_candles, to_funding
from pipelines.sources.info.states import to_state

NOW = datetime(2026, 8, 22, tzinfo=UTC)
ACCOUNT = "0x" + "ab" * 20


def recorded(real, name):
    pair = json.loads((real / "info" / name).read_text())
    return pair["request"], pair["response"]


def test_a_recorded_state_is_read(real):
    request, answer = recorded(real, "test_get_user_state.json")
    # The recording is of May 2023, before answers had a time.
    state = to_state({**answer, "time": 1684000000000}, request["user"])
    by_coin = {row["coin"]: row for row in state.positions}
    assert by_coin["BTC"]["size"] == -0.00785
    assert by_coin["BTC"]["liquidation_px"] == 173198.69592357
    assert by_coin["ETH"]["liquidation_px"] is None
    btc = by_coin["BTC"]
    assert abs(btc["size"]) * btc["mark_px"] == pytest.approx(211.64542, rel=1e-15)
    assert by_coin["BTC"]["max_leverage"] is None
    assert not state.unknown


def test_recorded_candles_are_read(real):
    request, answer = recorded(real, "test_get_candles_snapshot_1.json")
    asked = request["req"]
    rows = to_candles(answer, asked["coin"], asked["interval"], NOW)
    assert len(rows) == len(answer)
    assert [row["close_px"] for row in rows] == [float(bar["c"]) for bar in answer]


def test_recorded_funding_is_read(real):
    request, answer = recorded(real, "test_get_funding_history_None_1.json")
    rows = to_funding(answer, request["coin"])
    assert [row["rate"] for row in rows] == [float(each["fundingRate"]) for each in answer]


def test_a_bar_that_has_not_ended_is_left_out():
    bar = {"t": 0, "T": 899_999, "s": "BTC", "i": "15m", "v": "0", "n": 0}
    bar |= dict.fromkeys("ohlc", "1.0")
    before, after = (datetime.fromtimestamp(second, UTC) for second in (899, 900))
    assert to_candles([bar], "BTC", "15m", before) == []
    assert len(to_candles([bar], "BTC", "15m", after)) == 1


def test_an_answer_about_something_else_is_refused():
    with pytest.raises(SourceError, match="is of BTC"):
        to_funding([{"coin": "BTC", "fundingRate": "0", "time": 0}], "ETH")


META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        {"name": "WIF", "szDecimals": 0, "maxLeverage": 5, "marginTableId": 5},
    ],
    "marginTables": [
        [
            56,
            {
                "description": "tiered 40x",
                "marginTiers": [
                    {"lowerBound": "0.0", "maxLeverage": 40},
                    {"lowerBound": "150000000.0", "maxLeverage": 20},
                ],
            },
        ]
    ],
}
CONTEXT = {"markPx": "100.0", "openInterest": "2.5", "funding": "0.0000125", "oraclePx": "99.0"}


def test_contexts_stand_beside_their_coins():
    meta, rows = to_contexts([META, [CONTEXT, {**CONTEXT, "markPx": None}]], NOW)
    assert meta.instruments[1]["margin_tiers"] == [{"lower_bound": 0.0, "max_leverage": 5.0}]
    assert rows[0]["open_interest_notional"] == 250.0
    assert rows[1]["mark_px"] is None
    assert rows[1]["open_interest_notional"] is None


def test_a_context_too_few_is_refused():
    with pytest.raises(SourceError, match="2 coins and 1 contexts"):
        to_contexts([META, [CONTEXT]], NOW)


def test_a_margin_table_that_is_not_there_is_refused():
    with pytest.raises(SourceError, match="marginTableId 56 is in no marginTables"):
        to_meta({**META, "marginTables": []}, NOW)


POSITION = {
    "coin": "BTC",
    "szi": "-0.5",
    "entryPx": "90000.0",
    "positionValue": "45500.0",
    "liquidationPx": None,
    "marginUsed": "4550.0",
    "maxLeverage": 40,
    "leverage": {"type": "cross", "value": 10},
    "cumFunding": {"allTime": "1.0", "sinceOpen": "0.5", "sinceChange": "0.0"},
}
STATE = {
    "assetPositions": [{"position": POSITION, "type": "oneWay"}],
    "marginSummary": {"accountValue": "10000.0"},
    "time": 1_767_571_200_000,
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"szi": 0.5}, "field szi must be a decimal in text, is 0.5"),
        ({"szi": None}, "field szi must not be null"),
        ({"szi": "NaN"}, "field szi must be a decimal"),
        ({"positionValue": "1e999"}, "field positionValue must be"),
        ({"leverage": "cross"}, "must be an object, is 'cross'"),
        ({"maxLeverage": "40"}, "field maxLeverage must be a whole number"),
        ({"coin": 7}, "field coin must be text"),
    ],
)
def test_a_state_that_is_not_as_documented_is_refused(change, complaint):
    held = {"position": {**POSITION, **change}, "type": "oneWay"}
    with pytest.raises(SourceError, match=f"clearinghouseState {ACCOUNT}.*{complaint}"):
        to_state({**STATE, "assetPositions": [held]}, ACCOUNT)


def test_unknown_fields_are_told():
    held = {"position": {**POSITION, "mood": 1}, "type": "oneWay"}
    state = to_state({**STATE, "assetPositions": [held], "sky": 2}, ACCOUNT)
    assert state.unknown == {"sky", "position.mood"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(json_values, st.sampled_from([*POSITION, "assetPositions", "marginSummary", "time"]))
def test_junk_is_refused_or_read_and_nothing_else(junk, name):
    """A mutated answer is a clear error or a row, never another exception."""
    if name in POSITION:
        held = {"position": {**POSITION, name: junk}, "type": "oneWay"}
        answer = {**STATE, "assetPositions": [held]}
    else:
        answer = {**STATE, name: junk}
    with suppress(SourceError):
        to_state(answer, ACCOUNT)


@given(json_values)
def test_junk_instead_of_an_answer_is_refused(junk):
    for translate in (
        lambda value: to_state(value, ACCOUNT),
        lambda value: to_contexts(value, NOW),
        lambda value: to_meta(value, NOW),
        lambda value: to_candles(value, "BTC", "1h", NOW),
        lambda value: to_funding(value, "BTC"),
        to_dexes,
    ):
        with suppress(SourceError):
            translate(junk)
