"""This module turns the world's records into rows of its truth, in USD, coins and words."""

from collections.abc import Callable

import numpy as np
import polars as pl

from pipelines.simulator.archive.fill_rows import TRADE_SCATTER
from pipelines.simulator.statement import positions_of
from pipelines.simulator.values import px_usd, size_coins, usd
from pipelines.simulator.world import Moment, Simulation, Told

# In the order of the codes of `simulator.records`.
ROLES = ("trader", "maker", "vault")
KINDS = ("choice", "market", "backstop", "adl", "settlement")
REASONS = ("deposit", "withdrawal", "cover", "takeover")
CAUSES = ("price", "cascade", "funding", "remainder")
_TS = pl.Datetime("us", "UTC")


def position_rows(sim: Simulation, moment: Moment) -> pl.DataFrame:
    """Return every open position at a moment."""
    held = positions_of(sim, moment)
    named = held.drop("account", "coin").rename({"address": "account", "name": "coin"})
    ts = pl.lit(moment.ms * 1000).cast(_TS)
    return named.select(ts.alias("ts"), *named.columns)


def account_rows(sim: Simulation, moment: Moment, positions: pl.DataFrame) -> pl.DataFrame:
    """Return every account at a moment."""
    cash = usd(moment.accounts["cash"])
    own = positions.group_by("account").agg(
        value=pl.col("account_value").first(),
        maintenance=pl.col("maintenance").filter(~pl.col("isolated")).sum(),
    )
    accounts = pl.DataFrame(
        {"account": sim.addresses, "role": _words(ROLES, moment.accounts["role"]), "cash": cash}
    )
    return accounts.join(own, on="account", how="left", maintain_order="left").select(
        ts=pl.lit(moment.ms * 1000).cast(_TS),
        account="account",
        role="role",
        cash="cash",
        value=pl.coalesce("value", "cash"),
        maintenance=pl.col("maintenance").fill_null(0.0),
    )


def trade_rows(sim: Simulation, told: Told, first: int) -> pl.DataFrame:
    """Return trades; ``first`` is the number of the first, of all trades of the world."""
    rows = told.trades
    price, size = _px(sim, rows), _sizes(sim, rows)
    sides = {}
    for side in ("buyer", "seller"):
        sides[side] = _addresses(sim, rows[side])
        sides[f"{side}_start"] = size(f"{side}_start")
        for name in ("fee", "pnl"):
            sides[f"{side}_{name}"] = usd(rows[f"{side}_{name}"])
    number = first + np.arange(rows.size)
    return pl.DataFrame(
        {
            "ts": _ts(rows),
            "trade_id": number * TRADE_SCATTER % 2**50,
            "coin": _coins(sim, rows),
            "px": price("px"),
            "size": size("size"),
            **sides,
            "taker_buys": rows["taker_buys"] == 1,
            "kind": _words(KINDS, rows["kind"]),
            "liquidated": _addresses(sim, rows["liquidated"]),
            "mark_px": price("mark"),
        }
    )


def liquidation_rows(sim: Simulation, told: Told, first: int) -> pl.DataFrame:
    """Return what was liquidated, and why."""
    rows = told.liquidations
    price, size = _px(sim, rows), _sizes(sim, rows)
    frame = pl.DataFrame(
        {
            "ts": _ts(rows),
            "account": _addresses(sim, rows["account"]),
            "coin": _coins(sim, rows),
            "method": _words(KINDS, rows["kind"]),
            "cause": _words(CAUSES, rows["cause"]),
            "isolated": rows["isolated"] == 1,
            "mark_px": price("mark"),
            "equity": usd(rows["equity"]),
            "maintenance": usd(rows["maintenance"]),
            "size_before": size("size"),
            "sent": size("sent"),
            "filled": size("filled"),
            "value": usd(rows["value"]),
        }
    )
    vwap = pl.when(pl.col("filled") > 0).then(pl.col("value") / pl.col("filled"))
    lost = pl.col("size_before").sign() * (1 - vwap / pl.col("mark_px"))
    return frame.with_columns(vwap=vwap, slippage=lost).drop("value")


def transfer_rows(sim: Simulation, told: Told, first: int) -> pl.DataFrame:
    """Return the money that came and went."""
    rows = told.transfers
    return pl.DataFrame(
        {
            "ts": _ts(rows),
            "account": _addresses(sim, rows["account"]),
            "kind": _words(REASONS, rows["kind"]),
            "amount": usd(rows["amount"]),
        }
    )


def funding_rows(sim: Simulation, told: Told, first: int) -> pl.DataFrame:
    """Return the rates that were paid."""
    rows = told.fundings
    return pl.DataFrame(
        {
            "ts": _ts(rows),
            "coin": _coins(sim, rows),
            "oracle_px": _px(sim, rows)("oracle"),
            "rate": rows["rate"],
            "premium": rows["premium"],
        }
    )


def minute_rows(sim: Simulation, told: Told, first: int) -> pl.DataFrame:
    """Return what each coin showed at each minute's end."""
    rows = told.contexts
    price, size = _px(sim, rows), _sizes(sim, rows)
    prices = {f"{name}_px": price(name) for name in _PRICES}
    return pl.DataFrame(
        {
            "ts": _ts(rows),
            "coin": _coins(sim, rows),
            "listed": rows["listed"] == 1,
            **prices,
            "volume": size("volume"),
            "trades": rows["trades"],
            "open_interest": size("open_interest"),
            **{name: rows[name] for name in _FRACTIONS},
        }
    )


_PRICES = ("oracle", "mark", "bid", "ask", "impact_bid", "impact_ask")
_PRICES = (*_PRICES, "open", "high", "low", "close")
_FRACTIONS = ("premium", "rate", "bid_depth", "ask_depth", "pushed", "carried", "stress")
TABLES: dict[str, Callable[[Simulation, Told, int], pl.DataFrame]] = {
    "liquidations": liquidation_rows,
    "transfers": transfer_rows,
    "trades": trade_rows,
    "fundings": funding_rows,
    "minutes": minute_rows,
}


def _ts(rows: np.ndarray) -> pl.Series:
    return pl.Series(rows["ms"] * 1000).cast(_TS)


def _words(words: tuple[str, ...], codes: np.ndarray) -> pl.Series:
    return pl.Series(words).gather(codes)


def _addresses(sim: Simulation, accounts: np.ndarray) -> pl.Series:
    """Return addresses; null where an account is nobody."""
    there = pl.Series(accounts)
    return pl.Series(sim.addresses).gather(there.set(there < 0, None))


def _coins(sim: Simulation, rows: np.ndarray) -> pl.Series:
    return pl.Series([coin.name for coin in sim.coins]).gather(rows["coin"])


def _px(sim: Simulation, rows: np.ndarray) -> Callable[[str], np.ndarray]:
    decimals = sim.world.coins["size_decimals"]
    return lambda name: px_usd(rows[name], rows["coin"], decimals)


def _sizes(sim: Simulation, rows: np.ndarray) -> Callable[[str], np.ndarray]:
    decimals = sim.world.coins["size_decimals"]
    return lambda name: size_coins(rows[name], rows["coin"], decimals)
