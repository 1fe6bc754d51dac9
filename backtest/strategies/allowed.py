"""This module says which parameters a strategy takes, in one line where it does not."""

import math


def numbers(
    strategy: object,
    *names: str,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
) -> None:
    """Raise unless every parameter named is null or a finite number within the bounds.

    Parameters
    ----------
    strategy
        Whose parameters they are.
    names
        Which of them.
    above, below
        Bounds that are not allowed themselves.
    least, most
        Bounds that are.

    Raises
    ------
    ValueError
        If one is not; it names parameter, value and what is allowed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> numbers(SimpleNamespace(stop_pct=120.0), "stop_pct", above=0, below=100)
    Traceback (most recent call last):
    ...
    ValueError: stop_pct 120.0 must be above 0 and below 100
    """
    for name in names:
        value = getattr(strategy, name)
        if value is None:
            continue
        inside = (
            math.isfinite(value)
            and (above is None or value > above)
            and (least is None or value >= least)
            and (below is None or value < below)
            and (most is None or value <= most)
        )
        if not inside:
            bounds = [
                f"{word} {bound}"
                for word, bound in (("above", above), ("below", below), ("at most", most))
                if bound is not None
            ]
            bounds[:0] = [] if least is None else [f"{least} or more"]
            raise ValueError(f"{name} {value} must be {' and '.join(bounds)}")


def counts(strategy: object, *names: str, least: int = 1) -> None:
    """Raise unless every parameter named is a whole number of ``least`` bars or more.

    Raises
    ------
    ValueError
        If one is not.
    """
    for name in names:
        value = getattr(strategy, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            bars = "bar" if least == 1 else "bars"
            raise ValueError(f"{name} {value} must be {least} {bars} or more, a whole number")
