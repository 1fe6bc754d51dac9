"""This module says what an attempt earned under one reading of ambiguous bars."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from backtest.pooled import attempts_of
from backtest.runs import Run
from backtest.statistics.clustered import Mean, clustered_mean
from backtest.statistics.lasting import first_days

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Reading:
    """The mean attempt of all coins under one reading.

    Attributes
    ----------
    bound
        ``pessimistic``, ``optimistic`` or ``drilled``.
    attempts, trades, days
        Orders that reached the venue, those that were filled, and the UTC days they are of;
        stretches of days where trades outlast a day.
    days_alike
        Days of such a stretch; 1: each is one of its own.
    ambiguous
        Share of trades that the reading decides; None: no trades.
    mean, error
        Of an attempt, fraction of notional, with its standard error clustered by day; None: no
        attempts, or fewer than two days.
    low, high
        95 % interval of the mean, by Student's t over days, or stretches of them.
    p
        Of a true mean of 0, both sides.
    """

    bound: str
    attempts: int
    trades: int
    days: int
    days_alike: int
    ambiguous: float | None
    mean: float | None
    error: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def sign(self) -> int:
        """Return the side of 0 that the whole interval lies on; 0: neither."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


def read(bound: str, runs: Sequence[Run]) -> Reading:
    """Return the mean attempt of runs of one reading, one a coin."""
    attempts = attempts_of([(run.bars, run.replay) for run in runs])
    unsure = sum(int(run.replay.trades["ambiguous"].sum()) for run in runs)
    length = attempts.days_alike
    found = clustered_mean(attempts.returns, first_days(attempts.days, length))
    low, high = interval_of(found)
    return Reading(
        bound,
        len(attempts),
        attempts.trades,
        found.clusters,
        length,
        unsure / attempts.trades if attempts.trades else None,
        found.mean,
        found.error,
        low,
        high,
        found.p,
    )


def interval_of(found: Mean) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a clustered mean; None: its error is not known, or is 0."""
    if found.mean is None or not found.error:
        return None, None
    far = float(stdtrit(found.clusters - 1, (1 + LEVEL) / 2)) * found.error
    return found.mean - far, found.mean + far
