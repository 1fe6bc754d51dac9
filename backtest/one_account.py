"""This module replays several coins in one account, and gives each coin its share of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from backtest.bars import Bars
from backtest.leg import Leg
from backtest.replay import Replay, replay
from backtest.terms import Terms

T = TypeVar("T")


def in_accounts(coins: Sequence[T], account: str) -> list[list[T]]:
    """Return what there is one of a coin, account by account.

    Parameters
    ----------
    coins
        One a coin.
    account
        As in :class:`backtest.question.Question`.

    Examples
    --------
    >>> in_accounts(["BTC", "ETH"], "each"), in_accounts(["BTC", "ETH"], "one")
    ([['BTC'], ['ETH']], [['BTC', 'ETH']])
    """
    return [list(coins)] if account == "one" else [[one] for one in coins]


def replay_shares(legs: Sequence[Leg], terms: Terms, *, bound: str) -> list[Replay]:
    """Replay coins in one account.

    Parameters
    ----------
    legs
        Coins, in any order: they take their turns in that of their names.
    terms, bound
        As in :func:`backtest.replay.replay`.

    Returns
    -------
    list
        The share of each leg, in the order given; of a single one, the account itself.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    turns = sorted(range(len(legs)), key=lambda number: legs[number].bars.coin)
    whole = replay([legs[number] for number in turns], terms, bound=bound)
    if len(legs) == 1:
        return [whole]
    return [share(whole, turns.index(n), leg.bars) for n, leg in enumerate(legs)]


def share(whole: Replay, column: int, bars: Bars) -> Replay:
    """Return one coin's part of an account's replay.

    Parameters
    ----------
    whole
        Of the account, on all bars that any of its coins has.
    column
        Which of its coins.
    bars
        The coin's own.

    Returns
    -------
    Replay
        Its trades, position and outcomes and the account's equity, counted in its own bars.
        What the account closed at its last bar, it closed at the coin's.
    """
    rows = np.searchsorted(whole.start, bars.start)
    trades = whole.trades[whole.trades["coin"] == column]
    trades["coin"] = 0
    for name in ("decided", "entered", "left"):
        trades[name] = np.searchsorted(rows, trades[name], side="right") - 1
    position = whole.position[rows][:, [column]]
    position[-1] = 0.0
    return replace(
        whole,
        start=bars.start,
        trades=trades,
        equity=whole.equity[rows],
        position=position,
        outcome=whole.outcome[rows][:, [column]],
        whole=whole,
        drilled=whole.drilled[column : column + 1],
    )
