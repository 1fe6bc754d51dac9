"""This module shows a rule yesterday's map and flow in place of today's.

What is said to be known from the newest map must do better than what a day-old one tells, at
today's price.
"""

import numpy as np

from backtest.bars import Bars
from backtest.flow import Flow
from backtest.maps import Maps
from backtest.placebos.flow_rows import flow_of_rows, rows_starting
from backtest.view import MapReader

DAY = np.timedelta64(86_400_000_000, "us")


def yesterdays_maps(read: MapReader) -> MapReader:
    """Return a reader of what was known 24 hours before, looked at from the price of now."""

    def earlier(
        asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        return read(asked, moments - DAY, px, reach_pct)

    return earlier


def yesterdays_flow(flow: Flow, bars: Bars) -> Flow:
    """Return each bar's flow 24 hours before; not known where no bar was then."""
    return flow_of_rows(flow, rows_starting(bars.start, bars.start - DAY))
