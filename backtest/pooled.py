"""This module pools the attempts of several coins: one return and one day each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.records import LEFT, REFUSED, TIME, UNFILLED
from backtest.replay import Replay
from backtest.statistics.attempts import as_attempts
from backtest.statistics.lasting import days_alike


@dataclass(frozen=True, slots=True)
class Attempts:
    """Orders that reached the venue, filled or not.

    Attributes
    ----------
    returns : float64[n]
        Fractions of notional, after costs; 0 where nothing was filled.
    days : datetime64[D][n]
        UTC date of the entry, or of the open at which it would have been.
    filled : bool[n]
        Whether a trade came of it.
    held : float64[n]
        Days from entry to exit, to the end of the bar it is in; 0 where nothing was filled.
    """

    returns: np.ndarray
    days: np.ndarray
    filled: np.ndarray
    held: np.ndarray

    @property
    def mean(self) -> float | None:
        """Return the mean return; None: there are no attempts."""
        return float(self.returns.mean()) if self.returns.size else None

    @property
    def trades(self) -> int:
        """Return how many trades came of them."""
        return int(self.filled.sum())

    @property
    def days_alike(self) -> int:
        """Return how many days count as one, because trades last so long."""
        return days_alike(self.held[self.filled])

    def __len__(self) -> int:
        """Return how many there are."""
        return self.returns.size


def attempts_of(replays: Sequence[tuple[Bars, Replay]]) -> Attempts:
    """Return the attempts of replays, each of one coin, one replay after the other.

    Parameters
    ----------
    replays
        Bars of the period, and what was replayed on them.

    Raises
    ------
    ValueError
        If the return of a trade is unknown.
    """
    parts = []
    for bars, played in replays:
        missed = np.isin(played.outcome[:, 0], (UNFILLED, REFUSED))
        entered = bars.start[played.trades["entered"]].astype("datetime64[D]")
        returns, days = as_attempts(
            played.trade_returns, entered, bars.end[missed].astype("datetime64[D]")
        )
        held = np.zeros(returns.size)
        held[: len(played)] = _days_held(bars, played.trades)
        parts.append(Attempts(returns, days, np.arange(returns.size) < len(played), held))
    return pooled(parts)


def _days_held(bars: Bars, trades: np.ndarray) -> np.ndarray:
    """Return how long trades were held, days; one that ends within a bar, to its end."""
    at_the_open = np.isin(trades["reason"], (TIME, LEFT))
    left = np.where(at_the_open, bars.start[trades["left"]], bars.end[trades["left"]])
    return (left - bars.start[trades["entered"]]) / np.timedelta64(1, "D")


def pooled(parts: Sequence[Attempts]) -> Attempts:
    """Return the attempts of several, one after the other."""
    if not parts:
        nothing = np.zeros(0)
        return Attempts(nothing, nothing.astype("datetime64[D]"), nothing.astype(bool), nothing)
    return Attempts(
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.filled for part in parts]),
        np.concatenate([part.held for part in parts]),
    )
