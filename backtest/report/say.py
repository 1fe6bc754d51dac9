"""This module says fractions, chances and readings of a study in words."""

from warehouse.report import words

READINGS = {
    "pessimistic": "pessimistic: the stop first",
    "optimistic": "optimistic: the target first",
    "drilled": "drilled: as finer bars or trades say",
}


def mean(fraction: float | None, none: str = "no attempts") -> str:
    r"""Return a mean return, a fraction of notional, in per cent.

    >>> mean(-0.01176), mean(None)
    ('−1.176\xa0%', 'no attempts')
    >>> mean(-1e-9)
    '0.000\xa0%'
    """
    if fraction is None:
        return none
    # What rounds to 0 has no sign.
    return words.pct(round(100 * fraction, 3) or 0.0, 3, signed=round(100 * fraction, 3) != 0)


def span(low: float | None, high: float | None) -> str:
    r"""Return an interval of a mean.

    >>> span(-0.01, 0.02), span(None, 0.02)
    ('−1.000\xa0% to +2.000\xa0%', 'not known')
    """
    if low is None or high is None:
        return "not known"
    return f"{mean(low)} to {mean(high)}"


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """Return a number, with a real minus sign.

    >>> number(-0.5221), number(None)
    ('−0.522', 'not known')
    """
    if value is None:
        return "not known"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", words.MINUS)


def share(part: float | None, none: str = "not known") -> str:
    r"""Return a share of a whole, a fraction, in per cent.

    >>> share(0.0), share(0.034), share(None, "no trades")
    ('0\xa0%', '3.4\xa0%', 'no trades')
    """
    if part is None:
        return none
    return words.pct(100 * part, digits=0 if part == 0 or part >= 0.1 else 1)


def value(given: object) -> str:
    """Return a parameter as a person would write it.

    >>> value(10000.0), value(None), value(True), value("risk")
    ('10,000', 'none', 'yes', 'risk')
    """
    if given is None:
        return "none"
    if isinstance(given, bool):
        return "yes" if given else "no"
    return f"{given:,g}" if isinstance(given, int | float) else str(given)
