"""This module gives a replay the rows it needs at a cut, and no others to choose from.

Which venue's candles are read, and which source's payments, is chosen once for a whole period;
a shorter one might choose others.  And at its last close nothing is asked of a map, for nothing
can fill after it, so a bar in which nothing happens follows the cut.
"""

from backtest.market import HOME
from backtest.proof.worlds import TRUNCATED, World
from warehouse.attach import quoted
from warehouse.contracts.tables import CANDLES, FUNDING


def candles(rows: str, world: World) -> str:
    """Return a select of the candles that a study was played on, and of other coins."""
    rows = f"select part.* from ({rows}) as part where {_pinned_candles(world)}"
    return f"{rows} union all {_empty_bar(world)}" if world.kind == TRUNCATED else rows


def payments(rows: str, world: World) -> str:
    """Return a select of the payments that a study was charged, and of other coins."""
    pin = world.pin
    if pin.funding is None:
        return rows
    rows = (
        f"select part.* from ({rows}) as part where part.coin <> {quoted(pin.coin)} "
        f"or part.source = {quoted(pin.funding)}"
    )
    return _with_payment(rows, world) if world.kind == TRUNCATED else rows


def _pinned_candles(world: World) -> str:
    """Return that a candle is of those that the study was played on."""
    pin = world.pin
    own = f"part.venue = {quoted(pin.venue)} and part.source = {quoted(pin.source)}"
    home = f"part.venue = {quoted(HOME)} and part.source = {quoted(pin.home or '')}"
    intervals = ", ".join(map(quoted, pin.intervals))
    return (
        f"part.coin <> {quoted(pin.coin)} "
        f"or (part.interval in ({intervals}) and ({own} or {home}))"
    )


def _empty_bar(world: World) -> str:
    """Return a bar after the cut in which nothing happens."""
    pin, cut, px = world.pin, world.sql, f"{world.close_px!r}::double"
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


def _with_payment(rows: str, world: World) -> str:
    """Return payments, with one of nothing at the open of the empty bar."""
    pin, cut = world.pin, world.sql
    values = {
        "day": f"({cut} at time zone 'UTC')::date",
        "venue": quoted(HOME),
        "coin": quoted(pin.coin),
        "time_ts": cut,
        "rate": "0.0::double",
        "period_hours": "1.0::double",
        "source": quoted(pin.funding or ""),
        "known_ts": cut,
    }
    nothing = ", ".join(f"{values[name]} as {name}" for name in FUNDING.promised.names)
    # A stamp may lie some milliseconds off its hour, so what is near the cut may be for it.
    return (
        f"select part.* from ({rows}) as part where part.coin <> {quoted(pin.coin)} "
        f"or part.time_ts < {cut} - interval 30 minute union all select {nothing}"
    )
