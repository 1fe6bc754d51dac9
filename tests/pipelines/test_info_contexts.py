import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.serve.answers import answer
from pipelines.sources.errors import SourceError
from pipelines.sources.info.metas import to_contexts
from tests.pipelines.data_damage import hostile, unless_refused, values
from tests.pipelines.test_info_answers import CONTEXT, META, NOW
from tests.rows import batch
from tests.simulator.serving import small_venue
from warehouse.contracts.tables import ASSET_CONTEXTS

NEW = ("premium", "mid_px", "impact_bid_px", "impact_ask_px", "prev_day_px")
FULL = CONTEXT | {
    "premium": "-0.0005927453",
    "midPx": "77558.5",
    "impactPxs": ["77558.0", "77559.0"],
    "prevDayPx": "76317.0",
}


def context(**changes):
    whole = {name: value for name, value in (FULL | changes).items() if value is not ...}
    return to_contexts([META, [whole, CONTEXT]], NOW)[1][0]


def held(rows):
    whole = [row | {"source": "test", "known_ts": row["context_ts"]} for row in rows]
    return ASSET_CONTEXTS.check(batch(ASSET_CONTEXTS, whole))


def test_what_the_book_shows_is_read():
    row = context()
    assert [row[name] for name in NEW] == [-0.0005927453, 77558.5, 77558.0, 77559.0, 76317.0]
    assert set(row) | {"source", "known_ts"} == set(ASSET_CONTEXTS.schema.names)
    assert held([row]).num_rows == 1


@pytest.mark.parametrize("nothing", [None, ...], ids=["null", "missing"])
def test_what_a_coin_lacks_is_null(nothing):
    row = context(**dict.fromkeys(("premium", "midPx", "impactPxs", "prevDayPx"), nothing))
    assert [row[name] for name in NEW] == [None] * 5
    assert row["mark_px"] == 100.0


def test_a_price_of_nothing_a_day_ago_is_null():
    assert context(prevDayPx="0.0")["prev_day_px"] is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"impactPxs": ["1.0"]}, "field impactPxs must be a pair of bid and ask"),
        ({"impactPxs": {"bid": "1.0"}}, "field impactPxs must be a pair of bid and ask"),
        ({"impactPxs": ["1.0", 2.0]}, "impactPxs: field impact_ask_px must be a decimal"),
        ({"impactPxs": ["NaN", "2.0"]}, "impactPxs: field impact_bid_px must be a decimal"),
        ({"impactPxs": [None, "2.0"]}, "impactPxs: field impact_bid_px must not be null"),
        ({"impactPxs": ["0.0", "2.0"]}, "impactPxs: field impact_bid_px must be above 0"),
        ({"midPx": 1.0}, "field midPx must be a decimal in text"),
        ({"premium": "x"}, "field premium must be a decimal in text"),
        ({"prevDayPx": True}, "field prevDayPx must be a decimal in text"),
    ],
)
def test_a_context_that_is_not_as_documented_is_refused(change, complaint):
    with pytest.raises(SourceError, match=f"metaAndAssetCtxs 0.*{complaint}"):
        context(**change)


@hostile
@given(st.sampled_from([*FULL]), values)
def test_any_value_is_refused_or_read(name, value):
    if (row := unless_refused(lambda: context(**{name: value}))) is not None:
        given = value if isinstance(value, list) else [value]
        assert all(each is None or isinstance(each, str) for each in given)
        assert set(row) | {"source", "known_ts"} == set(ASSET_CONTEXTS.schema.names)


def test_a_served_venues_contexts_keep_the_contract():
    venue = small_venue()
    served = answer(venue, {"type": "metaAndAssetCtxs"}).value
    _, rows = to_contexts(served, NOW)
    by_coin = dict(
        zip((coin["name"] for coin in served[0]["universe"]), served[1], strict=True)
    )
    assert "ADA" not in {row["coin"] for row in rows}  # delisted
    assert held(rows).num_rows == len(rows) == len(by_coin) - 1
    for row in rows:
        given = by_coin[row["coin"]]
        assert row["prev_day_px"] == float(given["prevDayPx"])
        if given["impactPxs"]:
            assert [row["impact_bid_px"], row["impact_ask_px"]] == [
                *map(float, given["impactPxs"])
            ]
        if row["mid_px"] is not None:
            assert row["impact_bid_px"] <= row["mid_px"] <= row["impact_ask_px"]


def test_recorded_contexts_keep_the_contract(real):
    """Contexts of every dex from a recorded message, beside made-up coins."""
    message = json.loads((real / "info/sample_ws_all_dexs_asset_ctxs.json").read_text())
    with_book = 0
    for dex, contexts in message["data"]["ctxs"]:
        coins = [
            {"name": f"C{n}", "szDecimals": 0, "maxLeverage": 3} for n in range(len(contexts))
        ]
        _, rows = to_contexts([{"universe": coins, "marginTables": []}, contexts], NOW)
        assert len(rows) == len(contexts), dex
        assert [row["premium"] for row in rows] == [
            None if each["premium"] is None else float(each["premium"]) for each in contexts
        ]
        held(rows)
        with_book += sum(row["impact_bid_px"] is not None for row in rows)
    # Of the file's 412 contexts 78 have no impact prices.
    assert with_book == 334
