"""This module says of each trade what the venue would: two fills, and the identifiers on them.

Numbers of trades and orders are the world's; everything else that tells fills apart - hashes,
clients' own ids, who built the order, whether it was a slice of a TWAP - follows from them.
"""

import numpy as np
import polars as pl

from pipelines.simulator.archive.scatter import scatter
from pipelines.simulator.archive.text import decimals, hexadecimals
from pipelines.simulator.records import (
    BY_ADL,
    BY_BACKSTOP,
    BY_CHOICE,
    BY_MARKET,
    BY_SETTLEMENT,
    MAKER,
    TRADER,
)
from pipelines.simulator.world import Simulation

FIRST_ORDER = 290_000_000_000
FIRST_TWAP = 1_300_000
# Odd, so that multiplying by it modulo 2^50 gives every trade another number.
TRADE_SCATTER = 0x9E3779B97F4A7 | 1
# Of orders that accounts send of their own will, in 1,000; so that of fills, as of an hour of
# real ones, about 79 in 1,000 carry a builder, 69 a TWAP and 549 a client's id.
TWAPS, BUILT, NAMED = 185, 170, 110
BUILDERS = 5
# In 1,000 of the whole fee, of which it is a part.
BUILDER_SHARE = (300, 700)
_NO_HASH = "0x" + "0" * 64
_METHODS = {int(BY_MARKET): "market", int(BY_BACKSTOP): "backstop", int(BY_ADL): "backstop"}


def sides_of(sim: Simulation, trades: np.ndarray, first: int) -> pl.DataFrame:
    """Return the two sides of each trade as the venue words them, the buyer's first.

    Parameters
    ----------
    sim
        The simulation, for its coins and addresses.
    trades
        Rows of ``TRADE``.
    first
        Number of the first of them, of all trades of the world.

    Returns
    -------
    DataFrame
        Text but for ``ms``, ``oid``, ``tid``, ``twap`` and ``crossed``.  ``cloid``,
        ``builder``, ``builder_fee``, ``twap``, ``method``, ``liquidated`` and ``mark`` are null
        where a fill has none.
    """
    both = np.repeat(trades, 2)
    buys = np.tile([True, False], trades.size)
    takes = buys == (both["taker_buys"] == 1)

    def own(name: str) -> np.ndarray:
        return np.where(buys, both[f"buyer_{name}"], both[f"seller_{name}"])

    account = np.where(buys, both["buyer"], both["seller"])
    order, taker_order = own("order"), np.where(takes, own("order"), _other(own("order")))
    lots = sim.world.coins["size_decimals"][both["coin"]]
    number = first + np.repeat(np.arange(trades.size), 2)
    forced = np.isin(both["kind"], list(_METHODS))
    seed = sim.spec.seed
    chance = scatter(seed, "order", order) % 1000
    by_choice = both["kind"] == BY_CHOICE
    role = sim.world.accounts["role"][account]
    trader, in_book = role == TRADER, np.isin(both["kind"], [BY_CHOICE, BY_MARKET])
    twap = by_choice & trader & takes & (chance < TWAPS)
    # Both sides of a trade carry the hash of the action that made it; a slice has none.
    sliced = twap | _other(twap)
    fee = own("fee")
    built = by_choice & trader & ~sliced & (chance >= 1000 - BUILT) & (fee > 0)
    share = BUILDER_SHARE[0] + scatter(seed, "share", order) % (
        BUILDER_SHARE[1] - BUILDER_SHARE[0]
    )
    named = by_choice & (scatter(seed, "named", order) % 1000 < NAMED)
    named |= in_book & (role == MAKER)
    frame = pl.DataFrame(
        {
            "ms": both["ms"],
            "account": account,
            "coin": both["coin"],
            "side": np.where(buys, "B", "A"),
            "px": both["px"],
            "size": both["size"],
            "start": own("start"),
            "isolated": own("isolated") == 1,
            "held_isolated": np.where(takes, _other(own("isolated")), own("isolated")) == 1,
            "pnl": own("pnl"),
            "fee": fee,
            "kind": both["kind"],
            "takes": takes,
            "oid": FIRST_ORDER + order,
            "tid": number * TRADE_SCATTER % 2**50,
            "twap": pl.Series(FIRST_TWAP + order % 10_000_000, dtype=pl.Int64),
            "is_twap": twap,
            "built": built,
            "built_fee": fee * share.astype(np.int64) // 1000,
            "built_by": (scatter(seed, "builder", account) % BUILDERS).astype(np.int64),
            "named": named,
            "forced": forced,
            "liquidated": both["liquidated"],
            "mark": both["mark"],
            "lots": lots,
            "sliced": sliced,
            "hash": _hashes(seed, "hash", taker_order, 4),
            "cloid": _hashes(seed, "cloid", order, 2),
        }
    )
    return _worded(frame, sim)


