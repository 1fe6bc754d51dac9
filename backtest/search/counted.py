"""This module counts the trials that a search's best was chosen from, whatever their length."""

import duckdb
import numpy as np

from backtest.bars import as_utc
from backtest.question import Question


def counted(lake: duckdb.DuckDBPyConnection, question: Question, days: int) -> np.ndarray:
    """Return the Sharpe ratios of all trials that share a coin and overlap the period.

    Parameters
    ----------
    lake
        Catalog of a lake.
    question
        Whose coins and period.
    days
        Over which the chosen one's Sharpe ratio was taken.

    Returns
    -------
    float64[n]
        One a trial, each trial once however often it was tried, of one day; NaN: its returns do
        not vary.

    Notes
    -----
    Of a rule without an edge, the Sharpe ratio of ``t`` days varies as ``1 / t``: a month's
    scatter more than a year's.  So a trial's ratio is taken times the root of its days over
    ``days``: what would be as rare over the days of the chosen one.
    """
    since, until = question.period
    rows = lake.sql(
        """
        select any_value(sharpe * sqrt(len(daily) / $days)) as sharpe
        from backtest_trials
        where
            start_ts < $until and end_ts > $since
            and list_has_any(string_split(coins, ','), $coins)
        group by trial_id
        order by trial_id
        """,
        params={
            "since": as_utc(since),
            "until": as_utc(until),
            "coins": list(question.coins),
            "days": days,
        },
    ).fetchnumpy()["sharpe"]
    return np.ma.filled(np.ma.asarray(rows, np.float64), np.nan)
