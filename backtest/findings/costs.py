"""This module says what of the gross profit went where."""

from collections.abc import Sequence
from dataclasses import dataclass

from backtest.runs import Run


@dataclass(frozen=True, slots=True)
class Split:
    """Profit of all trades, pessimistic reading, USD.

    Attributes
    ----------
    gross
        Before anything was charged, at prices without slippage.
    fees, funding, slippage
        Paid; negative: received.
    forfeit
        Margin lost to the venue where the account was liquidated.
    net
        What is left.
    notional
        Of all entries.
    """

    gross: float
    fees: float
    funding: float
    slippage: float
    forfeit: float
    net: float
    notional: float


def split(runs: Sequence[Run]) -> Split | None:
    """Return the profit of runs, split; None: no trades."""
    if not sum(len(run.replay) for run in runs):
        return None
    names = ("fees", "funding", "slippage", "forfeit", "pnl")
    sums = [float(sum(run.replay.trades[name].sum() for run in runs)) for name in names]
    notional = float(sum(run.replay.entry_notional.sum() for run in runs))
    return Split(sum(sums), *sums, notional)
