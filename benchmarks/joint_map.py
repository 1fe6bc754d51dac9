"""This module measures the joint map: 300,000 positions solved along one market move."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figure import Figure, best
from warehouse.joint_map import banded, solve
from warehouse.kernels.account_path import exhaustion
from warehouse.kernels.margin import liquidation_px, maintenance_margin
from warehouse.margin import Tier, TierTable

# Draws: of those that meet in the same account and coin one stays, which leaves 300,000.
COINS, ACCOUNTS, DRAWS = 200, 132_000, 314_500
# The loop is timed on so many accounts, and its time scaled up.
LOOPED = 2_000


def world(seed: int = 0) -> tuple[pl.DataFrame, TierTable, np.ndarray]:
    """Return cross positions with the venue's prices, tiers, and each account's value."""
    rng = np.random.default_rng(seed)
    tiers = TierTable.of(
        {f"C{number}": [Tier(0, 20), Tier(3e6, 10), Tier(2e7, 5)] for number in range(COINS)}
    )
    # A few hold many coins, most one or two.
    account = np.concatenate(
        [np.arange(ACCOUNTS), (ACCOUNTS * rng.power(0.3, DRAWS - ACCOUNTS)).astype(int)]
    )
    coin = rng.integers(0, COINS, DRAWS)
    held = pl.DataFrame({"account": account, "row": coin}).unique().sort("account", "row")
    row, owner = held["row"].to_numpy(), held["account"].to_numpy()
    mark = np.exp(rng.uniform(-3, 10, COINS))[row]
    notional = np.exp(rng.normal(9, 2, row.size))
    size = notional / mark * rng.choice([-1.0, 1.0], row.size)
    need = maintenance_margin(notional, row, tiers.first, tiers.rate, tiers.deduction)
    gross, total = (np.bincount(owner, one, ACCOUNTS) for one in (notional, need))
    value = total + gross * rng.uniform(0.02, 0.8, ACCOUNTS)
    raw = (value - total)[owner] + need - size * mark
    px = liquidation_px(size, raw, row, tiers.first, tiers.rate, tiers.deduction)
    names = np.array([f"0x{number:040x}" for number in range(ACCOUNTS)])
    positions = pl.DataFrame(
        {
            "account": names[owner],
            "coin": np.array(list(tiers.row_of))[row],
            "side": np.where(size > 0, "long", "short"),
            "size": size,
            "mark_px": mark,
            "current_px": mark,
            "liquidation_px": pl.Series(px, nan_to_null=True),
            "leverage_type": "cross",
            "max_leverage": pl.Series([None] * row.size, dtype=pl.Float64),
            "margin_used": pl.Series([None] * row.size, dtype=pl.Float64),
            "account_value": value[owner],
            "account_mode": pl.Series([None] * row.size, dtype=pl.String),
            "snapshot_ts": pl.Series([0] * row.size, dtype=pl.Datetime("us", "UTC")),
        }
    )
    return positions, tiers, value


def loop(positions: pl.DataFrame, tiers: TierTable) -> int:
    """Solve accounts the obvious way: kink by kink, each time summing all that is held."""
    solved = 0
    columns = positions.select("coin", "size", "mark_px", "account_value", "account")
    for _, rows in columns.group_by("account", maintain_order=True):
        book = rows.rows()
        value = book[0][3]
        for sign in (-1.0, 1.0):
            kinks = {0.0, 1.0 if sign < 0 else 1e9}
            for coin, size, px, *_ in book:
                bounds = (tier.lower_bound for tier in tiers.tiers[coin])
                moves = (sign * (bound / (abs(size) * px) - 1) for bound in bounds)
                kinks |= {move for move in moves if 0 < move < (1 if sign < 0 else 1e9)}
            low, at_low = 0.0, _left(book, value, 0.0, tiers)
            for high in sorted(kinks)[1:]:
                at_high = _left(book, value, sign * high, tiers)
                if at_high < 0:
                    solved += low + (high - low) * at_low / (at_low - at_high) >= 0
                    break
                low, at_low = high, at_high
    return solved


def _left(book: list[tuple], value: float, move: float, tiers: TierTable) -> float:
    total = value
    for coin, size, px, *_ in book:
        price = px * (1 + move)
        table = tiers.row_of[coin]
        most = max(
            tiers.rate[tier] * abs(size) * price - tiers.deduction[tier]
            for tier in range(tiers.first[table], tiers.first[table + 1])
        )
        total += size * (price - px) - most
    return total


def joint_map(_: Path) -> Iterator[Figure]:
    """Measure the kernel, and the whole of it, against the obvious Python loop."""
    positions, tiers, value = world()
    owners = positions["account"].rle().struct.unnest()["len"].to_numpy()
    first = np.concatenate(([0], np.cumsum(owners))).astype(np.int64)
    size, px = positions["size"].to_numpy(), positions["mark_px"].to_numpy()
    row = np.array([tiers.row_of[coin] for coin in positions["coin"]])
    raw = value - np.add.reduceat(size * px, first[:-1])
    beta = np.ones(size.size)

    def kernel() -> np.ndarray:
        return exhaustion(
            first, size, px, beta, row, raw, tiers.first, tiers.rate, tiers.deduction
        )

    moves = kernel()
    ours = best(kernel)
    whole = best(lambda: banded(solve(positions, tiers, {}), 1.0), 3)
    some = positions.head(int(first[LOOPED]))
    start = time.perf_counter()
    found = loop(some, tiers)
    spent = (time.perf_counter() - start) * positions.height / some.height
    if found != np.count_nonzero(~np.isnan(moves[:LOOPED])):
        raise ValueError("the loop and the kernel do not find the same")
    yield Figure(
        f"joint map, {positions.height:,} positions of {value.size:,} accounts: kernel",
        f"{ours * 1e3:.0f} ms",
        f"the obvious Python loop, scaled from {LOOPED:,} accounts: {spent:.1f} s",
        spent / ours,
        "≥ 100, and ≤ 50 ms",
    )
    yield Figure(
        "the same from a frame of positions to bands, margins found from prices",
        f"{whole * 1e3:.0f} ms",
        f"the same loop, which is told the margins: {spent:.1f} s",
        spent / whole,
        "-",
    )
