import json

import pytest

from tests.simulator.serving import busiest, candle_request


def keys(value):
    """Return the fields of a value, those of a list's items together."""
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in value.items()}
    if isinstance(value, list):
        merged = {}
        for inner in value:
            found = keys(inner)
            if isinstance(found, dict):
                merged |= found
        return merged
    return type(value).__name__


def lacks(real, ours, path=""):
    """Return the fields that the real answer has and ours lacks, or has of another kind."""
    if not isinstance(real, dict):
        same = real == ours or "NoneType" in (real, ours)
        return [] if same else [f"{path}: {real} is {ours}"]
    out = []
    for name, inner in real.items():
        if not isinstance(ours, dict) or name not in ours:
            out.append(f"{path}.{name}")
        else:
            out += lacks(inner, ours[name], f"{path}.{name}")
    return out


# Fields of the recorded answers that the venue no longer gives.
GONE = {".assetPositions.position.maxTradeSzs"}


@pytest.mark.parametrize(
    ("file", "body"),
    [
        ("test_get_user_state", {"type": "clearinghouseState"}),
        ("test_get_user_fills", {"type": "userFills"}),
        ("test_get_user_fills_by_time", {"type": "userFillsByTime", "startTime": 0}),
        ("test_get_candles_snapshot_1", {"type": "candleSnapshot"}),
        ("test_get_funding_history_1684811870000_1", {"type": "fundingHistory"}),
        ("test_get_l2_snapshot_1", {"type": "l2Book"}),
        ("test_get_info", {"type": "meta"}),
        ("sample_http_l2_book_btc", {"type": "l2Book"}),
        ("sample_http_recent_trades_btc", {"type": "recentTrades"}),
        ("sample_http_funding_history", {"type": "fundingHistory"}),
        ("sample_http_user_fills_dust_conversion", {"type": "userFills"}),
        (
            "sample_http_clearinghouse_state_negative_total_raw_usd",
            {"type": "clearinghouseState"},
        ),
    ],
)
def test_no_field_of_the_recorded_answers_is_missing(real, venue, ask, file, body):
    recorded = json.loads((real / "info" / f"{file}.json").read_text())
    recorded = recorded.get("response", recorded) if isinstance(recorded, dict) else recorded
    body = {
        "user": busiest(venue),
        "coin": "BTC",
        "startTime": 0,
        "req": candle_request("BTC", "1h"),
        **body,
    }
    assert set(lacks(keys(recorded), keys(ask(body.pop("type"), **body)))) <= GONE


def test_contexts_have_the_fields_of_the_recorded_ones_in_their_order(real, ask):
    recorded = json.loads((real / "info/sample_ws_all_dexs_asset_ctxs.json").read_text())
    ours = ask("metaAndAssetCtxs")[1]
    for theirs in recorded["data"]["ctxs"][0][1]:
        assert list(theirs) == list(ours[0])
    assert lacks(keys(recorded["data"]["ctxs"][0][1][:1]), keys(ours[:1])) == []


def test_fills_have_their_fields_in_the_order_of_real_ones(real, venue, ask):
    import lz4.frame

    path = "raw-blocks/hl-mainnet-node-data/node_fills_by_block/hourly/20251027/17.lz4"
    with lz4.frame.open(real / path) as file:
        events = [event for line in file for event in json.loads(line)["events"]]
    order = (
        "coin px sz side time startPosition dir closedPnl hash oid crossed fee builderFee tid"
    )
    order = [*order.split(), "cloid", "liquidation", "feeToken", "builder", "twapId"]
    theirs = [list(fill) for _, fill in events]
    ours = [
        list(fill)
        for user in venue.listing.addresses[:120]
        for fill in ask("userFills", user=user)
    ]
    for names in theirs + ours:
        assert names == [name for name in order if name in names]
    assert {name for names in ours for name in names} == set(order)
