"""What must hold after every stretch of time; each check returns complaints."""

import numpy as np

from pipelines.simulator import records as r
from tests.reference import venue_rules as rules

OFF_BOOK = [r.BY_BACKSTOP, r.BY_ADL, r.BY_SETTLEMENT]


def complain(*pairs):
    """Return the texts whose conditions do not hold."""
    return [text for holds, text in pairs if not holds]


def sizes_sum_to_zero(sim, told, opening):
    slots = sim.world.slots
    held = slots[slots["size"] != 0]
    sums = np.zeros(sim.world.coins.size, np.int64)
    np.add.at(sums, held["coin"], held["size"])
    return complain((not sums.any(), f"sizes sum to {sums.tolist()}"))


def money_is_conserved(sim, told, opening):
    w = sim.world
    # In Python's integers: nothing can overflow unseen.
    equities = sum(w.accounts["cash"].tolist()) + sum(w.slots["margin"].tolist())
    for size, coin in zip(w.slots["size"].tolist(), w.slots["coin"].tolist(), strict=True):
        equities += size * int(w.coins["mark"][coin]) if size else 0
    house = w.house.tolist()
    paid_in = house[r.DEPOSITED] - house[r.WITHDRAWN]
    elsewhere = house[r.FEES] + house[r.INSURANCE]
    apart = paid_in - equities - elsewhere
    return complain((apart == 0, f"{apart} micro-USDC of {paid_in} are nowhere"))


def margin_lies_behind_isolated_positions_only(sim, told, opening):
    slots = sim.world.slots
    stray = (slots["margin"] != 0) & ((slots["size"] == 0) | (slots["isolated"] == 0))
    return complain((not stray.any(), f"margin in slots {np.flatnonzero(stray)}"))


def what_is_counted_is_held(sim, told, opening):
    """Keep open interest and the number of positions, counted along the way, right."""
    w = sim.world
    longs, held = np.zeros(w.coins.size, np.int64), np.zeros(w.accounts.size, np.int64)
    open_ = np.flatnonzero(w.slots["size"])
    sizes = np.maximum(w.slots["size"][open_], 0)
    np.add.at(longs, w.slots["coin"][open_], sizes)
    np.add.at(held, np.searchsorted(w.accounts["end"], open_, side="right"), 1)
    return complain(
        ((longs == w.coins["open_interest"]).all(), "open interest is not what longs hold"),
        ((held == w.accounts["held"]).all(), "positions are miscounted"),
    )


def time_goes_on(sim, told, opening):
    out = []
    for name in ("trades", "transfers", "liquidations", "fundings", "contexts"):
        ms = getattr(told, name)["ms"]
        # Contexts are of ends of minutes, all else of the time before.
        inside = (ms >= opening) & (ms < sim.now_ms + (name == "contexts"))
        out += complain(
            ((np.diff(ms) >= 0).all(), f"{name} go back in time"),
            (inside.all(), f"{name} of another time"),
        )
    return out


def nothing_comes_of_forced_trades(sim, told, opening):
    """Takeovers move money, and never make it; forced trades off the book have no fees."""
    over = told.transfers[told.transfers["kind"] == r.TAKEOVER]
    moments, place = np.unique(over["ms"], return_inverse=True)
    sums = np.zeros(moments.size, np.int64)
    np.add.at(sums, place, over["amount"])
    free = told.trades[np.isin(told.trades["kind"], OFF_BOOK)]
    return complain(
        (not sums.any(), "takeovers make money"),
        (not free["buyer_fee"].any() and not free["seller_fee"].any(), "fees off the book"),
    )


def orders_are_whose_they_are(sim, told, opening):
    """An order has one owner, coin and direction; two orders meet once."""
    trades, owner, out = told.trades, {}, []
    for side in ("buyer", "seller"):
        for row in zip(trades[f"{side}_order"], trades[side], trades["coin"], strict=True):
            if owner.setdefault(int(row[0]), (side, *row[1:])) != (side, *row[1:]):
                out.append(f"order {row[0]} is several's")
    met = np.stack([trades["buyer_order"], trades["seller_order"]])
    once = np.unique(met, axis=1).shape[1] == trades.size
    return out + complain((once, "two orders met twice"))


