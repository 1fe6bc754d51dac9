from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from pipelines.simulator.records import DEPOSIT, WITHDRAWAL
from pipelines.simulator.serve.answers import answer
from pipelines.simulator.serve.leaderboard import leaderboard
from pipelines.simulator.serve.worth import account_values
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation
from tests.simulator.serving import SPEC, positions

NOBODY = "0x" + "0" * 40


def test_sizes_of_each_coin_sum_to_zero_and_longs_to_the_open_interest(ask, states):
    net, longs = defaultdict(Decimal), defaultdict(Decimal)
    for _, position in positions(states):
        size = Decimal(position["szi"])
        net[position["coin"]] += size
        longs[position["coin"]] += max(size, 0)
    assert set(net.values()) == {0}
    meta, contexts = ask("metaAndAssetCtxs")
    for coin, context in zip(meta["universe"], contexts, strict=True):
        assert Decimal(context["openInterest"]) == longs[coin["name"]], coin


def test_liquidation_prices_are_those_of_the_statement(venue, states):
    stated = positions_of(venue.sim, venue.moment)
    rows = {(row["address"], row["name"]): row for row in stated.to_dicts()}
    shown = {(user, position["coin"]): position for user, position in positions(states)}
    assert rows.keys() == shown.keys()
    seen = Counter()
    for key, position in shown.items():
        px = rows[key]["liquidation_px"]
        seen[px is None] += 1
        if position["liquidationPx"] is None:
            assert px is None or px <= 0 or px > 1e15
        else:
            assert float(position["liquidationPx"]) == pytest.approx(px, rel=1e-9, abs=6e-9)
        assert float(position["entryPx"]) == pytest.approx(rows[key]["entry_px"])
        assert float(position["marginUsed"]) == pytest.approx(
            rows[key]["margin_used"], abs=1e-6
        )
        assert position["maxLeverage"] == rows[key]["max_leverage"]
    assert seen[False] > 100
    needed = defaultdict(float)
    for row in rows.values():
        needed[row["address"]] += 0.0 if row["isolated"] else row["maintenance"]
    for user, state in states.items():
        used = float(state["crossMaintenanceMarginUsed"])
        assert used == pytest.approx(needed[user], abs=1e-6)


def test_summaries_follow_from_positions(states):
    for state in states.values():
        sums = defaultdict(Decimal)
        for each in state["assetPositions"]:
            position = each["position"]
            mode = position["leverage"]["type"]
            value = Decimal(position["positionValue"])
            sums[mode, "ntl"] += value
            sums[mode, "value"] += value if Decimal(position["szi"]) > 0 else -value
            sums[mode, "used"] += Decimal(position["marginUsed"])
            raw = position["leverage"].get("rawUsd")
            assert (raw is None) == (mode == "cross")
            sums[mode, "raw"] += Decimal(raw or 0)
        cross = {name: Decimal(text) for name, text in state["crossMarginSummary"].items()}
        whole = {name: Decimal(text) for name, text in state["marginSummary"].items()}
        assert cross["accountValue"] == cross["totalRawUsd"] + sums["cross", "value"]
        assert cross["totalNtlPos"] == sums["cross", "ntl"]
        assert cross["totalMarginUsed"] == sums["cross", "used"]
        free = cross["accountValue"] - cross["totalMarginUsed"]
        assert Decimal(state["withdrawable"]) == max(free, 0)
        for name, part in (("totalNtlPos", "ntl"), ("totalMarginUsed", "used")):
            assert whole[name] == cross[name] + sums["isolated", part]
        assert whole["totalRawUsd"] == cross["totalRawUsd"] + sums["isolated", "raw"]
        own = sums["isolated", "raw"] + sums["isolated", "value"]
        assert whole["accountValue"] == cross["accountValue"] + own
        assert sums["isolated", "used"] == own


def test_grandfathered_positions_keep_their_own_leverage(venue, ask):
    slots = venue.moment.slots.copy()
    at = int(np.flatnonzero(slots["size"])[-1])
    slots["max_leverage"][at] = 7
    old = replace(venue, moment=venue.moment._replace(slots=slots))
    owner = int(np.searchsorted(venue.moment.accounts["end"], at, side="right"))
    user = venue.listing.addresses[owner]
    state = answer(old, {"type": "clearinghouseState", "user": user}).value
    coin = venue.listing.names[slots["coin"][at]]
    most = {p["coin"]: p["maxLeverage"] for _, p in positions({user: state})}
    assert most[coin] == 7
    assert ask("meta") == answer(old, {"type": "meta"}).value


