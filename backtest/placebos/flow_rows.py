"""This module takes the flow of other bars in place of each bar's own."""

from dataclasses import fields

import numpy as np

from backtest.flow import Flow


def flow_of_rows(flow: Flow, rows: np.ndarray) -> Flow:
    """Return, for each bar, the flow of another.

    Parameters
    ----------
    flow
        One row per bar.
    rows : int64[n]
        Bar whose flow is taken; -1: none, and nothing is known.

    Returns
    -------
    Flow
        ``n`` rows, each moved as a whole.
    """
    taken = {field.name: getattr(flow, field.name)[rows] for field in fields(flow)}
    for values in taken.values():
        values[rows < 0] = np.nan
    return Flow(**taken)


def rows_starting(starts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the bar that starts at each wanted moment; -1: none does.

    >>> hours = np.arange("2026-01-01T00", "2026-01-01T03", dtype="datetime64[h]")
    >>> rows_starting(hours, hours - np.timedelta64(1, "h")).tolist()
    [-1, 0, 1]
    """
    found = np.minimum(np.searchsorted(starts, wanted), starts.size - 1)
    return np.where(starts[found] == wanted, found, -1)
