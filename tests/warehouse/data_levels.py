"""Lakes whose maps are binned ahead, and what binned maps are held against."""

import random
from datetime import timedelta

import duckdb
from polars.testing import assert_frame_equal

from tests.rows import batch, position
from tests.warehouse.data_sweeps import SAID, TABLES, lake_of
from warehouse import open_lake
from warehouse.store import Lake, land, parts_of

HOUR = timedelta(hours=1)
COINS = ("BTC", "xyz:TSLA", "NONE")


def some_rows(seed):
    """Return two days of sweeps and snapshots, some late, untrusted or of another dex."""
    draw = random.Random(seed)
    hours = sorted(draw.sample(range(60), 18))
    return lake_of(
        [
            {
                "minute": 60 * hour,
                "said": [draw.choice(SAID) for _ in range(3)],
                "kind": draw.choice(["sweep", "sweep", "sweep", "complete", "part"]),
                "trusted": draw.random() < 0.8,
                "late": draw.random() < 0.3,
                "scope": draw.choice(["hyperliquid", "hyperliquid", "xyz", "all"]),
                "minutes": draw.choice([0, 10, 90]),
            }
            for hour in hours
        ],
        [(60 * draw.randrange(60), 9.0, draw.random() < 0.5) for _ in range(4)],
    )


def a_lake(folder, seed):
    land_all(folder, some_rows(seed))
    return folder


def land_all(lake, made, part="all-of-it"):
    for name, rows in made.items():
        if rows:
            land(lake, TABLES[name], batch(TABLES[name], rows), part)


def sweep_at(hour, said):
    one = {"minute": 60 * hour, "said": said, "kind": "sweep", "trusted": True, "late": False}
    return one | {"scope": "hyperliquid", "minutes": 0}


def book(first=0, count=3):
    return [
        position("BTC", number, (-1.0) ** number, 100.0, 100.0 + 30.0 * (-1) ** (number + 1))
        for number in range(1 + first, 1 + first + count)
    ]


def answers(con, query, **asked):
    return con.sql(query, params=asked).pl()


def held(lake):
    with open_lake(lake) as con:
        return con.sql("from liquidation_levels").fetchall()


def pieces(lake):
    """Return the first snapshot of each part of levels."""
    lines = parts_of(Lake.at(lake)).to_pylist()
    return sorted(
        line["min_ts"] for line in lines if line["table_name"] == "liquidation_levels"
    )


def said(con, query, **asked):
    """Return the answer, or why the coin is refused."""
    try:
        return answers(con, query, **asked)
    except duckdb.InvalidInputException as refused:
        return str(refused)


def alike(lake, query, moments):
    """Hold what is binned ahead against the rows; return how often it was what answered."""
    binned = 0
    with open_lake(lake) as ahead, open_lake(lake) as bare:
        bare.execute("delete from promised.levels_days")
        for coin in COINS:
            for at in moments if coin != "NONE" else moments[-1:]:
                for knowable in (False, True):
                    asked = {"coin": coin, "at": at, "knowable": knowable}
                    found, wanted = (said(con, query, **asked) for con in (ahead, bare))
                    if isinstance(wanted, str):
                        assert found == wanted
                        continue
                    assert_frame_equal(found, wanted, rel_tol=1e-9, abs_tol=0)
                    binned += answers(
                        ahead,
                        "from levels_at($coin, $at, 0.5, null, knowable := $knowable)",
                        **asked,
                    ).height
    return binned
