"""This module reads each close's map once, however many settings ask for it."""

from dataclasses import fields

import numpy as np

from backtest.maps import Maps
from backtest.tape import Tape


class Remembered:
    """What answers a view in place of its tape, which it asks only for what is new.

    A map's answer at a close depends on that close and its price alone, so closes may be asked
    one after the other.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._answers: dict[float, tuple[np.ndarray, Maps]] = {}

    def __call__(
        self, asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        """Return what the map said; see :data:`backtest.view.MapReader`."""
        closes, close_px = self.tape.bars.end, self.tape.bars.close_px
        row = np.minimum(np.searchsorted(closes, moments), closes.size - 1)
        if not (np.array_equal(closes[row], moments) and np.array_equal(close_px[row], px)):
            return self.tape.read_maps(asked, moments, px, reach_pct)
        known, held = self._answers.setdefault(
            reach_pct, (np.zeros(closes.size, bool), Maps.unknown(closes.size))
        )
        wanted = np.zeros(closes.size, bool)
        wanted[row[np.asarray(asked, bool)]] = True
        fresh = wanted & ~known
        if fresh.any():
            told = self.tape.read_maps(fresh, closes, close_px, reach_pct)
            held = _joined(held, told, fresh)
            self._answers[reach_pct] = (known | fresh, held)
        return _rows(held, row, np.asarray(asked, bool))


def _arrays() -> list[str]:
    return [field.name for field in fields(Maps) if field.name != "sources"]


def _joined(held: Maps, told: Maps, fresh: np.ndarray) -> Maps:
    """Return what is held, with the fresh rows of what was told."""
    arrays = (np.where(fresh, getattr(told, name), getattr(held, name)) for name in _arrays())
    return Maps(*arrays, held.sources | told.sources)


def _rows(held: Maps, row: np.ndarray, asked: np.ndarray) -> Maps:
    """Return the rows asked for; the others unknown, as if nobody had asked before."""
    nothing = Maps.unknown(row.size)
    arrays = (
        np.where(asked, getattr(held, name)[row], getattr(nothing, name)) for name in _arrays()
    )
    return Maps(*arrays, held.sources)
