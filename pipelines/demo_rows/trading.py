"""This module is the market: accounts trade with the maker, and are liquidated into it."""

import math
from typing import NamedTuple

import numpy as np

from pipelines.demo_rows.accounts import Accounts, Side
from pipelines.demo_rows.prices import COINS

LIQUIDATED_AT = 400  # ms into the minute
NEXT_BLOCKS = 700  # ms until what is left of an account is looked at again
BLOCK = 70  # ms, so that a time in ms gives its block's number
SMALLEST, LARGEST = 10.0, 5e6  # USD of one order
# The venue sends a fifth of a position above this notional first, then, within 30 s, the rest.
PARTIAL_ABOVE, PARTIAL = 1e5, 0.2
BACKSTOP = 2 / 3  # of maintenance: with less equity the vault takes over
_SHARES = np.cumsum([coin.share for coin in COINS])[:-1]


class Liquidation(NamedTuple):
    """What the venue says of a liquidation on both sides' fills."""

    account: int
    mark_px: float
    method: str


class Fill(NamedTuple):
    """One trade with its two sides."""

    ms: int
    coin: int
    px: float
    size: float
    buyer: Side
    seller: Side
    liquidation: Liquidation | None


class Market:
    """Where accounts meet the maker.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    accounts
        Their books.
    """

    def __init__(self, rng: np.random.Generator, accounts: Accounts) -> None:
        self.rng = rng
        self.accounts = accounts
        self.fills: list[Fill] = []

    def liquidate(self, ms: int, mark: np.ndarray) -> None:
        """Liquidate whoever is under maintenance; look again once after partial orders."""
        accounts = self.accounts
        for turn in (0, 1):
            now = accounts.margins(mark)
            alone = accounts.isolated
            equity = np.where(alone, now.isolated, now.cross[:, None])
            needed = np.where(alone, now.maintenance, now.cross_maintenance[:, None])
            under = (accounts.size != 0) & (equity < needed)
            if not under.any():
                return
            notional = np.abs(accounts.size) * mark
            together = (notional * ~alone).sum(axis=1)[:, None]
            behind = np.where(alone, notional, together)
            lost = equity < BACKSTOP * needed
            at = ms + LIQUIDATED_AT + turn * NEXT_BLOCKS
            for account, coin in np.argwhere(under).tolist():
                size = accounts.size[account, coin]
                side = np.sign(size)
                if lost[account, coin]:
                    # At the price that leaves the account nothing.
                    left = equity[account, coin] / behind[account, coin]
                    px = round(mark[coin] * (1 - side * left), 6)
                    self._force(at, account, coin, -size, px, mark, "backstop")
                    continue
                slip = min(0.005, self.rng.exponential(0.0008)) - 0.0001
                px = on_tick(mark[coin] * (1 - side * slip), coin)
                in_part = turn == 0 and notional[account, coin] > PARTIAL_ABOVE
                sent = round(size * PARTIAL, COINS[coin].size_decimals) if in_part else size
                self._force(at, account, coin, -sent, px, mark, "market")

    def think(
        self, ms: int, mark: np.ndarray, trend: np.ndarray, account: int, chance: np.ndarray
    ) -> None:
        """Let an account open, add to, reduce or close a position, or leave it."""
        accounts = self.accounts
        coin = int(np.searchsorted(_SHARES, chance[0], side="right"))
        size = accounts.size[account, coin]
        free = accounts.free(account, mark)
        if not accounts.size[account].any() and free < 0.1 * accounts.deposit[account]:
            accounts.pay_in(account)
            free = accounts.free(account, mark)
        delta = 0.0
        if size != 0 and chance[1] < 0.4:
            delta = -size
        elif size != 0 and chance[1] < 0.55:
            delta = -size * (0.3 + 0.4 * chance[2])
        elif chance[1] < 0.85:
            coin_max = COINS[coin].max_leverage
            if size == 0:
                # Most go where the last twelve hours went.
                is_long = chance[3] < 0.53 + 0.25 * np.tanh(trend[coin] / 0.04)
                direction = 1.0 if is_long else -1.0
                leverage = min(int(accounts.taste[account]), coin_max)
                accounts.leverage[account, coin] = leverage
                accounts.isolated[account, coin] = chance[4] < accounts.isolating[account]
            else:
                direction = float(np.sign(size))
            margin = (0.1 + 0.5 * chance[2]) * free * (1.0 if size == 0 else 0.3)
            notional = min(margin * accounts.leverage[account, coin], LARGEST)
            delta = direction * max(0.0, notional) / mark[coin]
        delta = round(delta, COINS[coin].size_decimals)
        if abs(delta) * mark[coin] < SMALLEST:
            if size == 0:
                accounts.isolated[account, coin] = False
            return
        takes = bool(chance[5] < 0.6)
        paid = (0.5 + 2 * chance[6]) * 1e-4 * (1 if takes else -1) * np.sign(delta)
        px = on_tick(mark[coin] * (1 + paid), coin)
        sides = accounts.trade(account, coin, delta, px, takes=takes)
        self._tell(ms, coin, px, delta, sides, None)

    def _force(
        self,
        ms: int,
        account: int,
        coin: int,
        delta: float,
        px: float,
        mark: np.ndarray,
        method: str,
    ) -> None:
        sides = self.accounts.trade(
            account,
            coin,
            delta,
            px,
            takes=method == "market",
            backstop=method == "backstop",
            releases=False,
        )
        told = Liquidation(account, float(mark[coin]), method)
        self._tell(ms, coin, px, delta, sides, told)

    def _tell(
        self,
        ms: int,
        coin: int,
        px: float,
        delta: float,
        sides: tuple[Side, Side],
        liquidation: Liquidation | None,
    ) -> None:
        buyer, seller = sides if delta > 0 else sides[::-1]
        block = ms // BLOCK * BLOCK
        self.fills.append(Fill(block, coin, px, abs(delta), buyer, seller, liquidation))


def on_tick(px: float, coin: int) -> float:
    """Return the nearest price the venue takes an order at.

    At most five significant figures and the coin's decimals; whole numbers always.

    >>> on_tick(91234.56, 0), on_tick(3141.59, 1), on_tick(25.61239, 3)
    (91235.0, 3141.6, 25.612)
    """
    figures = 4 - math.floor(math.log10(px))
    return round(float(px), max(0, min(figures, COINS[coin].px_decimals)))
