"""What a market needs so that each way of knowing too much shows: rows told late, off the hour.

Added to a market of tests/warehouse/whole_market.py: a coin that nobody holds, so that its
price is its context's; one that only few sweeps see, so that a context comes before what was
seen last; payments off the hour; rows known later than the snapshot they belong to.
"""

from datetime import timedelta

from tests.rows import T0, account
from tests.warehouse.market_rows import HOUR, MINUTE, RARE, UNHELD, row_of
from warehouse.contracts import tables as every

# Of each, one table tells first, and late.
NEW = {"NEWC": every.ASSET_CONTEXTS, "NEWF": every.FILLS, "NEWI": every.INSTRUMENTS}


def of_contexts(draw):
    """Yield contexts of the coins whose price is theirs, told now, soon or a day later."""
    for half in range(1, 144):
        for coin, px in ((UNHELD, 8.0), (RARE, 32.0)):
            at = T0 + half * HOUR / 2 - 11 * MINUTE
            yield row_of(
                every.ASSET_CONTEXTS,
                venue="hyperliquid",
                coin=coin,
                context_ts=at,
                mark_px=px + half / 64,
                open_interest=32.0 + draw.randrange(8),
                funding_rate=draw.randrange(8) / 1024,
                known_ts=at + draw.choice([0, 0, 1, 5, 26]) * HOUR,
            )


def of_payments(draw, coins):
    """Yield payments as the venue stamps some, half a second after the hour, and at others."""
    for hour in range(72):
        for coin in coins:
            for late in (timedelta(milliseconds=497), 45 * MINUTE):
                at = T0 + hour * HOUR + late
                yield row_of(
                    every.FUNDING,
                    venue="hyperliquid",
                    coin=coin,
                    time_ts=at,
                    rate=draw.randrange(8) / 1024,
                    period_hours=1.0,
                    known_ts=at + draw.choice([0, 1, 5]) * HOUR,
                )


def of_bars(draw):
    """Yield bars of a quarter of an hour."""
    for quarter in range(160, 288):
        at = T0 + quarter * 15 * MINUTE
        px = dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), 96.0 + quarter % 8)
        yield row_of(
            every.CANDLES,
            venue="hyperliquid",
            coin="BTC",
            **px,
            interval="15m",
            start_ts=at,
            volume=float(draw.randrange(99)),
            known_ts=at + 15 * MINUTE + draw.choice([0, 0, 1]) * HOUR,
        )


def of_new_coins():
    """Yield a first row of each coin of ``NEW``, told 40 hours later, and one told at once."""
    for coin, table in NEW.items():
        for hour, late in ((30, 40), (44.25, 0)):
            at = T0 + hour * HOUR
            values = {"coin": coin, table.time: at, "known_ts": at + late * HOUR}
            yield table, row_of(table, **values, **REST[table.name])


REST = {
    "asset_contexts": {"venue": "hyperliquid", "mark_px": 4.0},
    "fills": {
        "account": account(1),
        "px": 4.0,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "closed_pnl": 0.0,
        "trade_id": 1,
        "order_id": 1,
        "is_taker": True,
    },
    "instruments": {
        "max_leverage": 20.0,
        "margin_tiers": [{"lower_bound": 0.0, "max_leverage": 20.0}],
    },
}


def later(draw, values):
    """Let some rows be published hours after what they belong to."""
    if draw.random() < 0.2:
        values["known_ts"] += draw.choice([3, 11]) * HOUR


def of_parts(hour):
    """Return when the part of an hour's fills was known: mostly soon, some late, some live."""
    number = int((hour - T0) / HOUR)
    if number % 5 == 3:
        return hour + HOUR - MINUTE  # as it happened: the moment of its newest row
    return hour + HOUR + (9 * MINUTE if number % 3 else 7 * HOUR)
