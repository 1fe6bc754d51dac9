"""This module states what every account held at a moment, as the venue would: one row each.

The liquidation price is worked out by the warehouse's margin kernel, from what the account's
money and positions are; whether somebody *is* liquidated is decided elsewhere, in whole
numbers, by :mod:`pipelines.simulator.kernels.liquidation`.  The two are held against each other
by tests.
"""

import numpy as np
import polars as pl

from pipelines.simulator.values import px_usd, size_coins, usd
from pipelines.simulator.world import Moment, Simulation
from warehouse.kernels.margin import liquidation_px, maintenance_margin


def positions_of(sim: Simulation, moment: Moment) -> pl.DataFrame:
    """Return one row per open position, by coin and account.

    Parameters
    ----------
    sim
        The simulation, for its coins, tiers and addresses.
    moment
        What was held when.

    Returns
    -------
    DataFrame
        ``account`` and ``coin`` (numbers), ``address``, ``name``, ``size`` (coins, signed),
        ``entry_px``, ``mark_px``, ``notional``, ``liquidation_px`` (null: never), ``isolated``,
        ``leverage``, ``max_leverage``, ``margin_used``, ``raw_usd`` (behind the position at a
        price of 0; cross: null), ``maintenance``, ``funding_open``, ``funding_change``,
        ``funding_ever`` (paid), ``account_value`` (isolated margin included); USD.
    """
    accounts, slots, coins = moment.accounts, moment.slots, moment.coins
    at = np.flatnonzero(slots["size"])
    slot = slots[at]
    owner = np.searchsorted(accounts["end"], at, side="right")
    coin, decimals = slot["coin"], coins["size_decimals"]
    size = size_coins(slot["size"], coin, decimals)
    mark = px_usd(coins["mark"][coin], coin, decimals)
    value = usd(slot["size"] * coins["mark"][coin])
    isolated = slot["isolated"] == 1
    held = maintenance_margin(
        np.abs(value), slot["table"], sim.tiers.first, sim.tiers.rate, sim.tiers.deduction
    )
    count = accounts.size
    cross_value = usd(accounts["cash"]) + _summed(owner, np.where(isolated, 0.0, value), count)
    cross_held = _summed(owner, np.where(isolated, 0.0, held), count)
    own = usd(slot["margin"]) + value
    whole = cross_value + _summed(owner, np.where(isolated, own, 0.0), count)
    raw = np.where(
        isolated, usd(slot["margin"]), cross_value[owner] - (cross_held[owner] - held) - value
    )
    px = liquidation_px(
        size, raw, slot["table"], sim.tiers.first, sim.tiers.rate, sim.tiers.deduction
    )
    used = np.where(isolated, own, np.abs(value) / slot["leverage"])
    return pl.DataFrame(
        {
            "account": owner,
            "coin": coin,
            "address": np.array(sim.addresses)[owner],
            "name": np.array([listed.name for listed in sim.coins])[coin],
            "size": size,
            "entry_px": px_usd(slot["entry"], coin, decimals),
            "mark_px": mark,
            "notional": np.abs(value),
            "liquidation_px": pl.Series(px, nan_to_null=True),
            "isolated": isolated,
            "leverage": slot["leverage"],
            "max_leverage": slot["max_leverage"],
            "margin_used": used,
            "raw_usd": pl.Series(
                np.where(isolated, usd(slot["margin"]), np.nan), nan_to_null=True
            ),
            "maintenance": held,
            "funding_open": usd(slot["funding"]),
            "funding_change": usd(slot["funding_changed"]),
            "funding_ever": usd(slot["funding_ever"]),
            "account_value": whole[owner],
        }
    ).sort("coin", "account")


def _summed(owner: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return sums by account."""
    return np.bincount(owner, values, count)
