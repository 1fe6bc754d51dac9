"""This module words trades as the venue does: fills of an account, public trades of a coin."""

from typing import Any

import numpy as np
import polars as pl

from pipelines.simulator.archive.fill_rows import TRADE_SCATTER, sides_of
from pipelines.simulator.serve.numbers import real_text, size_text, usd_text
from pipelines.simulator.serve.tape import Sides, sides_of_account, takers_of_coin
from pipelines.simulator.serve.venue import Venue

MOST = 2_000  # fills of an answer
REACHABLE = 10_000  # newest fills of an account
RECENT = 500  # trades of an answer
REPLAYED = 6_000  # ms of trades that a new subscriber is told


def newest_fills(venue: Venue, account: int | None, together: bool) -> list[dict[str, Any]]:
    """Return the answer to ``userFills``: newest first."""
    if account is None:
        return []
    sides = sides_of_account(venue.tape, account, REACHABLE if together else MOST)
    return _fills(venue, sides, together)[-MOST:][::-1]


def fills_by_time(
    venue: Venue, account: int | None, since: int, until: int, together: bool
) -> list[dict[str, Any]]:
    """Return the answer to ``userFillsByTime``: oldest first, both ends included."""
    if account is None:
        return []
    sides = sides_of_account(venue.tape, account, REACHABLE)
    ms = sides.trades["ms"]
    sides = sides.where(np.flatnonzero((ms >= since) & (ms <= until)))
    if not together:
        sides = sides.where(slice(0, MOST))
    return _fills(venue, sides, together)[:MOST]


def recent_trades(venue: Venue, coin: int) -> list[dict[str, Any]]:
    """Return the answer to ``recentTrades``: newest first."""
    return public_trades(venue, takers_of_coin(venue.tape, coin, RECENT))[::-1]


def replayed_trades(venue: Venue, coin: int) -> list[dict[str, Any]]:
    """Return the trades that a new subscriber is told: those of the last seconds."""
    first = int(np.searchsorted(venue.tape.trades.rows["ms"], venue.ms - REPLAYED))
    return public_trades(venue, takers_of_coin(venue.tape, coin, RECENT, first))


def latest_trades(venue: Venue, coin: int, count: int) -> list[dict[str, Any]]:
    """Return a coin's trades among the ``count`` last ones of all coins."""
    used = venue.tape.trades.used
    return public_trades(venue, takers_of_coin(venue.tape, coin, count, used - count))


def public_trades(venue: Venue, takers: Sides) -> list[dict[str, Any]]:
    """Return trades as everybody sees them: ``side`` is the taker's."""
    both = _worded(venue, takers)
    users = both["user"].to_list()
    rows = both.gather(_own(takers)).to_dicts()
    return [
        {
            "coin": row["coin"],
            "side": row["side"],
            "px": row["px"],
            "sz": row["sz"],
            "time": row["ms"],
            "hash": row["hash"],
            "tid": row["tid"],
            "users": users[2 * number : 2 * number + 2],
        }
        for number, row in enumerate(rows)
    ]


def _worded(venue: Venue, sides: Sides) -> pl.DataFrame:
    """Return both sides of each trade in words; trades need not follow one another."""
    tids = np.repeat(sides.numbers, 2) * TRADE_SCATTER % 2**50
    return sides_of(venue.sim, sides.trades, 0).with_columns(tid=pl.Series(tids))


def _own(sides: Sides) -> np.ndarray:
    """Return which rows of :func:`_worded` are these sides'."""
    return 2 * np.arange(len(sides.trades)) + sides.sold


def _fills(venue: Venue, sides: Sides, together: bool) -> list[dict[str, Any]]:
    if not len(sides.trades):
        return []
    rows = _worded(venue, sides).gather(_own(sides)).to_dicts()
    if together:
        rows = _aggregated(rows, sides, venue.listing.size_decimals)
    return [_fill(row) for row in rows]


def _fill(row: dict[str, Any]) -> dict[str, Any]:
    """Return a fill with its fields in the venue's order; some are there only if they say."""
    fill = {
        "coin": row["coin"],
        "px": row["px"],
        "sz": row["sz"],
        "side": row["side"],
        "time": row["ms"],
        "startPosition": row["start"],
        "dir": row["direction"],
        "closedPnl": row["pnl"],
        "hash": row["hash"],
        "oid": row["oid"],
        "crossed": row["crossed"],
        "fee": row["fee"],
    }
    if row["builder_fee"] is not None:
        fill["builderFee"] = row["builder_fee"]
    fill["tid"] = row["tid"]
    if row["cloid"] is not None:
        fill["cloid"] = row["cloid"]
    if row["method"] is not None:
        fill["liquidation"] = {
            "liquidatedUser": row["liquidated"],
            "markPx": row["mark"],
            "method": row["method"],
        }
    fill["feeToken"] = "USDC"
    if row["builder"] is not None:
        fill["builder"] = row["builder"]
    fill["twapId"] = row["twap"]
    return fill


def _aggregated(
    rows: list[dict[str, Any]], sides: Sides, size_decimals: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Join the fills of one order in one block: sums, and the average price."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row["ms"], row["oid"]), []).append(number)
    out = []
    for at in groups.values():
        row = rows[at[0]]
        if len(at) > 1:
            trades, sold = sides.trades[at], sides.sold[at]
            places = size_decimals[int(trades["coin"][0])]
            lots = int(trades["size"].sum())
            micro = int((trades["size"] * trades["px"]).sum())
            row = row | {
                "px": real_text(micro / lots / 10 ** (6 - places), 8),
                "sz": size_text(lots, places),
                "pnl": usd_text(_sum(trades, sold, "pnl")),
                "fee": usd_text(_sum(trades, sold, "fee")),
            }
            if row["builder_fee"] is not None:
                parts = [rows[number]["builder_fee"] for number in at]
                micro = sum(round(float(part) * 1e6) for part in parts)
                row["builder_fee"] = usd_text(micro)
        out.append(row)
    return out


def _sum(trades: np.ndarray, sold: np.ndarray, name: str) -> int:
    return int(np.where(sold, trades[f"seller_{name}"], trades[f"buyer_{name}"]).sum())
