"""This module gives a replay the rows it needs at a cut, and no others to choose from.

Which venue's candles are read, and which source's payments, is chosen once for a whole period;
a shorter one might choose others.  And at its last close nothing is asked of a map, for nothing
can fill after it, so a bar in which nothing happens follows the cut.
"""

from collections.abc import Iterator

import numpy as np

from backtest.intervals import WIDTHS
from backtest.market import HOME
from backtest.proof.worlds import Last, Pin, World
from warehouse.attach import quoted
from warehouse.contracts.tables import CANDLES, FUNDING


def candles(rows: str, world: World) -> str:
    """Return a select of the candles that a study was played on, and of other coins."""
    pinned = " and ".join(_pinned_candles(one.pin) for one in world.lasts)
    rows = f"select part.* from ({rows}) as part where {pinned}"
    if not world.ends:
        return rows
    empty = (bar for one in world.lasts for bar in _empty_bars(world, one))
    return " union all ".join([rows, *empty])


def payments(rows: str, world: World) -> str:
    """Return a select of the payments that a study was charged, and of other coins."""
    for pin in (one.pin for one in world.lasts if one.pin.funding is not None):
        rows = (
            f"select part.* from ({rows}) as part where part.coin <> {quoted(pin.coin)} "
            f"or part.source = {quoted(pin.funding)}"
        )
        if world.ends:
            rows = _with_payment(rows, world, pin)
    return rows


def _pinned_candles(pin: Pin) -> str:
    """Return that a candle is of those that the study was played on, or of another coin."""
    own = _own(pin)
    home = f"part.venue = {quoted(HOME)} and part.source = {quoted(pin.home or '')}"
    intervals = ", ".join(map(quoted, pin.intervals))
    return (
        f"(part.coin <> {quoted(pin.coin)} "
        f"or (part.interval in ({intervals}) and ({own} or {home})))"
    )


def _own(pin: Pin) -> str:
    return f"part.venue = {quoted(pin.venue)} and part.source = {quoted(pin.source)}"


def traded_on(world: World) -> str:
    """Return that a candle is one of the bars that are replayed, or of the finer ones."""
    return " or ".join(f"({_traded_on(one.pin)})" for one in world.lasts)


def _traded_on(pin: Pin) -> str:
    intervals = ", ".join(map(quoted, pin.intervals))
    return f"part.coin = {quoted(pin.coin)} and {_own(pin)} and part.interval in ({intervals})"


def _empty_bars(world: World, last: Last) -> Iterator[str]:
    """Yield a bar after the cut in which nothing happens to a coin, or the parts of one."""
    part = WIDTHS[last.pin.intervals[0]]
    for number in range(int(last.pin.width // part)):
        yield _empty_bar(last, f"({world.sql} + to_microseconds({_micros(number * part)}))")


def _empty_bar(last: Last, cut: str) -> str:
    """Return a candle at a moment in which nothing happens to a coin."""
    pin, px = last.pin, f"{last.close_px!r}::double"
    values = {
        "day": f"({cut} at time zone 'UTC')::date",
        "venue": quoted(pin.venue),
        "coin": quoted(pin.coin),
        "interval": quoted(pin.intervals[0]),
        "start_ts": cut,
        **dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), px),
        "volume": "0.0::double",
        "source": quoted(pin.source),
        "known_ts": cut,
    }
    return "select " + ", ".join(f"{values[name]} as {name}" for name in CANDLES.promised.names)


def _with_payment(rows: str, world: World, pin: Pin) -> str:
    """Return payments, with some of nothing in the hours of a coin's empty bar."""
    cut, hour = world.sql, "interval 1 hour"
    end = f"({cut} + to_microseconds({_micros(pin.width)}))"
    values = {
        "day": "(hour.at at time zone 'UTC')::date",
        "venue": quoted(HOME),
        "coin": quoted(pin.coin),
        "time_ts": "hour.at",
        "rate": "0.0::double",
        "period_hours": "1.0::double",
        "source": quoted(pin.funding or ""),
        "known_ts": "hour.at",
    }
    nothing = ", ".join(f"{values[name]} as {name}" for name in FUNDING.promised.names)
    first = f"time_bucket({hour}, {cut} + {hour} - interval 1 microsecond)"
    hours = f"select unnest(generate_series({first}, {end}, {hour})) as at"
    # A stamp may lie some milliseconds off its hour, so what is near the cut may be for it.
    return (
        f"select part.* from ({rows}) as part where part.coin <> {quoted(pin.coin)} "
        f"or time_bucket({hour}, part.time_ts + interval 30 minute) < {cut} "
        f"union all select {nothing} from ({hours}) as hour where hour.at < {end}"
    )


def _micros(length: np.timedelta64) -> int:
    return int(length / np.timedelta64(1, "us"))
