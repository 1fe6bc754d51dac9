"""This module refuses arrays of returns that no statistic can be taken of."""

import numpy as np


def as_returns(returns: np.ndarray, name: str, dimensions: int = 1) -> np.ndarray:
    """Return ``returns`` as float64, if every one is known.

    Parameters
    ----------
    returns : float[n] or float[n, k]
        Returns, fractions.
    name
        What errors call them.
    dimensions
        How many the array must have.

    Raises
    ------
    ValueError
        If an entry is NaN or infinite, or the array has another number of dimensions.

    >>> as_returns(np.array([1, 2]), "returns")
    array([1., 2.])
    """
    known = np.asarray(returns, dtype=np.float64)
    if known.ndim != dimensions:
        raise ValueError(f"{name} must have {dimensions} dimension(s), not {known.ndim}")
    if not np.isfinite(known).all():
        place = tuple(int(at) for at in np.argwhere(~np.isfinite(known))[0])
        raise ValueError(f"{name} must be finite; the entry at {place} is {known[place]}")
    return known


def scaled(returns: np.ndarray) -> np.ndarray:
    """Return returns in a unit of their own, column by column, for what depends on no unit.

    Parameters
    ----------
    returns : float64[t] or float64[t, n]
        Known returns.

    Returns
    -------
    float64[t] or float64[t, n]
        Divided by the power of 2 that puts the largest of a column below 1, which is exact, so
        that squares neither vanish nor overflow.

    >>> scaled(np.array([6.0, -2.0]))
    array([ 0.75, -0.25])
    """
    if returns.shape[0] == 0:
        return returns
    return np.ldexp(returns, -np.frexp(np.abs(returns).max(axis=0))[1])


def as_labels(labels: np.ndarray, name: str, many: int) -> np.ndarray:
    """Return one label (a day, a time, a flag) for each of ``many`` returns.

    Raises
    ------
    ValueError
        If there are more or fewer, or one is no date (NaT).

    >>> as_labels(np.array(["2026-01-01"], "datetime64[D]"), "days", 1)
    array(['2026-01-01'], dtype='datetime64[D]')
    """
    known = np.asarray(labels)
    if known.shape != (many,):
        raise ValueError(f"{name} must have the shape ({many},), not {known.shape}")
    if known.dtype.kind in "mM" and np.isnat(known).any():
        raise ValueError(f"{name} must be known; one of them is NaT")
    return known


def as_level(level: float, name: str) -> float:
    """Return a probability that lies strictly between 0 and 1.

    Raises
    ------
    ValueError
        If it does not.

    >>> as_level(0.95, "level")
    0.95
    """
    if not 0 < level < 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {level}")
    return float(level)


def as_drawn(draws: int, block: float | None, periods: int) -> None:
    """Refuse a number of draws or a mean length of blocks that cannot be.

    Raises
    ------
    ValueError
        If there is no draw, or blocks are shorter than a period or longer than all of them.
    """
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    if block is not None and not 1 <= block <= max(periods, 1):
        raise ValueError(f"block must be from 1 to {periods} periods, not {block}")
