"""This module keeps the trades that happened, and finds those of one account or one coin."""

from typing import NamedTuple

import numpy as np

from pipelines.simulator.records import BY_CHOICE, BY_MARKET
from pipelines.simulator.serve.growing import Growing, growing

MOST = 2_000_000  # trades kept: 350 MB, two weeks of 25,000 accounts
LOOSE = 20_000  # trades that may be looked through one by one before they are sorted in


class Tape(NamedTuple):
    """Trades in order of time.

    Attributes
    ----------
    trades
        Rows of ``records.TRADE``.
    sides
        Twice the number of a trade, plus 1 for its seller's side: by account, then by time.
    first
        int64[accounts + 1]: where each account's begin in ``sides``.
    sorted_in
        How many trades ``sides`` knows of; those after are looked through.
    forgotten
        How many older trades are no longer kept: the first that is has this number.
    """

    trades: Growing
    sides: np.ndarray
    first: np.ndarray
    sorted_in: int
    forgotten: int

    def after(self, more: np.ndarray) -> "Tape":
        """Return this tape and trades that followed."""
        trades = self.trades.after(more, MOST)
        gone = self.trades.used + len(more) - trades.used
        loose = trades.used - self.sorted_in
        if gone or loose > LOOSE + self.sorted_in // 8:
            return _sorted(trades, len(self.first) - 1, self.forgotten + gone)
        return self._replace(trades=trades)


def tape_of(trades: np.ndarray, accounts: int) -> Tape:
    """Return the tape of a world's first trades."""
    return _sorted(growing(trades[-MOST:]), accounts, max(0, len(trades) - MOST))


def _sorted(trades: Growing, accounts: int, forgotten: int) -> Tape:
    rows = trades.rows
    owners = np.stack([rows["buyer"], rows["seller"]], 1).ravel()
    sides = np.argsort(owners, kind="stable")
    first = np.searchsorted(owners[sides], np.arange(accounts + 1))
    return Tape(trades, sides, first, len(rows), forgotten)


class Sides(NamedTuple):
    """Sides of trades, in order of time.

    Attributes
    ----------
    trades
        Rows of ``records.TRADE``.
    sold
        Whether it is the seller's side.
    numbers
        The trades' numbers among all of the world.
    """

    trades: np.ndarray
    sold: np.ndarray
    numbers: np.ndarray

    def where(self, at: np.ndarray | slice) -> "Sides":
        """Return some of them."""
        return Sides(self.trades[at], self.sold[at], self.numbers[at])


def sides_of_account(tape: Tape, account: int, newest: int) -> Sides:
    """Return an account's sides of its newest trades."""
    rows = tape.trades.rows
    known = tape.sides[tape.first[account] : tape.first[account + 1]]
    loose = rows[tape.sorted_in :]
    mine = np.stack([loose["buyer"] == account, loose["seller"] == account], 1)
    late = np.flatnonzero(mine.ravel()) + 2 * tape.sorted_in
    sides = np.concatenate([known[-newest:], late])[-newest:]
    return Sides(rows[sides // 2], sides % 2 == 1, sides // 2 + tape.forgotten)


def takers_of_coin(tape: Tape, coin: int, newest: int, first: int = 0) -> Sides:
    """Return the takers' sides of a coin's newest public trades, from row ``first`` on."""
    rows = tape.trades.rows[first:]
    at = np.flatnonzero((rows["coin"] == coin) & is_public(rows))[-newest:]
    return Sides(rows[at], rows["taker_buys"][at] == 0, at + first + tape.forgotten)


def is_public(trades: np.ndarray) -> np.ndarray:
    """Return which trades the book made: takeovers, deleveraging and settlement are not."""
    return (trades["kind"] == BY_CHOICE) | (trades["kind"] == BY_MARKET)
