"""This module keeps what the last 24 hours need: value and size traded, and each mark."""

from typing import NamedTuple

import numpy as np

from pipelines.simulator.serve.growing import Growing, growing
from pipelines.simulator.serve.spans import MINUTE
from pipelines.simulator.serve.tape import is_public

MINUTES = 1440
VALUE, SIZE, MARK = range(3)


class Day(NamedTuple):
    """Minute by minute, int64[minutes, coins, 3]: micro-USDC and lots traded so far, mark."""

    minutes: Growing

    def after(self, contexts: np.ndarray, trades: np.ndarray) -> "Day":
        """Return the day after minutes that followed."""
        coins = self.minutes.buffer.shape[1]
        more = _minutes(contexts.reshape(-1, coins), trades)
        if self.minutes.used:
            more[..., :MARK] += self.minutes.rows[-1, :, :MARK]
        return Day(self.minutes.after(more, MINUTES + 1))

    def traded(self) -> tuple[np.ndarray, np.ndarray]:
        """Return micro-USDC and lots of each coin over the last 24 hours."""
        rows = self.minutes.rows
        before = rows[-MINUTES - 1] if len(rows) > MINUTES else np.zeros_like(rows[-1])
        both = rows[-1] - before
        return both[:, VALUE], both[:, SIZE]

    def marks_before(self) -> np.ndarray:
        """Return each coin's mark 24 hours ago, or the first there is, units."""
        rows = self.minutes.rows
        return rows[max(0, len(rows) - MINUTES - 1), :, MARK]


def day_of(contexts: np.ndarray, trades: np.ndarray, coins: int) -> Day:
    """Return the day of a world's first minutes."""
    return Day(growing(np.zeros((0, coins, 3), np.int64))).after(contexts, trades)


def _minutes(rows: np.ndarray, trades: np.ndarray) -> np.ndarray:
    out = np.zeros((*rows.shape, 3), np.int64)
    told = trades[is_public(trades)]
    minute = (told["ms"] - rows["ms"][0, 0]) // MINUTE + 1
    np.add.at(out[..., VALUE], (minute, told["coin"]), told["px"] * told["size"])
    np.add.at(out[..., SIZE], (minute, told["coin"]), told["size"])
    out[..., :MARK] = np.cumsum(out[..., :MARK], axis=0)
    out[..., MARK] = rows["mark"]
    return out
