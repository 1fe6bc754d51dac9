"""Fills of a whole market: trades, closings and cascades, told by one source or two."""

from datetime import timedelta

from tests.rows import T0, account
from tests.warehouse.market_readings import put_readings
from tests.warehouse.market_rows import COINS, HOLDERS, HOUR, HOURS, MINUTE, Row, row_of
from warehouse.contracts import tables as every


def _fill(number, at, coin, holder, px, size, is_buy, start, method, pnl):
    return row_of(
        every.FILLS,
        time_ts=at,
        coin=coin,
        account=account(holder),
        px=px,
        size=size,
        is_buy=is_buy,
        start_position=start,
        closed_pnl=pnl,
        trade_id=number,
        order_id=number,
        is_taker=True,
        liquidation_method=method,
        liquidated_account=account(holder) if method else None,
    )


def _tell(draw, rows, values):
    """Let one source tell of a fill at once, another an hour later, or both."""
    which = draw.choice([("node",), ("arch",), ("node", "arch")])
    for source in which:
        late = draw.choice([1, 12]) * HOUR if source == "arch" else timedelta(0)
        told = values | {"source": source, "known_ts": values["time_ts"] + late}
        rows["fills"].append(Row(told))


def close_position(draw, rows, number, at, holder, coin, held):
    method = draw.choice([None, "market", "market", "backstop"])
    px = held.liquidation_px or COINS[coin]
    buys, size = held.size < 0, abs(held.size)
    values = _fill(number, at, coin, holder, px, size, buys, held.size, method, -8.0)
    _tell(draw, rows, values)


def put_market(draw, rows):
    number = 10_000
    for minute in range(0, HOURS * 60, 10):
        at = T0 + minute * MINUTE
        for coin, px in COINS.items():
            number += 1
            here = px + draw.randrange(-4, 5) / 2
            method = "market" if draw.random() < 0.1 else None
            pnl = draw.choice([0.0, 64.0, -512.0, 20000.0, -300000.0])
            values = _fill(
                number, at, coin, draw.choice(HOLDERS), here, 0.5, True, 0.0, method, pnl
            )
            _tell(draw, rows, values)
            put_readings(draw, rows, at, minute, coin, here)
    for hour in (29, 44, 53):  # cascades
        for second in range(0, 300, 10):
            number += 1
            at = T0 + hour * HOUR + timedelta(seconds=second)
            px = COINS["BTC"] - second / 64
            values = _fill(number, at, "BTC", 3, px, 64.0, False, 0.0, "market", -64.0)
            _tell(draw, rows, values)
