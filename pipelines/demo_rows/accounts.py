"""This module keeps the books of every account: what it holds, and the money behind it.

Money is kept as the venue keeps it: USD that a purchase lowers and a sale raises, so that
equity is that USD plus size times mark.  A cross account has one purse; an isolated position
has its own.  Each trade has two sides and fees, so all equity plus all fees is all deposits.
"""

from typing import NamedTuple

import numpy as np

from pipelines.demo_rows.margin import liquidation_px, maintenance
from pipelines.demo_rows.prices import COINS

MAKER = 0  # makes the market and, like the venue's vault, takes over what the book cannot
# Eight worlds took at most 2 M from it, against a maintenance of about 1 M.
MAKER_DEPOSIT = 15e6  # USD
TAKER_FEE, MAKER_FEE = 0.00045, 0.00015  # base tier


class Side(NamedTuple):
    """What a trade was to one of its two accounts."""

    account: int
    start_position: float
    direction: str
    closed_pnl: float
    fee: float
    is_taker: bool


class Margins(NamedTuple):
    """Equity and maintenance at one mark, USD."""

    isolated: np.ndarray  # equity of each isolated position, accounts by coins
    cross: np.ndarray  # equity of each account without its isolated positions
    maintenance: np.ndarray  # accounts by coins
    cross_maintenance: np.ndarray  # of each account's cross positions