def _worded(sides: pl.DataFrame, sim: Simulation) -> pl.DataFrame:
    names = pl.Series("name", [coin.name for coin in sim.coins])
    addresses = pl.Series("address", sim.addresses)
    builders = _hashes(sim.spec.seed, "builders", np.arange(BUILDERS), 3).str.slice(0, 42)
    forced, built = pl.col("forced"), pl.col("built")
    units = 6 - pl.col("lots")
    return sides.select(
        "ms",
        user=addresses.gather(sides["account"]),
        coin=names.gather(sides["coin"]),
        px=decimals(pl.col("px"), units),
        sz=decimals(pl.col("size"), pl.col("lots")),
        side="side",
        start=decimals(pl.col("start"), pl.col("lots")),
        direction=_direction(),
        pnl=decimals(pl.col("pnl"), 6),
        hash=pl.when("sliced").then(pl.lit(_NO_HASH)).otherwise("hash"),
        oid="oid",
        crossed="takes",
        fee=decimals(pl.col("fee"), 6),
        builder_fee=pl.when(built).then(decimals(pl.col("built_fee"), 6)),
        tid="tid",
        cloid=pl.when("named").then("cloid"),
        method=pl.when(forced).then(
            pl.col("kind").replace_strict(_METHODS, default=None, return_dtype=pl.String)
        ),
        liquidated=pl.when(forced).then(
            addresses.gather(sides["liquidated"].clip(lower_bound=0))
        ),
        mark=pl.when(forced).then(decimals(pl.col("mark"), units)),
        builder=pl.when(built).then(builders.gather(sides["built_by"])),
        twap=pl.when("is_twap").then("twap"),
    )


def _direction() -> pl.Expr:
    """Return the venue's words, from how a position came about and where it went.

    Of a takeover both sides have the word of the position that was taken over, and so has
    deleveraging one word for both.
    """
    start, buys = pl.col("start"), pl.col("side") == "B"
    end = start + pl.when(buys).then("size").otherwise(-pl.col("size"))
    flips = pl.when(end > 0).then(pl.lit("Short > Long")).otherwise(pl.lit("Long > Short"))
    grows = pl.when(end.abs() > start.abs()).then(pl.lit("Open")).otherwise(pl.lit("Close"))
    side = pl.when(start + end > 0).then(pl.lit("Long")).otherwise(pl.lit("Short"))
    plain = pl.when(start.sign() * end.sign() < 0).then(flips)
    plain = plain.otherwise(pl.concat_str(grows, side, separator=" "))
    mode = pl.when("held_isolated").then(pl.lit("Isolated")).otherwise(pl.lit("Cross"))
    # The vault is the taker: whoever was long, it bought from.
    was_long = pl.when(buys == pl.col("takes")).then(pl.lit("Long")).otherwise(pl.lit("Short"))
    taken = pl.concat_str(pl.lit("Liquidated"), mode, was_long, separator=" ")
    kind = pl.col("kind")
    return (
        pl.when(kind == int(BY_BACKSTOP))
        .then(taken)
        .when(kind == int(BY_ADL))
        .then(pl.lit("Auto-Deleveraging"))
        .when(kind == int(BY_SETTLEMENT))
        .then(pl.lit("Settlement"))
        .otherwise(plain)
    )


def _other(values: np.ndarray) -> np.ndarray:
    """Return what the other side of each trade has."""
    return values.reshape(-1, 2)[:, ::-1].ravel()


def _hashes(seed: int, what: str, numbers: np.ndarray, words: int) -> pl.Series:
    """Return a hash for each number; the same for the same one."""
    parts = [scatter(seed, f"{what} {word}", numbers) for word in range(words)]
    return hexadecimals(np.stack(parts, axis=1))
