"""This module lists what each calendar month earned."""

from dataclasses import dataclass

import numpy as np

from backtest.daily import Daily
from backtest.pooled import Attempts


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month, UTC, pessimistic reading.

    Attributes
    ----------
    month
        Such as ``2026-02``.
    days
        Of the period that lie in it.
    attempts, trades
        That entered in it.
    mean
        Of its attempts, fraction of notional; None: none.
    earned
        Sum of its daily returns, fraction of the start equity.
    """

    month: str
    days: int
    attempts: int
    trades: int
    mean: float | None
    earned: float


def months(attempts: Attempts, daily: Daily) -> tuple[Month, ...]:
    """Return every month of a period, in order."""
    of_day = daily.day.astype("datetime64[M]")
    of_attempt = attempts.days.astype("datetime64[M]")
    found = []
    for month in np.unique(of_day):
        here = of_attempt == month
        found.append(
            Month(
                str(month),
                int((of_day == month).sum()),
                int(here.sum()),
                int((here & attempts.filled).sum()),
                float(attempts.returns[here].mean()) if here.any() else None,
                float(daily.returns[of_day == month].sum()),
            )
        )
    return tuple(found)