class Accounts:
    """The state of all accounts.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    count
        Accounts beside the maker.
    """

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        everyone = (count + 1, len(COINS))
        wealth = np.minimum(4_000 * (1 + rng.pareto(0.95, count + 1)), 6e6)
        self.deposit = np.round(wealth, 2)
        self.deposit[MAKER] = MAKER_DEPOSIT
        leverages = rng.choice([2, 3, 5, 8, 10, 15, 20, 25, 40], count + 1, p=_LEVERAGE_SHARES)
        # Large accounts use less leverage.
        self.taste = np.where(self.deposit > 1e5, np.minimum(leverages, 10), leverages)
        self.isolating = rng.choice([0.0, 0.5, 1.0], count + 1, p=[0.7, 0.1, 0.2])
        self.cash = self.deposit.copy()
        self.deposited = self.deposit.sum()
        self.fees = 0.0
        self.size = np.zeros(everyone)
        self.entry = np.zeros(everyone)
        self.isolated = np.zeros(everyone, bool)
        self.purse = np.zeros(everyone)
        self.leverage = np.ones(everyone, int)
        self.funding_pnl = np.zeros(everyone)

    def margins(self, mark: np.ndarray) -> Margins:
        """Return equity and maintenance at ``mark``, USD by coin."""
        value = self.size * mark
        held = maintenance(np.abs(value))
        cross = ~self.isolated
        return Margins(
            self.purse + value,
            self.cash + (value * cross).sum(axis=1),
            held,
            (held * cross).sum(axis=1),
        )

    def liquidation_px(self, mark: np.ndarray) -> np.ndarray:
        """Return each position's liquidation price, other marks fixed; NaN where none."""
        now = self.margins(mark)
        others = now.cross_maintenance[:, None] - now.maintenance
        cross_raw = now.cross[:, None] - others - self.size * mark
        return liquidation_px(self.size, np.where(self.isolated, self.purse, cross_raw))

    def free(self, account: int, mark: np.ndarray) -> float:
        """Return what an account may still put behind positions, USD."""
        cross = ~self.isolated[account]
        value = self.size[account] * mark * cross
        used = (np.abs(value) / self.leverage[account]).sum()
        return float(self.cash[account] + value.sum() - used)

    def fund(self, oracle: np.ndarray, rate: np.ndarray) -> None:
        """Let longs pay shorts ``rate`` of their notional at the oracle's price."""
        paid = self.size * oracle * rate
        self.funding_pnl -= paid
        self.purse -= paid * self.isolated
        self.cash -= (paid * ~self.isolated).sum(axis=1)

    def pay_in(self, account: int) -> None:
        """Let an account deposit again what it began with."""
        self.cash[account] += self.deposit[account]
        self.deposited += self.deposit[account]

    def trade(
        self,
        account: int,
        coin: int,
        delta: float,
        px: float,
        *,
        takes: bool = True,
        backstop: bool = False,
        releases: bool = True,
    ) -> tuple[Side, Side]:
        """Let an account trade with the maker.

        Parameters
        ----------
        account, coin
            Their numbers.
        delta
            Coins bought, negative: sold.
        px
            USD.
        takes
            Whether the account's order crossed the book.
        backstop
            Whether the maker takes the position over: nobody pays a fee, and it is the maker
            who counts as the taker.
        releases
            Whether a reduced isolated position gives margin back before it is closed.

        Returns
        -------
        (Side, Side)
            Of the account and of the maker.
        """
        word = None
        if backstop:
            mode = "Isolated" if self.isolated[account, coin] else "Cross"
            word = f"Liquidated {mode} {'Long' if delta < 0 else 'Short'}"
        rates = (0.0, 0.0) if backstop else (TAKER_FEE, MAKER_FEE)
        sides = []
        for who, bought, taker in ((account, delta, takes), (MAKER, -delta, not takes)):
            fee = round(abs(delta) * px * rates[0 if taker else 1], 6)
            sides.append(self._side(who, coin, bought, px, fee, word, taker, releases))
        return sides[0], sides[1]

    def _side(
        self,
        who: int,
        coin: int,
        delta: float,
        px: float,
        fee: float,
        word: str | None,
        taker: bool,
        releases: bool,
    ) -> Side:
        start = float(self.size[who, coin])
        end = round(start + delta, COINS[coin].size_decimals)
        closed = min(abs(delta), abs(start)) if start * delta < 0 else 0.0
        pnl = round(closed * (px - self.entry[who, coin]) * np.sign(start), 6)
        self._pay(who, coin, start, delta, end, px, fee, releases)
        if start * end <= 0:
            self.entry[who, coin] = px
            self.funding_pnl[who, coin] = 0.0
        elif abs(end) > abs(start):
            self.entry[who, coin] = (start * self.entry[who, coin] + delta * px) / end
        self.size[who, coin] = end
        if end == 0:
            self.isolated[who, coin] = False
        self.fees += fee
        return Side(who, start, word or _direction(start, end), float(pnl), fee, taker)

    def _pay(
        self,
        who: int,
        coin: int,
        start: float,
        delta: float,
        end: float,
        px: float,
        fee: float,
        releases: bool,
    ) -> None:
        """Move the money of a trade, and an isolated position's margin with it."""
        if not self.isolated[who, coin]:
            self.cash[who] -= delta * px + fee
            return
        self.purse[who, coin] -= delta * px + fee
        if abs(end) > abs(start):
            moved = abs(delta) * px / self.leverage[who, coin]
        elif end == 0:
            moved = -self.purse[who, coin]
        elif releases:
            moved = -(self.purse[who, coin] + end * px) * abs(delta / start)
        else:
            moved = 0.0
        self.purse[who, coin] += moved
        self.cash[who] -= moved


_LEVERAGE_SHARES = [0.08, 0.13, 0.2, 0.1, 0.19, 0.06, 0.13, 0.05, 0.06]


def _direction(start: float, end: float) -> str:
    """Return the venue's word for a position that goes from ``start`` to ``end``.

    >>> _direction(0.0, 1.0), _direction(-2.0, -1.0), _direction(-1.0, 1.0)
    ('Open Long', 'Close Short', 'Short > Long')
    """
    if start * end < 0:
        return "Short > Long" if end > 0 else "Long > Short"
    side = "Long" if start + end > 0 else "Short"
    return f"{'Open' if abs(end) > abs(start) else 'Close'} {side}"
