"""This module holds the one thing that a proof found wrong."""

from dataclasses import asdict, dataclass

import numpy as np

from backtest.bars import utc


@dataclass(frozen=True, slots=True)
class Difference:
    """What the future changed of the past, or what cannot have been known.

    Attributes
    ----------
    kind
        Of the world, see :mod:`backtest.proof.worlds`; ``as it is``: the lake was not changed.
    cut
        Null: the lake was not cut.
    coin, variant, bound
        Of the run.
    what
        ``bar``, ``decision``, ``trade``, ``equity`` or ``replay``.
    at
        Close of the bar, of a trade that of the bar that decided; null: of a replay.
    field
        Which number differs.
    expected, found
        Its value with the future as it was, and in the world of ``kind``.
    """

    kind: str
    cut: np.datetime64 | None
    coin: str
    variant: str
    bound: str
    what: str
    at: np.datetime64 | None
    field: str
    expected: object
    found: object

    def __str__(self) -> str:
        """Return the difference as one sentence."""
        where = f"{self.coin}, {self.variant}, {self.bound}: "
        if self.cut is not None:
            where = f"cut {utc(self.cut)}, {self.kind}, {where}"
        when = "" if self.at is None else f" of {utc(self.at)}"
        return f"{where}{self.what}{when}: {self.field} is {self.found}, not {self.expected}"

    def as_dict(self) -> dict[str, object]:
        """Return the fields as values that tables and JSON hold."""
        said = asdict(self)
        for name in ("cut", "at"):
            moment = said[name]
            said[name] = None if moment is None else f"{moment.astype('datetime64[us]')}Z"
        for name in ("expected", "found"):
            said[name] = str(said[name])
        return said


def unlike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where two arrays of one length differ in any bit; NaN is like NaN, NaT like NaT.

    >>> unlike(np.array([0.1, np.nan]), np.array([0.1 + 1e-18, np.nan])).tolist()
    [False, False]
    >>> unlike(np.array([0.1, np.nan]), np.array([0.1 + 2e-17, 1.0])).tolist()
    [True, True]
    """
    if one.dtype.kind == "f":
        return (one != other) & ~(np.isnan(one) & np.isnan(other))
    if one.dtype.kind == "M":
        return (one != other) & ~(np.isnat(one) & np.isnat(other))
    return one != other


def first_unlike(
    pairs: dict[str, tuple[np.ndarray, np.ndarray]],
) -> tuple[int, str, object, object] | None:
    """Return row, name and both values of the first row in which any pair differs."""
    found = []
    for number, (name, (one, other)) in enumerate(pairs.items()):
        rows = np.flatnonzero(unlike(one, other))
        if rows.size:
            row = int(rows[0])
            found.append((row, number, name, one[row], other[row]))
    if not found:
        return None
    row, _, name, one_value, other_value = min(found, key=lambda each: each[:2])
    return row, name, plain(one_value), plain(other_value)


def plain(value: np.generic) -> object:
    """Return a value as a reader knows it: a moment as UTC, a number to its last digit."""
    return utc(value) if isinstance(value, np.datetime64) else value.item()
