"""Accounts that hold several coins, with the venue's prices as they follow from their worth."""

import polars as pl

from tests.reference import margin as venue
from tests.rows import T0
from warehouse.margin import Tier, TierTable

LADDERS = {
    "BTC": [Tier(0, 40), Tier(1e6, 20)],
    "ETH": [Tier(0, 25)],
    "SOL": [Tier(0, 20), Tier(5e5, 10), Tier(2e6, 5)],
}
TIERS = TierTable.of(LADDERS)
MARKS = {"BTC": 70_000.0, "ETH": 2_000.0, "SOL": 90.0}
KINDS = {
    "account": pl.String,
    "coin": pl.String,
    "side": pl.String,
    "size": pl.Float64,
    "mark_px": pl.Float64,
    "current_px": pl.Float64,
    "liquidation_px": pl.Float64,
    "leverage_type": pl.String,
    "max_leverage": pl.Float64,
    "margin_used": pl.Float64,
    "account_value": pl.Float64,
    "account_mode": pl.String,
    "snapshot_ts": pl.Datetime("us", "UTC"),
}
BOOK = [("BTC", 2.0), ("ETH", 50.0)]


def rates_of(ladders):
    """Return coin -> [(lower bound, rate)] as the venue takes maintenance of tiers."""
    return {
        coin: [(tier.lower_bound, 1 / (2 * tier.max_leverage)) for tier in tiers]
        for coin, tiers in ladders.items()
    }


RATES = rates_of(LADDERS)


def needed_by(book, rates):
    """Return coin -> the maintenance of its position, USD."""
    return {
        coin: venue.maintenance(abs(size) * MARKS[coin], rates[coin]) for coin, size in book
    }


def venue_prices(book, value, rates):
    """Return coin -> the price at which the venue would liquidate a cross account."""
    needed = needed_by(book, rates)
    spare = value - sum(needed.values())
    return {
        coin: venue.liquidation_px(size, spare + needed[coin] - size * MARKS[coin], rates[coin])
        for coin, size in book
    }


def held_by(owner, book, value, *, told=False, mode="cross", **others):
    """Return rows of one account; the venue's prices follow from what it is worth."""
    prices, rows = venue_prices(book, value, RATES), []
    for coin, size in book:
        px = prices[coin]
        row = dict.fromkeys(KINDS) | {
            "account": owner,
            "coin": coin,
            "side": "long" if size > 0 else "short",
            "size": size,
            "mark_px": MARKS[coin],
            "current_px": MARKS[coin],
            "liquidation_px": px if px and px > 1e-9 else None,
            "leverage_type": mode,
            "account_value": value if told else None,
            "snapshot_ts": T0,
        }
        rows.append(row | others)
    return rows


def worth(book, share):
    gross = sum(abs(size) * MARKS[coin] for coin, size in book)
    return share * gross + sum(needed_by(book, RATES).values())