def test_the_documented_account_is_stated_as_documented(venue):
    """The sample of the venue's documentation, but for what depends on margin tiers."""
    accounts, slots = venue.moment.accounts.copy(), venue.moment.slots.copy()
    coins = venue.moment.coins.copy()
    eth = venue.listing.coin_of["ETH"]
    slots["size"] = 0
    accounts["cash"][20] = 13_104_514_502
    coins["mark"][eth] = 298_590
    slot = slots[accounts["first"][20] : accounts["first"][20] + 1]
    slot["coin"], slot["size"], slot["entry"] = eth, 335, 298_630
    slot["isolated"], slot["leverage"], slot["margin"] = 1, 20, -95_059_824
    slot["table"], slot["max_leverage"] = coins["table"][eth], 50
    slot["funding"] = slot["funding_changed"] = 0
    slot["funding_ever"] = 514_085_417
    moment = venue.moment._replace(accounts=accounts, slots=slots, coins=coins)
    user = venue.listing.addresses[20]
    body = {"type": "clearinghouseState", "user": user}
    state = answer(replace(venue, moment=moment), body).value
    position = state["assetPositions"][0]["position"]
    assert position.pop("liquidationPx")
    assert state == {
        "assetPositions": [
            {
                "position": {
                    "coin": "ETH",
                    "cumFunding": {
                        "allTime": "514.085417",
                        "sinceChange": "0.0",
                        "sinceOpen": "0.0",
                    },
                    "entryPx": "2986.3",
                    "leverage": {"rawUsd": "-95.059824", "type": "isolated", "value": 20},
                    "marginUsed": "4.967826",
                    "maxLeverage": 50,
                    "positionValue": "100.02765",
                    "returnOnEquity": "-0.0026789",
                    "szi": "0.0335",
                    "unrealizedPnl": "-0.0134",
                },
                "type": "oneWay",
            }
        ],
        "crossMaintenanceMarginUsed": "0.0",
        "crossMarginSummary": {
            "accountValue": "13104.514502",
            "totalMarginUsed": "0.0",
            "totalNtlPos": "0.0",
            "totalRawUsd": "13104.514502",
        },
        "marginSummary": {
            "accountValue": "13109.482328",
            "totalMarginUsed": "4.967826",
            "totalNtlPos": "100.02765",
            "totalRawUsd": "13009.454678",
        },
        "time": venue.ms,
        "withdrawable": "13104.514502",
    }


def test_a_batch_has_null_for_whoever_has_no_account(ask, states):
    user = next(iter(states))
    batch = ask(
        "batchClearinghouseStates", users=[NOBODY, user, user.upper().replace("X", "x")]
    )
    assert batch == [None, states[user], states[user]]
    empty = ask("clearinghouseState", user=NOBODY)
    assert empty["assetPositions"] == []
    assert empty["marginSummary"]["accountValue"] == "0.0"


def test_margin_tables_are_the_tiers(ask):
    meta = ask("meta")
    for number, table in meta["marginTables"]:
        assert ask("marginTable", id=number) == table
    for coin in meta["universe"]:
        tiers = ask("marginTable", id=coin["marginTableId"])["marginTiers"]
        assert tiers[0] == {"lowerBound": "0.0", "maxLeverage": coin["maxLeverage"]}
    assert ask("marginTable", id=3)["marginTiers"] == [{"lowerBound": "0.0", "maxLeverage": 3}]


def test_the_leaderboard_adds_up(venue, states):
    rows = leaderboard(venue)["leaderboardRows"]
    values = [Decimal(row["accountValue"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert len(rows) == len(states)
    for row in rows:
        state = states[row["ethAddress"]]
        assert row["accountValue"] == state["marginSummary"]["accountValue"]
        windows = dict(row["windowPerformances"])
        assert list(windows) == ["day", "week", "month", "allTime"]
        assert windows["day"] == windows["allTime"]  # five hours old
    traded = sum(Decimal(dict(row["windowPerformances"])["day"]["vlm"]) for row in rows)
    trades = venue.tape.trades.rows
    assert traded == 2 * Decimal(int((trades["px"] * trades["size"]).sum())) / 10**6


def test_profit_is_what_an_account_gained_beyond_what_was_paid_in(venue):
    sim = Simulation(SPEC)
    first = account_values(sim.moment())
    told = sim.run(300)
    kinds = set(told.transfers["kind"].tolist())
    assert {DEPOSIT, WITHDRAWAL} <= kinds
    paid_in = defaultdict(int)
    for row in told.transfers:
        if row["kind"] in (DEPOSIT, WITHDRAWAL):
            paid_in[int(row["account"])] += int(row["amount"])
    for row in leaderboard(venue)["leaderboardRows"]:
        account = venue.listing.account_of[row["ethAddress"]]
        gained = Decimal(row["accountValue"]) - Decimal(int(first[account])) / 10**6
        pnl = Decimal(dict(row["windowPerformances"])["allTime"]["pnl"])
        assert pnl == gained - Decimal(paid_in[account]) / 10**6
