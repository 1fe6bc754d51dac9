"""This module holds what a rule decided at the close of every bar."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, slots=True)
class Decisions:
    """One decision per bar, made at its close from nothing later.

    Attributes
    ----------
    side : int8[n]
        +1 long, -1 short, 0 nothing.
    stop_fraction, target_fraction : float64[n]
        Distance from the entry as a fraction of it; NaN: none.
    target_px : float64[n]
        Target, USD; where it is not NaN it takes the place of ``target_fraction``.
    max_bars : int64[n]
        Bars a trade may be held; 0: any number.
    snapshot_ts : datetime64[us][n]
        Snapshot whose map the decision used, UTC; NaT: it used none.
    """

    side: np.ndarray
    stop_fraction: np.ndarray
    target_fraction: np.ndarray
    target_px: np.ndarray
    max_bars: np.ndarray
    snapshot_ts: np.ndarray

    @classmethod
    def alike(
        cls,
        side: np.ndarray,
        stop_fraction: float = np.nan,
        target_fraction: float = np.nan,
        max_bars: int = 0,
    ) -> "Decisions":
        """Return decisions that differ by their side alone and use no map."""
        n = side.size
        return cls(
            side=side.astype(np.int8),
            stop_fraction=np.full(n, float(stop_fraction)),
            target_fraction=np.full(n, float(target_fraction)),
            target_px=np.full(n, np.nan),
            max_bars=np.full(n, max_bars, dtype=np.int64),
            snapshot_ts=np.full(n, "NaT", dtype="datetime64[us]"),
        )

    def but(self, **arrays: np.ndarray) -> "Decisions":
        """Return a copy with other arrays."""
        return replace(self, **arrays)

    def __len__(self) -> int:
        """Return the number of bars."""
        return self.side.size

    def check(self) -> None:
        """Raise if a number is one that no venue would take.

        Raises
        ------
        ValueError
            If a side is not -1, 0 or +1; a distance is not above 0, or is 1 or more where the
            level would not be above 0; a target price is not above 0; or a holding time is
            below 0.
        """
        if not np.isin(self.side, (-1, 0, 1)).all():
            raise ValueError("side must be -1, 0 or 1")
        for name in ("stop_fraction", "target_fraction"):
            distance = getattr(self, name)
            falls = (self.side > 0) if name == "stop_fraction" else (self.side < 0)
            wrong = (distance <= 0) | np.isinf(distance) | (falls & (distance >= 1))
            if wrong.any():
                raise ValueError(
                    f"{name} {distance[wrong][0]:g} is not allowed; it must be above 0, and "
                    "below 1 where the level lies under the entry"
                )
        wrong = (self.target_px <= 0) | np.isinf(self.target_px)
        if wrong.any():
            raise ValueError(f"target_px {self.target_px[wrong][0]:g} must be above 0")
        if (self.max_bars < 0).any():
            raise ValueError(f"max_bars {self.max_bars.min()} must be 0 or more")
