"""The map of a moment against the liquidations that then happened, on a venue that tells all.

A world runs for an hour; what everybody holds is put in a lake; the market falls and rises.
Who was liquidated without having acted since must have been on the map where it happened.

- Acted: traded by choice, deposited or withdrew.  The venue changes accounts too: what is left
  of an isolated position goes to its cross margin, and winners are deleveraged to pay for
  losers.  Both are left out and counted.
- Where it happened is the mark at which a liquidation began: its first order, takeover or
  deleveraging of a position.
- Isolated positions, and cross ones that share their margin with no other, are held against
  their own price: within a bucket of 0.5 %, or between that mark and the one before it.  In a
  crash marks jump by more than a bucket, and nobody is liquidated between.
- Cross accounts with several positions are held against the joint map, solved along the way
  that prices took.  Marks of their other coins are told by the minute, so a few are a bucket
  further off.
- Funding paid on the way moves the prices of cross positions.  Here it is an hour's or two,
  which is far less than a bucket.
"""

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import polars as pl
import pytest

from pipelines.simulator.archive import truth_rows
from pipelines.simulator.records import TRADER
from pipelines.simulator.shocks import Shock
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
from tests.rows import hold, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import INSTRUMENTS, POSITIONS, SNAPSHOTS
from warehouse.cross.tiers_at import tiers_at
from warehouse.joint_map import HELD, solve

HOUR_MS = 3_600_000
BUCKET = math.log(1.005)
# A way that prices took is a fall of the market by so much, of which each coin has its beta.
WAY_PCT = 10.0
ALONE = ("isolated", "single")
PLACES = ("near", "jumped", "next", "far", "nowhere")


