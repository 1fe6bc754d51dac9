"""This module takes somebody's own signals as a strategy: a series of -1, 0 and 1.

What the series was made of is not seen here, so nothing here can show that it did not look
ahead; a strategy with a method can be shown (``undertow backtest prove``).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from backtest.bars import Bars, utc
from backtest.decisions import Decisions
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True)
class Signals(Entry):
    """Enter where a series says so.

    Attributes
    ----------
    series
        Sides, +1, -1 or 0, as a polars or pandas series or an array.  With times (the index of
        a pandas series; two columns ``time`` and ``side`` of a polars frame; aware of their
        zone) each is the decision at the close of the bar that ends then, and bars without one
        decide nothing.  Without times there is one for every bar of the period.

    Examples
    --------
    >>> Signals([0, 1, -1], stop_pct=1.0).parameters()["stop_pct"]
    1.0
    """

    series: Any = field(compare=False, repr=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        side, moments = told(self.series)
        made = hashlib.sha256(side.tobytes())
        if moments is not None:
            made.update(moments.tobytes())
        object.__setattr__(self, "digest", made.hexdigest())

    def parameters(self) -> dict[str, object]:
        """Return the parameters, of the series its SHA-256."""
        said = super().parameters()
        del said["series"]
        return said

    def decide(self, view: View) -> Decisions:
        """Return the entries of the series.

        Raises
        ------
        ValueError
            If a moment of the series is no close of a bar, or, of a series without moments,
            the length is not that of the period.
        """
        side, moments = told(self.series)
        laid = np.zeros(len(view), np.int8)
        if moments is None:
            held = len(view) - view.bars.warmup
            if side.size != held:
                raise ValueError(
                    f"series has {side.size} signals and the period {held} bars; give one for "
                    "each, or times"
                )
            laid[view.bars.warmup :] = side
        else:
            laid[rows_of(moments, view.bars)] = side
        return self.enter(laid)


def rows_of(moments: np.ndarray, bars: Bars) -> np.ndarray:
    """Return the bar that closes at each moment; ``datetime64[us][n]``, increasing.

    Raises
    ------
    ValueError
        If none does at one of them; it names the first.
    """
    end = bars.end
    row = np.minimum(np.searchsorted(end, moments), end.size - 1)
    wrong = end[row] != moments
    if wrong.any():
        raise ValueError(
            f"series: no {bars.interval} bar of {bars.coin} closes at "
            f"{utc(moments[wrong][0])}; there are {utc(end[0])} to {utc(end[-1])}"
        )
    return row


def told(series: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return sides and, if it has them, moments of a series, in order of time.

    Parameters
    ----------
    series
        As of :class:`Signals`.

    Returns
    -------
    side : int8[n]
    moments : datetime64[us][n], or null
        UTC.

    Raises
    ------
    ValueError
        If a side is not -1, 0 or 1, or times are not aware of their zone, missing or twice; or
        nothing is there yet.
    """
    moments = None
    if isinstance(series, pl.LazyFrame):
        raise ValueError("series is a LazyFrame, which holds no rows: give series.collect()")
    if isinstance(series, pl.Expr):
        raise ValueError("series is an expression, which holds no rows: give frame.select(it)")
    if isinstance(series, pl.DataFrame):
        if set(series.columns) != {"time", "side"}:
            found = ", ".join(series.columns)
            raise ValueError(f"series must have the columns time and side, not {found}")
        moments = _utc(series["time"], NAIVE_FRAME)
        series = series["side"]
    elif type(series).__module__.partition(".")[0] == "pandas":
        index = series.index
        if type(index).__name__ == "DatetimeIndex":
            moments = _utc(pl.Series(index), NAIVE_INDEX)
    values = np.asarray(series)
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(float)  # None among numbers
        except (TypeError, ValueError) as error:
            raise ValueError(f"series: signals must be -1, 0 or 1: {error}") from error
    if values.ndim != 1:
        raise ValueError(f"series must have one dimension, not {values.ndim}")
    wrong = ~np.isin(values, (-1, 0, 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"series: signal {row} is {values[row]}; it must be -1, 0 or 1")
    side = values.astype(np.int8)
    if moments is None:
        return side, None
    order = np.argsort(moments, kind="stable")
    moments = moments[order]
    twice = np.flatnonzero(moments[1:] == moments[:-1])
    if twice.size:
        raise ValueError(f"series tells of {utc(moments[twice[0]])} twice")
    return side[order], moments


# What gives times the zone that they are of, where they name none.
NAIVE_INDEX = 'series.tz_localize("UTC")'
NAIVE_FRAME = 'frame.with_columns(pl.col("time").dt.replace_time_zone("UTC"))'


def _utc(times: pl.Series, naive: str) -> np.ndarray:
    kind = times.dtype
    if not isinstance(kind, pl.Datetime):
        raise ValueError(f"series: times must be moments aware of their zone, not {kind}")
    if kind.time_zone is None:
        raise ValueError(
            f"series: times must be aware of their zone; if they are UTC, give {naive}"
        )
    if times.null_count():
        raise ValueError(f"series: {times.null_count()} of its times are missing")
    plain = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    exact = plain.dt.cast_time_unit("us")
    if (exact.dt.cast_time_unit(kind.time_unit) != plain).any():
        raise ValueError("series: times must be whole microseconds")
    return exact.to_numpy().astype("datetime64[us]")
