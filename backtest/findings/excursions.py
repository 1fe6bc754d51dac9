"""This module says how far trades went for and against themselves while they were open."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.runs import Run

LEVELS = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Excursions:
    """Quantiles at 5, 25, 50, 75 and 95 % over trades, pessimistic reading.

    Attributes
    ----------
    against
        Worst price from the entry, fraction of it, 0 or below: of what the market showed while
        the trade was open and of the trade's own fills, so that no loss before fees is more
        (maximum adverse excursion, Sweeney 1996).
    favour
        Best price from the entry likewise, 0 or above.
    """

    against: tuple[float, ...]
    favour: tuple[float, ...]


def excursions(runs: Sequence[Run]) -> Excursions | None:
    """Return how far the trades of runs went either way; None: no trades."""
    trades = [run.replay.trades for run in runs]
    if not sum(map(len, trades)):
        return None
    side, entry, worst, best = (
        np.concatenate([one[name] for one in trades])
        for name in ("size", "entry_px", "worst_px", "best_px")
    )
    return Excursions(*(_spread(np.sign(side) * (px / entry - 1)) for px in (worst, best)))


def _spread(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(edge) for edge in np.percentile(values, LEVELS))
