"""This module reads a search's trials from the lake as one table: a row a setting."""

from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.runs import as_json
from backtest.search.asked import Search
from backtest.search.parameters import Value


@dataclass(frozen=True, slots=True)
class Table:
    """What came of the settings of a search, over all its coins and periods.

    Attributes
    ----------
    rule
        Names of the strategy and of what it uses of the map.
    names
        Parameters that were changed, dotted.
    settings
        Values of each setting.
    daily : float64[d, s]
        Return of each UTC day and setting: the mean over coins.
    trades : int64[s]
        Closed, of all coins and periods.
    """

    rule: str
    names: tuple[str, ...]
    settings: list[tuple[Value, ...]]
    daily: np.ndarray
    trades: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Return, float64[s], the sum of the daily returns: profits are not compounded."""
        return self.daily.sum(axis=0)

    @property
    def best(self) -> int | None:
        """Return the setting with the highest Sharpe ratio; None: none has one."""
        first = self.order[0]
        return None if np.isnan(self.sharpe[first]) else first

    @property
    def sharpe(self) -> np.ndarray:
        """Return, float64[s], Sharpe ratios of one day; NaN: the returns do not vary."""
        return sharpes(self.daily)

    @property
    def order(self) -> list[int]:
        """Return the settings, the highest Sharpe ratio first, those without one last."""
        return np.argsort(-self.sharpe, kind="stable").tolist()

    def words(self, setting: int) -> str:
        """Return a setting in words."""
        values = zip(self.names, self.settings[setting], strict=True)
        return ", ".join(f"{name}={value}" for name, value in values) or "as it is"


def sharpes(daily: np.ndarray) -> np.ndarray:
    """Return, float64[s], mean over deviation of the days of each setting; NaN: they vary not.

    >>> sharpes(np.array([[0.0, 0.0], [0.02, 0.0]])).round(4).tolist()
    [0.7071, nan]
    """
    if daily.shape[0] < 2:
        return np.full(daily.shape[1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = daily.mean(axis=0) / daily.std(axis=0, ddof=1)
    return np.where(np.ptp(daily, axis=0) > 0, ratio, np.nan)


def read_table(lake: duckdb.DuckDBPyConnection, asked: Search, sweep_id: str) -> Table:
    """Read a search whose trials all lie in the lake.

    Parameters
    ----------
    lake
        Catalog of a lake.
    asked
        What was tried.
    sweep_id
        Its name, of :func:`backtest.search.keep.search`.

    Raises
    ------
    LookupError
        If a trial is not there, or is not of all days of its period.
    """
    question = asked.question
    settings = asked.settings
    place = {
        as_json(asked.strategy(values).parameters()): number
        for number, values in enumerate(settings)
    }
    trades = np.zeros(len(settings), np.int64)
    day = np.unique(np.concatenate([span.day for span in asked.spans]))
    daily = np.zeros((day.size, len(settings)))
    for span in asked.spans:
        rows = lake.sql(
            """
            select parameters, trades, daily
            from backtest_trials
            where sweep_id = $sweep_id and coins = $coin and start_ts = $since
                and day = ($since at time zone 'UTC')::date
            """,
            params={"sweep_id": sweep_id, "coin": span.coin, "since": span.since},
        ).to_arrow_table()
        held = np.array([place[text] for text in rows["parameters"].to_pylist()], np.int64)
        mine = np.searchsorted(day, span.day)
        lists = rows["daily"].combine_chunks()
        if np.unique(held).size < len(settings) or len(lists.flatten()) != (
            len(settings) * mine.size
        ):
            raise LookupError(
                f"sweep {sweep_id}: trials of {span.coin} from {span.since:%Y-%m-%d %H:%M} "
                "are not all in the lake; run the sweep again"
            )
        returns = lists.flatten().to_numpy().reshape(-1, mine.size)
        daily[np.ix_(mine, held)] += returns.T / len(question.coins)
        trades[held] += rows["trades"].to_numpy()
    rule = question.strategy.rule
    if question.strategy.without_map() is not None:
        rule += f" + {question.strategy.variant}"
    return Table(rule, asked.names, settings, daily, trades)
