"""Trades within bars: made up, put into a lake, and joined into bars in the plainest way.

A trade is ``(seconds since the first bar opens, px, size)``; those of one moment are a block.
"""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from tests.backtest.small_lake import account, at
from warehouse.contracts.tables import FILLS
from warehouse.store import landing

HOUR = 3_600


def wander(hours, seed=6, every=300):
    """Trades on a walk, one or two a block, some ``every`` seconds apart; none stands still."""
    rng = np.random.default_rng(seed)
    told, px = [], 100.0
    for hour in range(hours):
        for second in sorted(rng.choice(HOUR, HOUR // every, replace=False).tolist()):
            moment = hour * HOUR + second + float(rng.integers(0, 999)) / 1000
            for _ in range(int(rng.integers(1, 3))):
                px = round(px * float(np.exp(rng.normal(0, 0.002))), 3)
                told.append((moment, px, float(rng.integers(1, 50)) / 10))
    return told


def joined(trades, hours, width=HOUR):
    """Bars ``(open, high, low, close)`` of trades in the order told, and their volumes.

    The first opens at its first trade, every other where the one before closed.
    """
    bars, volumes = [], []
    for number in range(hours * HOUR // width):
        here = [one for one in trades if number * width <= one[0] < (number + 1) * width]
        px = [one[1] for one in here]
        opened = bars[-1][3] if bars else px[0]
        px = [opened, *px]
        bars.append((opened, max(px), min(px), px[-1]))
        volumes.append(sum(one[2] for one in here))
    return bars, volumes


def fills_of(trades, *, coin="BTC", source="market", late=0.0, sides=(True, False)):
    """Rows of fills: each trade's buyer and seller, published ``late`` hours after."""
    return [
        {column.name: None for column in FILLS.columns}
        | {
            "time_ts": at(0) + timedelta(seconds=seconds),
            "coin": coin,
            "account": account(2 * number + is_buy),
            "px": px,
            "size": size,
            "is_buy": is_buy,
            "start_position": 0.0,
            "trade_id": 1_000 + number,
            "order_id": 2 * number + is_buy,
            "is_taker": is_buy,
            "source": source,
            "known_ts": at(late) + timedelta(seconds=seconds),
        }
        for number, (seconds, px, size) in enumerate(trades)
        for is_buy in sides
    ]


def land_trades(root, trades, **more):
    """Land trades, each hour a part."""
    rows = fills_of(trades, **more)
    source = more.get("source", "market")
    with landing(root) as batches:
        for hour in sorted({int(seconds // HOUR) for seconds, _, _ in trades}):
            some = [row for row in rows if at(hour) <= row["time_ts"] < at(hour + 1)]
            batch = pa.Table.from_pylist(some, FILLS.schema)
            batches.land(FILLS, batch, f"{source}-{at(hour):%H}")
