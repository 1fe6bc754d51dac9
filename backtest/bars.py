"""This module holds the bars of one coin, in order of time and with nothing invented."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one coin at one venue, from one source.

    Attributes
    ----------
    coin, venue, source, interval
        Whose bars they are; ``interval`` is the candles' own word, such as ``1h``.
    width : timedelta64[us]
        Length of a bar.
    start : datetime64[us][n]
        First instant of each bar, UTC, increasing.
    open_px, high_px, low_px, close_px : float64[n]
        USD.
    volume : float64[n]
        Coins traded; NaN: not known.
    warmup
        How many leading bars lie before the period: signals may look at them, nothing is
        decided there.
    gaps
        Bars of the period that are not there, one sentence per run of them.
    notes
        What was chosen and why, one sentence each.
    made_of
        Interval of the candles that the bars were made of; null: they are held as they are.
    """

    coin: str
    venue: str
    source: str
    interval: str
    width: np.timedelta64
    start: np.ndarray
    open_px: np.ndarray
    high_px: np.ndarray
    low_px: np.ndarray
    close_px: np.ndarray
    volume: np.ndarray
    warmup: int = 0
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made_of: str | None = None

    def __len__(self) -> int:
        """Return the number of bars, those of the warm-up included."""
        return self.start.size

    @property
    def end(self) -> np.ndarray:
        """Return the instant each bar closes, when it may be decided on."""
        return self.start + self.width

    @property
    def period(self) -> "Bars":
        """Return the bars without the warm-up."""
        return self.only(slice(self.warmup, None))

    def only(self, rows: np.ndarray | slice) -> "Bars":
        """Return some of the bars, of which none is of a warm-up."""
        names = ("start", "open_px", "high_px", "low_px", "close_px", "volume")
        return replace(self, warmup=0, **{name: getattr(self, name)[rows] for name in names})

    @property
    def per_year(self) -> float:
        """Return how many such bars a year of 365 days has."""
        return np.timedelta64(365, "D") / self.width

    def check(self) -> None:
        """Raise if a bar contradicts itself.

        Raises
        ------
        ValueError
            If a bar's low or high does not hold its open and close, or bars are not in order.
        """
        if (np.diff(self.start) < self.width).any():
            raise ValueError(f"{self.interval} bars of {self.coin} overlap or are out of order")
        inner_low = np.minimum(self.open_px, self.close_px)
        inner_high = np.maximum(self.open_px, self.close_px)
        # Written so that a NaN is wrong too.
        wrong = ~((self.low_px <= inner_low) & (self.high_px >= inner_high))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"candles: {self.interval} bar of {self.coin} at {self.venue}, "
                f"{utc(self.start[row])}: low {self.low_px[row]:g} and high "
                f"{self.high_px[row]:g} do not hold open {self.open_px[row]:g} and close "
                f"{self.close_px[row]:g}"
            )


def utc(moment: np.datetime64) -> str:
    """Return a moment as text, to the second where that says it all.

    >>> utc(np.datetime64("2026-02-05T12:00", "us"))
    '2026-02-05 12:00 UTC'
    """
    text = str(moment.astype("datetime64[us]")).replace("T", " ")
    for ending in (".000000", ":00"):
        text = text.removesuffix(ending)
    return f"{text} UTC"


def as_utc(moment: np.datetime64) -> datetime:
    """Return a moment as the aware datetime that tables take."""
    return moment.astype("datetime64[us]").item().replace(tzinfo=UTC)