def run(seed, accounts, coins=6, minutes=150):
    """Run a world past a fall and a rise, and return it as it was held and as it went."""
    spec = WorldSpec(seed, date(2026, 1, 5), coins, accounts)
    start = spec.start_ms
    sim = Simulation(
        spec._replace(
            shocks=(
                Shock(start + HOUR_MS * 6 // 5, -9.0, 30, 0.0),
                Shock(start + HOUR_MS * 11 // 5, 14.0, 30, 0.0),
            )
        )
    )
    sim.run(60)
    moment = sim.moment()
    told = sim.run(minutes)
    rows = {
        name: rows_of(sim, told, 0)
        for name, rows_of in truth_rows.TABLES.items()
        if name != "fundings"
    }
    return sim, moment, rows


def held_rows(sim, moment, at, shift):
    """Return the venue's own book as rows of `positions`."""
    return [
        position(
            row["name"],
            size=row["size"],
            mark_px=row["mark_px"],
            liquidation_px=row["liquidation_px"] and row["liquidation_px"] * shift,
            account=row["address"],
            snapshot_ts=at,
            known_ts=at,
            leverage=float(row["leverage"]),
            leverage_type="isolated" if row["isolated"] else "cross",
            max_leverage=float(row["max_leverage"]),
            margin_used=row["margin_used"],
            account_value=row["account_value"],
        )
        for row in positions_of(sim, moment).to_dicts()
    ]


def land(con, sim, moment, at, shift):
    rows = held_rows(sim, moment, at, shift)
    hold(con, POSITIONS, rows)
    hold(con, SNAPSHOTS, [snapshot(at, rows)])
    blank = {column.name: None for column in INSTRUMENTS.columns}
    tiers = [
        blank
        | {
            "coin": coin.name,
            "effective_ts": at,
            "known_ts": at,
            "max_leverage": float(coin.max_leverage),
            "margin_tiers": [tier._asdict() for tier in coin.tiers],
            "source": "test",
        }
        for coin in sim.coins
    ]
    hold(con, INSTRUMENTS, tiers)


def touched(sim, moment, rows):
    """Return who was changed when, and how, beside its own liquidations."""
    trades = rows["trades"]
    sides = pl.concat(
        trades.select("ts", "coin", "kind", "liquidated", account=side)
        for side in ("buyer", "seller")
    )
    others = sides.filter(pl.col("account").ne_missing(pl.col("liquidated")))
    moved = rows["transfers"].filter(pl.col("kind").is_in(["deposit", "withdrawal"]))
    return pl.concat(
        [
            others.select("ts", "account", how=pl.col("kind").replace("choice", "acted")),
            moved.select("ts", "account", how=pl.lit("acted")),
        ]
    )


def judged(con, sim, moment, rows, at):
    """Return the first liquidation of each position, and if it was left alone until then."""
    traders = [
        address
        for address, role in zip(sim.addresses, moment.accounts["role"], strict=True)
        if role == TRADER
    ]
    pot = pl.when("isolated").then("coin").otherwise(pl.lit("cross"))
    every = rows["liquidations"].with_columns(pot=pot).sort("ts", maintain_order=True)
    first = every.group_by("account", "pot", maintain_order=True).first()
    before = every.group_by("account").agg(began=pl.col("ts").min())
    changes = touched(sim, moment, rows).group_by("account", "how").agg(pl.col("ts").min())
    acted = changes.filter(how="acted").select("account", acted="ts")
    forced = changes.filter(pl.col("how") != "acted").group_by("account")
    on_map = con.sql(
        "select coin, account, side, liquidation_px, leverage_type = 'isolated' as isolated, "
        "current_px, abs(size) * liquidation_px as own from dex_positions_at('BTC', $at)",
        params={"at": at},
    ).pl()
    crossed = on_map.filter(~pl.col("isolated")).group_by("account").agg(cross=pl.len())
    changed = (pl.col("began") < pl.col("ts")) & ~pl.col("isolated")
    return (
        first.filter(pl.col("account").is_in(traders))
        .join(acted, on="account", how="left")
        .join(forced.agg(forced=pl.col("ts").min()), on="account", how="left")
        .join(before, on="account", how="left")
        .join(crossed, on="account", how="left")
        .join(on_map, on=["account", "coin", "isolated"], how="left")
        .with_columns(
            why=pl.when(pl.col("acted") < pl.col("ts"))
            .then(pl.lit("acted"))
            .when((pl.col("forced") < pl.col("ts")) | changed)
            .then(pl.lit("changed by the venue"))
            .when("isolated")
            .then(pl.lit("isolated"))
            .when(pl.col("cross") == 1)
            .then(pl.lit("single"))
            .otherwise(pl.lit("several"))
        )
    )


def marks_of(rows):
    return pl.concat(
        [
            rows["minutes"].select("ts", "coin", "mark_px"),
            rows["liquidations"].select("ts", "coin", "mark_px"),
        ]
    ).sort("ts", "coin", maintain_order=True)


def where(one, marks, px):
    """Say how a price of the map lies to the mark at which a liquidation began."""
    if px is None:
        return "nowhere"
    off = abs(math.log(one["mark_px"] / px))
    if off <= BUCKET:
        return "near"
    earlier = marks.filter(
        (pl.col("coin") == one["coin"])
        & (pl.col("ts") < one["ts"])
        & (pl.col("mark_px") != one["mark_px"])
    )
    low, high = sorted([one["mark_px"], earlier["mark_px"][-1]])
    if low <= px <= high:
        return "jumped"
    return "next" if off <= 2 * BUCKET else "far"


def joint_px(tiers, book, marks, one):
    """Return where the joint map has a liquidation, along the way that prices took."""
    there = dict(
        marks.filter(pl.col("ts") <= one["ts"])
        .group_by("coin")
        .last()
        .select("coin", "mark_px")
        .iter_rows()
    ) | {one["coin"]: one["mark_px"]}
    mine = book.filter(account=one["account"])
    now = dict(mine.select("coin", "current_px").iter_rows())
    betas = {coin: (1 - there[coin] / px) * 100 / WAY_PCT for coin, px in now.items()}
    solved = solve(mine, tiers, betas).filter(coin=one["coin"]).row(0, named=True)
    if solved["basis"] not in ("solved", "own"):
        return None
    move = solved["fall_pct"]
    return None if move is None else now[one["coin"]] * (1 - betas[one["coin"]] * move / 100)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


@lru_cache(maxsize=1)
def world(seed, accounts):
    return run(seed, accounts)


def against_truth(con, seed, accounts, shift=1.0):
    """Return how many liquidations there were of each kind, by how they lay to the map."""
    sim, moment, rows = world(seed, accounts)
    at = datetime.fromtimestamp(moment.ms / 1000, UTC)
    land(con, sim, moment, at, shift)
    found = judged(con, sim, moment, rows, at)
    marks, tiers = marks_of(rows), tiers_at(con, at)
    age = timedelta(hours=26)
    book = con.sql(
        HELD, params={"coin": "BTC", "at": at, "knowable": False, "max_age": age}
    ).pl()
    said = Counter()
    for one in found.to_dicts():
        if one["why"] in ALONE:
            said[one["why"], where(one, marks, one["liquidation_px"])] += 1
        elif one["why"] == "several":
            px = joint_px(tiers, book, marks, one)
            said["several", where(one, marks, px)] += 1
        else:
            said[one["why"]] += 1
    on_the_map(con, found.filter(pl.col("why").is_in(ALONE)), at)
    return said


def on_the_map(con, found, at):
    """Every one of them is in the bucket of its price, with all that it held."""
    for coin in found["coin"].unique():
        buckets = con.sql("from liquidation_map($coin, $at)", params={"coin": coin, "at": at})
        missing = (
            found.filter(coin=coin)
            .join(buckets.pl(), on="side")
            .with_columns(
                there=(pl.col("liquidation_px") >= pl.col("px_low"))
                & (pl.col("liquidation_px") < pl.col("px_high"))
                & (pl.col("own") <= pl.col("notional") * (1 + 1e-9))
            )
            .group_by("account", "pot")
            .agg(pl.col("there").any())
            .filter(~pl.col("there"))
        )
        assert missing.is_empty(), coin


def holds(said):
    """Assert it of what :func:`against_truth` counted."""
    alone = {place: sum(said[why, place] for why in ALONE) for place in PLACES}
    assert not alone["next"] + alone["far"] + alone["nowhere"], said
    assert alone["near"] >= 0.95 * sum(alone.values()), said
    several = {place: said["several", place] for place in PLACES}
    assert not several["far"] + several["nowhere"], said
    assert several["near"] >= 0.93 * sum(several.values()), said
    # Most liquidations can be judged.
    left_out = said["acted"] + said["changed by the venue"]
    assert left_out < 0.3 * sum(said.values()), said
    return sum(alone.values()), sum(several.values())


def test_who_was_liquidated_without_acting_was_on_the_map(con):
    said = against_truth(con, 3, 1_500)
    alone, several = holds(said)
    assert alone > 200
    assert several > 100
    assert said["isolated", "near"] > 150
    assert said["single", "near"] > 25


def test_a_map_that_is_off_by_three_buckets_is_seen(con):
    with pytest.raises(AssertionError):
        holds(against_truth(con, 3, 1_500, shift=1.015))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 8, 13, 21])
def test_so_it_is_in_larger_worlds(con, seed):
    alone, several = holds(against_truth(con, seed, 6_000))
    assert alone > 500
    assert several > 250
