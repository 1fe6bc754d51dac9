"""This module remembers what accounts were worth at midnights, for the leaderboard."""

from typing import NamedTuple

import numpy as np

from pipelines.simulator.records import DEPOSIT, WITHDRAWAL
from pipelines.simulator.world import Moment, Told

DAY = 86_400_000  # ms
KEPT = 31  # midnights


class Worth(NamedTuple):
    """What accounts were worth at a moment, and what had come about until then.

    Attributes
    ----------
    ms
        When.
    value
        int64[accounts]: micro-USDC, isolated margin included.
    paid_in
        Deposits less withdrawals since the world began, micro-USDC.
    traded
        Value bought and sold since the world began, micro-USDC.
    """

    ms: int
    value: np.ndarray
    paid_in: np.ndarray
    traded: np.ndarray


def worth_at_first(moment: Moment) -> Worth:
    """Return what accounts were worth when the world began."""
    none = np.zeros(moment.accounts.size, np.int64)
    return Worth(moment.ms, account_values(moment), none, none)


def worth_after(before: Worth, told: Told, moment: Moment) -> Worth:
    """Return what accounts are worth after what is told."""
    paid_in, traded = before.paid_in.copy(), before.traded.copy()
    moved = told.transfers[np.isin(told.transfers["kind"], (DEPOSIT, WITHDRAWAL))]
    np.add.at(paid_in, moved["account"], moved["amount"])
    value = told.trades["px"] * told.trades["size"]
    np.add.at(traded, told.trades["buyer"], value)
    np.add.at(traded, told.trades["seller"], value)
    return Worth(moment.ms, account_values(moment), paid_in, traded)


def account_values(moment: Moment) -> np.ndarray:
    """Return the value of each account, micro-USDC, in whole numbers."""
    slots = moment.slots
    at = np.flatnonzero(slots["size"])
    owner = np.searchsorted(moment.accounts["end"], at, side="right")
    value = moment.accounts["cash"].copy()
    held = slots["margin"][at] + slots["size"][at] * moment.coins["mark"][slots["coin"][at]]
    np.add.at(value, owner, held)
    return value


def midnights_with(midnights: tuple[Worth, ...], now: Worth) -> tuple[Worth, ...]:
    """Return the first moment and the newest midnights, with ``now`` if it is one."""
    if now.ms % DAY or now.ms == midnights[-1].ms:
        return midnights
    return (midnights[0], *midnights[1:][-KEPT + 1 :], now)
