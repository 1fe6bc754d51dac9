"""This module says numbers, prices, times and lengths of time as a person would."""

from datetime import UTC, datetime, timedelta
from math import floor, log10

UNKNOWN = "unknown"
# Unbreakable, so that a number never parts from its unit at the end of a line.
SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def usd(amount: float | None) -> str:
    """Return an amount in USD to three figures.

    >>> usd(12_412_000.0), usd(950.4), usd(0.0), usd(-3.2), usd(None)
    ('$12.4M', '$950', '$0', '−$3.20', 'unknown')
    """
    if amount is None:
        return UNKNOWN
    sign, size = (MINUS if amount < 0 else ""), abs(amount)
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size >= 0.9995 * scale:  # 999,600 is $1.00M, not $1000K
            return f"{sign}${_three(size / scale)}{unit}"
    if size == 0:
        return "$0"
    return f"{sign}${size:.0f}" if size >= 100 else f"{sign}${size:.2f}"


def _three(size: float) -> str:
    """Return three figures of a size from 1 to 1000."""
    return f"{size:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"


def usd_tick(amount: float) -> str:
    """Return a round amount of an axis, without figures that say nothing.

    >>> usd_tick(20e6), usd_tick(2.5e6), usd_tick(0.0), usd_tick(1e5)
    ('$20M', '$2.5M', '$0', '$100K')
    """
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if amount >= scale:
            return f"${amount / scale:g}{unit}"
    return f"${amount:g}"


def px(price: float | None) -> str:
    """Return a price to the venue's five significant figures.

    >>> px(70755.0), px(2239.316), px(33.90389), px(0.0123456), px(None)
    ('70,755', '2,239.3', '33.904', '0.012346', 'unknown')
    """
    if price is None:
        return UNKNOWN
    decimals = max(0, 4 - floor(log10(abs(price)))) if price else 0
    return f"{price:,.{decimals}f}"


def pct(per_cent: float | None, digits: int = 1, signed: bool = False) -> str:
    r"""Return per cent, with a real minus sign.

    >>> pct(-9.114), pct(12.58, signed=True), pct(None)
    ('−9.1\xa0%', '+12.6\xa0%', 'unknown')
    """
    if per_cent is None:
        return UNKNOWN
    text = f"{per_cent:{'+' if signed else ''}.{digits}f}"
    return text.replace("-", MINUS) + SPACE + "%"


def both(low: float | None, high: float | None, signed: bool = True) -> str:
    r"""Return two fractions in per cent, once where they agree.

    >>> both(-0.0138, 0.02), both(0.05, 0.05, signed=False)
    ('−1.38\xa0% / +2.00\xa0%', '5.00\xa0%')
    """
    said = [pct(None if one is None else 100 * one, 2, signed) for one in (low, high)]
    return said[0] if said[0] == said[1] else " / ".join(said)


def share(part: float | None, whole: float | None) -> str:
    r"""Return a part of a whole in per cent; unknown where either is.

    >>> share(50.0, 200.0), share(1.0, None), share(None, 2.0), share(1.0, 1000.0)
    ('25\xa0%', 'unknown', 'unknown', '0.1\xa0%')
    """
    if part is None or not whole:
        return UNKNOWN
    per_cent = 100 * part / whole
    return pct(per_cent, digits=0 if per_cent >= 10 or per_cent == 0 else 1)


def count(number: int, noun: str, plural: str = "") -> str:
    r"""Return a number of things.

    >>> count(1, "position"), count(2499, "position"), count(0, "entry", "entries")
    ('1\xa0position', '2,499\xa0positions', '0\xa0entries')
    """
    return f"{number:,}{SPACE}{noun if number == 1 else plural or noun + 's'}"


def utc(moment: datetime | None, year: bool = True) -> str:
    r"""Return a moment to the minute, in UTC.

    >>> utc(datetime(2026, 2, 5, 8, 2, 18, tzinfo=UTC))
    '5\xa0Feb\xa02026\xa008:02\xa0UTC'
    """
    if moment is None:
        return UNKNOWN
    moment = moment.astimezone(UTC)
    text = (
        f"{moment.day} {moment:%b %Y %H:%M UTC}" if year else f"{moment.day} {moment:%b %H:%M}"
    )
    return text.replace(" ", SPACE)


def day(moment: datetime) -> str:
    r"""Return the UTC day of a moment.

    >>> day(datetime(2026, 2, 5, 8, 2, tzinfo=UTC))
    '5\xa0Feb\xa02026'
    """
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y}".replace(" ", SPACE)


def length(time: timedelta) -> str:
    r"""Return a length of time in its two largest units.

    >>> length(timedelta(hours=3, minutes=57, seconds=41)), length(timedelta(seconds=0))
    ('3\xa0h\xa058\xa0min', '0\xa0min')
    >>> length(timedelta(days=2, hours=4, minutes=59)), length(timedelta(hours=5))
    ('2\xa0d\xa05\xa0h', '5\xa0h')
    """
    minutes = round(time.total_seconds() / 60)
    if minutes >= 48 * 60:
        amounts, units = divmod(round(minutes / 60), 24), ("d", "h")
    else:
        amounts, units = divmod(minutes, 60), ("h", "min")
    said = [f"{n}{SPACE}{unit}" for n, unit in zip(amounts, units, strict=True) if n]
    return SPACE.join(said) or f"0{SPACE}min"


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["BTC"]), listed(["BTC", "ETH"]), listed(["BTC", "ETH", "SOL"])
    ('BTC', 'BTC and ETH', 'BTC, ETH and SOL')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def spelled(name: str) -> str:
    """Return a name from a table as words.

    >>> spelled("asymmetry_filter")
    'asymmetry filter'
    """
    return name.replace("_", " ")
