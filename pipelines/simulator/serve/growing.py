"""This module keeps rows that only ever become more, so that readers need no lock."""

from typing import NamedTuple

import numpy as np


class Growing(NamedTuple):
    """Rows of which the first ``used`` are there.

    One writer makes each next one from the last.  Rows are written behind those that a reader
    may be looking at, so older ones stay true while newer ones share their memory.
    """

    buffer: np.ndarray
    used: int

    @property
    def rows(self) -> np.ndarray:
        """Return the rows that are there, oldest first."""
        return self.buffer[: self.used]

    def after(self, more: np.ndarray, keep: int) -> "Growing":
        """Return these rows and ``more``; when there is no room, only ``keep`` are moved on.

        >>> rows = Growing(np.zeros(0, int), 0).after(np.array([1, 2]), keep=3)
        >>> later = rows.after(np.array([3]), keep=3)
        >>> rows.rows.tolist(), later.rows.tolist()
        ([1, 2], [1, 2, 3])
        """
        end = self.used + len(more)
        if end <= len(self.buffer):
            self.buffer[self.used : end] = more
            return Growing(self.buffer, end)
        kept = self.rows[max(0, end - keep) :]
        more = more[max(0, len(more) - keep) :]
        used = len(kept) + len(more)
        # Half as much again as there is, so that moving is rare and memory stays bounded.
        buffer = np.empty((used + used // 2 + 16, *more.shape[1:]), more.dtype)
        buffer[: len(kept)], buffer[len(kept) : used] = kept, more
        return Growing(buffer, used)


def growing(rows: np.ndarray) -> Growing:
    """Start from rows that are already there; they are not copied."""
    return Growing(rows, len(rows))
