"""A small market with every kind of row, told late, twice and with corrections.

Sizes and prices are eighths, so that sums do not depend on the order of rows.
"""

import random

from tests.warehouse import late_market
from tests.warehouse.market_people import put_people
from tests.warehouse.market_rows import COINS, HELD, HOUR, MINUTE, Row
from tests.warehouse.market_trades import put_market

# Shares of rows that are corrected: more of which an answer uses few.
CORRECTED = {"accounts": 0.4, "positions": 0.25, "snapshots": 0.4}


def made(seed=1):
    """Return ``{table name: rows}``."""
    draw = random.Random(seed)
    rows = {table.name: [] for table in HELD}
    put_people(draw, rows)
    put_market(draw, rows)
    _late(random.Random(seed), rows)
    pair = 0
    for name, some in rows.items():
        for row in list(some):
            if draw.random() < CORRECTED.get(name, 0.1):
                pair += 1
                some.remove(row)
                some += _corrected(draw, name, row.values, pair)
    for table, values in late_market.of_new_coins():
        rows[table.name].append(Row(values))
    return rows


def _late(draw, rows):
    rows["asset_contexts"] += map(Row, late_market.of_contexts(draw))
    rows["funding"] += map(Row, late_market.of_payments(draw, COINS))
    rows["candles"] += map(Row, late_market.of_bars(draw))
    for name in ("positions", "accounts"):
        for row in rows[name]:
            late_market.later(draw, row.values)


def _corrected(draw, name, values, pair):
    """Return a row as it was told first, and as it was told later."""
    at = values["known_ts"] + draw.choice([1, 7, 30]) * HOUR + draw.randrange(59) * MINUTE
    new = dict(values)
    for column, value in values.items():
        # One answer about an account says one value, in the rows of all its coins.
        if isinstance(value, float) and column != "account_value":
            new[column] = value * 2
    if name == "snapshots":
        new["trusted"] = not values["trusted"] if draw.random() < 0.4 else values["trusted"]
        if values["accounts_skipped"] is not None:
            new["accounts_skipped"] += 1
    told = [Row(values, None, at, pair), Row(new, at, None, pair)]
    # Where one of several is taken, it is the first.
    return told[::-1] if name == "snapshots" else told
