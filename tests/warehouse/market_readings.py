"""What the venue said of a whole market: contexts, books, funding, bars, margin tiers."""

from tests.warehouse.market_rows import HOUR, MINUTE, Row, row_of
from warehouse.contracts import tables as every


def put_readings(draw, rows, at, minute, coin, px):
    """What the venue said of a coin: contexts, books, funding, bars, margin tiers."""
    late = draw.choice([0, 0, 1]) * HOUR
    venue = {"venue": "hyperliquid", "coin": coin}
    if minute % 30 == 0:
        values = row_of(
            every.ASSET_CONTEXTS,
            **venue,
            context_ts=at + MINUTE,
            mark_px=px,
            open_interest=32.0 + draw.randrange(8),
            # Hours in which only payments tell of funding.
            funding_rate=draw.randrange(8) / 1024 if minute % 720 < 240 else None,
            known_ts=at + MINUTE + late,
        )
        rows["asset_contexts"].append(Row(values))
    if minute % 20 == 0:
        level = {"px": px - 0.03125, "size": 2.0 + draw.randrange(4), "orders": None}
        values = row_of(
            every.ORDER_BOOKS,
            coin=coin,
            book_ts=at + MINUTE,
            bids=[level, level | {"px": px - 8}],
            asks=[level | {"px": px + 0.03125}],
            known_ts=at + MINUTE + late,
        )
        rows["order_books"].append(Row(values))
    if minute % 60 == 0:
        values = row_of(
            every.FUNDING,
            **venue,
            time_ts=at,
            rate=draw.randrange(8) / 1024,
            period_hours=1.0,
            known_ts=at + late,
        )
        rows["funding"].append(Row(values))
        bar = dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), px)
        values = row_of(
            every.CANDLES,
            **venue,
            **bar,
            interval="1h",
            start_ts=at,
            volume=float(draw.randrange(99)),
            known_ts=at + HOUR + late,
        )
        rows["candles"].append(Row(values))
    if minute % 1800 == 0:
        tier = {"lower_bound": 0.0, "max_leverage": draw.choice([20.0, 40.0])}
        values = row_of(
            every.INSTRUMENTS,
            coin=coin,
            effective_ts=at,
            max_leverage=tier["max_leverage"],
            margin_tiers=[tier],
            known_ts=at,
        )
        rows["instruments"].append(Row(values))
    if minute % 300 == 0 and coin == "BTC":
        values = row_of(
            every.INCIDENTS,
            start_ts=at,
            end_ts=at + HOUR,
            check_name="a_check",
            table_name="fills",
            subject="all",
            severity="warn",
            what="wrong",
            rows=1,
            known_ts=at + HOUR,
        )
        rows["incidents"].append(Row(values))
