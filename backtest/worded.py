"""This module puts figures of a study into words."""

from warehouse.report.words import MINUS


def adverb(bound: str) -> str:
    """Return how something was read.

    >>> adverb("drilled")
    'by finer bars or trades'
    """
    return {
        "pessimistic": "pessimistically",
        "optimistic": "optimistically",
        "drilled": "by finer bars or trades",
    }[bound]


def span(low: float | None, high: float | None) -> str:
    """Return an interval of fractions.

    >>> span(-0.01, 0.02), span(None, None)
    ('−1.000 % to +2.000 %', 'not known')
    """
    if low is None or high is None:
        return "not known"
    return f"{percent(low)} to {percent(high)}"


def p_value(p: float | None) -> str:
    """Return a p-value.

    >>> p_value(0.0301), p_value(0.0), p_value(None)
    ('p = 0.030', 'p < 0.001', 'p not known')
    """
    if p is None:
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def count(many: int, word: str) -> str:
    """Return a number of things.

    >>> count(1, "day"), count(2, "day"), count(3, "stretch")
    ('1 day', '2 days', '3 stretches')
    """
    ending = "" if many == 1 else ("es" if word.endswith("ch") else "s")
    return f"{many} {word}{ending}"


def earned(mean: float | None) -> str:
    """Return what an attempt earned in the mean.

    >>> earned(0.001), earned(None)
    ('+0.100 % an attempt', 'no attempt')
    """
    return "no attempt" if mean is None else f"{percent(mean)} an attempt"


def percent(fraction: float | None) -> str:
    """Return a fraction in per cent.

    >>> percent(-0.0012), percent(None)
    ('−0.120 %', 'no mean')
    """
    return "no mean" if fraction is None else f"{fraction * 100:+.3f} %".replace("-", MINUS)


def length(years: float) -> str:
    """Return a length of time, in days where it is shorter than a year.

    >>> length(2.5), length(90 / 365), length(3.24 / 365)
    ('2.50 years', '90 days', '3.2 days')
    """
    days = years * 365
    if years >= 1:
        return f"{years:.2f} years"
    return f"{days:.0f} days" if days >= 30 else f"{days:.1f}".removesuffix(".0") + " days"
