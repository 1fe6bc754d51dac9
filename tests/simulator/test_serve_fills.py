from collections import Counter, defaultdict
from decimal import Decimal

import numpy as np
import pytest

from tests.simulator.serving import busiest, positions


def test_fills_of_both_sides_are_one_trade(venue, ask):
    sides = defaultdict(list)
    for user in venue.listing.addresses:
        for fill in ask("userFills", user=user):
            sides[fill["time"], fill["coin"], fill["tid"]].append(fill)
    assert len(sides) == len(venue.tape.trades.rows)  # no account has more than 2,000
    for pair in sides.values():
        assert sorted(fill["side"] for fill in pair) == ["A", "B"]
        assert sorted(fill["crossed"] for fill in pair) == [False, True]
        assert len({(fill["px"], fill["sz"], fill["hash"]) for fill in pair}) == 1
        assert pair[0].get("liquidation") == pair[1].get("liquidation")
    methods = Counter(pair[0].get("liquidation", {}).get("method") for pair in sides.values())
    assert methods["market"] > 0


def test_public_trades_name_the_takers_side_and_buyer_and_seller(ask):
    for trade in ask("recentTrades", coin="BTC")[:40]:
        buyer, seller = (
            next(fill for fill in ask("userFills", user=user) if fill["tid"] == trade["tid"])
            for user in trade["users"]
        )
        assert (buyer["side"], seller["side"]) == ("B", "A")
        assert trade["side"] == (buyer if buyer["crossed"] else seller)["side"]
        for name in ("coin", "px", "sz", "time", "hash"):
            assert buyer[name] == trade[name]


def test_start_positions_chain_up_to_what_is_held_now(venue, ask, states):
    user = busiest(venue)
    held = {p["coin"]: Decimal(p["szi"]) for who, p in positions(states) if who == user}
    for fill in ask("userFills", user=user):  # newest first
        size = Decimal(fill["sz"]) * (1 if fill["side"] == "B" else -1)
        after = held.get(fill["coin"], Decimal(0))
        assert Decimal(fill["startPosition"]) + size == after
        held[fill["coin"]] = Decimal(fill["startPosition"])


def test_times_are_inclusive_and_pages_meet(venue, ask, monkeypatch):
    user = busiest(venue)
    whole = ask("userFillsByTime", user=user, startTime=0)
    assert whole == ask("userFills", user=user)[::-1]
    first, last = whole[3]["time"], whole[-4]["time"]
    part = ask("userFillsByTime", user=user, startTime=first, endTime=last)
    assert part == [fill for fill in whole if first <= fill["time"] <= last]
    monkeypatch.setattr("pipelines.simulator.serve.fills.MOST", 50)
    seen, since = {}, 0
    while page := ask("userFillsByTime", user=user, startTime=since):
        fresh = [fill for fill in page if (fill["tid"], fill["side"]) not in seen]
        if not fresh:
            break
        assert len(page) <= 50
        seen.update({(fill["tid"], fill["side"]): fill for fill in fresh})
        since = page[-1]["time"]
    assert list(seen.values()) == whole
    assert ask("userFills", user=user) == whole[::-1][:50]


def test_only_the_newest_fills_can_be_reached(venue, ask, monkeypatch):
    user = busiest(venue)
    whole = ask("userFillsByTime", user=user, startTime=0)
    monkeypatch.setattr("pipelines.simulator.serve.fills.REACHABLE", 70)
    assert ask("userFillsByTime", user=user, startTime=0) == whole[-70:]


def test_fills_of_an_order_are_put_together_on_request(venue, ask):
    user = busiest(venue)
    whole = ask("userFills", user=user)
    joined = ask("userFills", user=user, aggregateByTime=True)
    orders = {(fill["time"], fill["oid"]) for fill in whole}
    assert len(joined) == len(orders)
    for name in ("sz", "fee", "closedPnl"):
        assert sum(Decimal(f[name]) for f in joined) == sum(Decimal(f[name]) for f in whole)


def test_takers_of_several_levels_pay_the_average_price(venue, ask):
    for user in venue.listing.addresses:
        whole = ask("userFills", user=user)
        by_order = defaultdict(list)
        for fill in whole:
            by_order[fill["time"], fill["oid"]].append(fill)
        if len(whole) == len(by_order):
            continue
        for fill in ask("userFills", user=user, aggregateByTime=True):
            parts = by_order[fill["time"], fill["oid"]]
            size = sum(Decimal(part["sz"]) for part in parts)
            value = sum(Decimal(part["sz"]) * Decimal(part["px"]) for part in parts)
            assert float(fill["px"]) == pytest.approx(float(value / size), rel=1e-6)
        return
    pytest.fail("no order had several fills")


def test_old_trades_are_forgotten_and_the_rest_found(venue, monkeypatch):
    from pipelines.simulator.serve import tape as tapes

    monkeypatch.setattr(tapes, "MOST", 500)
    rows = venue.tape.trades.rows
    tape = tapes.tape_of(rows[:400].copy(), len(venue.listing.addresses))
    for low in range(400, len(rows), 90):
        tape = tape.after(rows[low : low + 90])
    kept = tape.trades.used
    assert 500 <= kept < len(rows)
    assert len(tape.trades.buffer) < 1000
    sides = tapes.sides_of_account(tape, 0, 10_000)
    numbers = np.arange(len(rows) - kept, len(rows))
    mine = (rows["buyer"][numbers] == 0) | (rows["seller"][numbers] == 0)
    assert sides.numbers.tolist() == numbers[mine].tolist()
    assert (sides.trades == rows[sides.numbers]).all()
    assert (np.where(sides.sold, sides.trades["seller"], sides.trades["buyer"]) == 0).all()
