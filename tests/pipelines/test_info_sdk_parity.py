"""The venue's own client and ours ask the same questions, and get and read the same."""

import asyncio
from datetime import datetime

import pytest

from pipelines.sources.info.account_fills import to_account_fills
from pipelines.sources.info.books import to_book
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.dexes import to_dexes
from pipelines.sources.info.metas import to_contexts, to_meta
from pipelines.sources.info.modes import to_mode, to_spot
from pipelines.sources.info.series import to_candles, to_funding
from pipelines.sources.info.states import to_state
from tests.simulator.serving import START, busiest, served, small_venue

hyperliquid = pytest.importorskip("hyperliquid.info")

HOUR = 3_600_000
NOW = datetime.fromisoformat("2026-08-22T00:00Z")
USER = busiest(small_venue())
END = START + 3 * HOUR
SPAN = {"startTime": START, "endTime": END}

QUESTIONS = {
    "meta": (
        {"type": "meta"},
        lambda sdk: sdk.meta(),
        lambda answer: to_meta(answer, NOW),
    ),
    "contexts": (
        {"type": "metaAndAssetCtxs"},
        lambda sdk: sdk.meta_and_asset_ctxs(),
        lambda answer: to_contexts(answer, NOW),
    ),
    "dexes": ({"type": "perpDexs"}, lambda sdk: sdk.perp_dexs(), to_dexes),
    "state": (
        {"type": "clearinghouseState", "user": USER},
        lambda sdk: sdk.user_state(USER),
        lambda answer: to_state(answer, USER),
    ),
    "spot": (
        {"type": "spotClearinghouseState", "user": USER},
        lambda sdk: sdk.spot_user_state(USER),
        lambda answer: to_spot(answer, USER),
    ),
    "mode": (
        {"type": "userAbstraction", "user": USER},
        lambda sdk: sdk.query_user_abstraction_state(USER),
        lambda answer: to_mode(answer, USER),
    ),
    "candles": (
        {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1h", **SPAN}},
        lambda sdk: sdk.candles_snapshot("BTC", "1h", START, END),
        lambda answer: to_candles(answer, "BTC", "1h", NOW),
    ),
    "funding": (
        {"type": "fundingHistory", "coin": "BTC", **SPAN},
        lambda sdk: sdk.funding_history("BTC", START, END),
        lambda answer: to_funding(answer, "BTC"),
    ),
    "fills": (
        {"type": "userFillsByTime", "user": USER, **SPAN},
        lambda sdk: sdk.user_fills_by_time(USER, START, END),
        lambda answer: to_account_fills(answer, USER),
    ),
    "book": (
        {"type": "l2Book", "coin": "BTC"},
        lambda sdk: sdk.l2_snapshot("BTC"),
        lambda answer: to_book(answer, "BTC"),
    ),
}


@pytest.fixture(scope="module")
def both():
    """Return both clients' ways to ask, of one server."""
    with served(small_venue()) as (url, _):
        sdk = hyperliquid.Info(base_url=url, skip_ws=True)

        async def ask(body):
            async with InfoClient(url) as client:
                return await client.ask(body)

        yield sdk, lambda body: asyncio.run(ask(body))
        sdk.session.close()


@pytest.mark.parametrize("name", QUESTIONS)
def test_both_clients_get_and_read_the_same(both, name):
    sdk, ours = both
    body, theirs, translate = QUESTIONS[name]
    answer = ours(body)
    assert answer == theirs(sdk)
    assert translate(answer) == translate(theirs(sdk))
    # Something was asked for: equal nothings would say little.
    assert answer