def liquidations_are_their_trades(sim, told, opening):
    """Each liquidation's filled lots and value are those of its trades, and no more.

    So a position is sent once a block.
    """
    booked, out = {}, []
    for row in told.trades:
        if row["liquidated"] >= 0:
            key = tuple(int(row[name]) for name in ("ms", "liquidated", "coin", "kind"))
            lots, value = booked.get(key, (0, 0))
            size = int(row["size"])
            booked[key] = lots + size, value + size * int(row["px"])
    for row in told.liquidations:
        key = tuple(int(row[name]) for name in ("ms", "account", "coin", "kind"))
        if booked.pop(key, (0, 0)) != (int(row["filled"]), int(row["value"])):
            out.append(f"liquidation {key}: filled is not what was traded")
        if not 0 <= row["filled"] <= row["sent"] <= abs(row["size"]):
            out.append(f"liquidation {key}: {row['filled']} of {row['sent']} of {row['size']}")
    house = sim.world.accounts["role"][told.liquidations["account"]] != r.TRADER
    return out + complain(
        (not booked, f"trades of no liquidation {list(booked)[:3]}"),
        (not house.any(), "makers or the vault were liquidated"),
    )


def books_are_in_order(sim, told, opening):
    px, size = told.books[..., 0], told.books[..., 1]
    bids, asks = px[:, :, 0], px[:, :, 1]
    listed = told.contexts["listed"].reshape(px.shape[:2]) == 1
    out = complain(
        ((np.diff(bids) < 0).all(), "bids out of order"),
        ((np.diff(asks) > 0).all(), "asks out of order"),
        ((bids[:, :, 0] < asks[:, :, 0]).all(), "crossed"),
        ((size >= 0).all(), "sizes below 0"),
        (not size[~listed].any(), "a book of a coin that is not listed"),
    )
    for c, decimals in enumerate(6 - sim.world.coins["size_decimals"]):
        odd = [p for p in np.unique(px[:, c]).tolist() if not rules.is_on_tick(p, decimals)]
        out += complain((not odd, f"coin {c}: levels {odd[:3]} on no tick"))
    return out


def contexts_tell_what_was(sim, told, opening):
    """Bars are of the minute's trades, prices are on ticks and in order."""
    rows, trades = told.contexts, told.trades
    coins = sim.world.coins.size
    booked = trades[~np.isin(trades["kind"], OFF_BOOK)]
    count, volume = np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
    place = (booked["ms"] - opening) // 60_000 * coins + booked["coin"]
    np.add.at(count, place, 1)
    np.add.at(volume, place, booked["size"])
    on = rows["listed"] == 1
    inside = (rows["low"][place] <= booked["px"]) & (booked["px"] <= rows["high"][place])
    edges = [rows[name] for name in ("open", "close")]
    out = complain(
        ((count == rows["trades"]).all(), "trades of a bar"),
        ((volume == rows["volume"]).all(), "volume of a bar"),
        (inside.all(), "a trade outside its bar"),
        (all((rows["low"] <= e)[on].all() for e in edges), "lows"),
        (all((rows["high"] >= e)[on].all() for e in edges), "highs"),
        ((rows["bid"] < rows["ask"])[on].all(), "crossed"),
        ((rows["impact_bid"] <= rows["bid"])[on].all(), "impact bids"),
        ((rows["impact_ask"] >= rows["ask"])[on].all(), "impact asks"),
        ((rows["stress"] >= 0).all(), "stress"),
    )
    for row in rows:
        worth = rules.premium(
            *(int(row[name]) for name in ("impact_bid", "impact_ask", "oracle"))
        )
        if abs(row["premium"] - float(worth)) > 1e-15:
            out.append(f"premium of coin {row['coin']} at {row['ms']}")
    for name in ("oracle", "mark", "bid", "ask", "impact_bid", "impact_ask"):
        for c, decimals in enumerate(6 - sim.world.coins["size_decimals"]):
            seen = np.unique(rows[name][rows["coin"] == c]).tolist()
            odd = [px for px in seen if not rules.is_on_tick(px, decimals)]
            out += complain((not odd, f"coin {c}: {name} {odd[:3]} on no tick"))
    return out


ALL = (
    sizes_sum_to_zero,
    money_is_conserved,
    margin_lies_behind_isolated_positions_only,
    what_is_counted_is_held,
    time_goes_on,
    nothing_comes_of_forced_trades,
    orders_are_whose_they_are,
    liquidations_are_their_trades,
    books_are_in_order,
    contexts_tell_what_was,
)
