"""This module says what an hour of a world brings to those who write files of it."""

from typing import NamedTuple

import numpy as np

from pipelines.simulator.world import Moment, Told

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS


class Hour(NamedTuple):
    """An hour that has passed.

    Attributes
    ----------
    start_ms
        When it began.
    before
        Records of the coins at that moment.
    held
        What every account held at that moment; null where nobody asks.
    told
        What happened.
    snapshot
        What every account held a minute before its end; null where no snapshot is due.
    """

    start_ms: int
    before: np.ndarray
    held: Moment | None
    told: Told
    snapshot: Moment | None

    @property
    def end_ms(self) -> int:
        """When it ended."""
        return self.start_ms + HOUR_MS

    @property
    def ends_day(self) -> bool:
        """Whether it is the last of a UTC day."""
        return self.end_ms % DAY_MS == 0
