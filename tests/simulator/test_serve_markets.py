from decimal import Decimal

import pytest

from pipelines.simulator.serve.answers import answer
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from tests.simulator.serving import START, candle_request, positions

MINUTE = 60_000
HOUR = 3_600_000


def test_a_delisted_coin_is_said_to_be(ask, states):
    meta, contexts = ask("metaAndAssetCtxs")
    gone = [coin["name"] for coin in meta["universe"] if coin.get("isDelisted")]
    assert gone == ["ADA"]
    context = contexts[[coin["name"] for coin in meta["universe"]].index("ADA")]
    nothing = {"openInterest": "0.0", "premium": None, "midPx": None, "impactPxs": None}
    assert context.items() >= nothing.items()
    assert all(position["coin"] != "ADA" for _, position in positions(states))
    assert ask("l2Book", coin="ADA")["levels"] == [[], []]
    assert "ADA" in ask("allMids")
    candles = ask("candleSnapshot", req=candle_request("ADA", "1m"))
    assert len(candles) == 180


@pytest.mark.parametrize("interval", ["3m", "1h", "1d", "1w", "1M"])
def test_candles_hold_what_their_minutes_hold(ask, interval):
    minutes = ask("candleSnapshot", req=candle_request("BTC", "1m"))
    candles = ask("candleSnapshot", req=candle_request("BTC", interval))
    assert len(minutes) == 300
    held = 0
    for candle in candles:
        parts = [each for each in minutes if candle["t"] <= each["t"] <= candle["T"]]
        held += len(parts)
        assert (candle["o"], candle["c"]) == (parts[0]["o"], parts[-1]["c"])
        assert Decimal(candle["h"]) == max(Decimal(each["h"]) for each in parts)
        assert Decimal(candle["l"]) == min(Decimal(each["l"]) for each in parts)
        assert Decimal(candle["v"]) == sum(Decimal(each["v"]) for each in parts)
        assert candle["n"] == sum(each["n"] for each in parts)
    assert held == len(minutes)


def test_candles_are_those_that_overlap_what_is_asked_for(ask):
    request = candle_request("BTC", "1h", START + HOUR + 7, START + 3 * HOUR)
    starts = [each["t"] for each in ask("candleSnapshot", req=request)]
    assert starts == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]


def test_trades_lie_in_their_candles(venue, ask):
    by_minute = {c["t"]: c for c in ask("candleSnapshot", req=candle_request("ETH", "1m"))}
    trades = ask("recentTrades", coin="ETH")
    assert len(trades) > 20
    assert [t["time"] for t in trades] == sorted((t["time"] for t in trades), reverse=True)
    for trade in trades:
        candle = by_minute.get(trade["time"] // MINUTE * MINUTE)
        if candle and trade["time"] % MINUTE > 100:
            assert Decimal(candle["l"]) <= Decimal(trade["px"]) <= Decimal(candle["h"])


def test_funding_is_hourly_and_its_ends_are_included(ask, monkeypatch):
    rows = ask("fundingHistory", coin="BTC", startTime=START + HOUR, endTime=START + 3 * HOUR)
    assert [row["time"] for row in rows] == [START + n * HOUR for n in (1, 2, 3)]
    assert len(ask("fundingHistory", coin="BTC", startTime=0)) == 5
    monkeypatch.setattr("pipelines.simulator.serve.markets.MOST_FUNDINGS", 2)
    assert ask("fundingHistory", coin="BTC", startTime=START + HOUR, endTime=None) == rows[:2]


@pytest.mark.parametrize(("figures", "mantissa"), [(2, None), (4, None), (5, 2), (5, 5)])
def test_a_rounded_book_holds_the_same_sizes(ask, figures, mantissa):
    whole = ask("l2Book", coin="BTC")
    rounded = ask("l2Book", coin="BTC", nSigFigs=figures, mantissa=mantissa)
    for side, sign in ((0, -1), (1, 1)):
        prices = [Decimal(level["px"]) * sign for level in rounded["levels"][side]]
        assert prices == sorted(set(prices))
        for name in ("sz", "n"):
            assert sum(Decimal(level[name]) for level in rounded["levels"][side]) == sum(
                Decimal(level[name]) for level in whole["levels"][side]
            )
    best = [Decimal(levels[0]["px"]) for levels in rounded["levels"]]
    assert best[0] <= Decimal(whole["levels"][0][0]["px"]) < best[1]


def test_a_day_is_the_last_24_hours():
    sim = Simulation(WorldSpec(coins=3, accounts=60))
    told = sim.run(30)
    before = sim.world.coins["mark"][0]
    sim = Simulation(WorldSpec(coins=3, accounts=60))
    venue = open_venue(sim, 1400)
    for minutes in (30, 39, 1):
        venue = venue.after(sim.run(minutes))
    context = answer(venue, {"type": "metaAndAssetCtxs"}).value[1][0]
    assert Decimal(context["prevDayPx"]) == Decimal(int(before)) / 10
    rows = venue.tape.trades.rows
    rows = rows[(rows["coin"] == 0) & (rows["ms"] >= venue.ms - 24 * HOUR)]
    assert told.trades["ms"][-1] < rows["ms"][0]
    assert Decimal(context["dayBaseVlm"]) == Decimal(int(rows["size"].sum())) / 10**5
    value = int((rows["size"] * rows["px"]).sum())
    assert Decimal(context["dayNtlVlm"]) == Decimal(value) / 10**6


def test_a_book_that_does_not_exist_is_null(ask):
    assert ask("l2Book", coin="NOPE") is None
