"""This module asks how liquidations went through time: by the interval, and in cascades."""

import re
from datetime import datetime, timedelta

import duckdb

from warehouse.ask import Answer, named
from warehouse.moments import aware

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def length(text: str) -> timedelta:
    """Read the length of an interval: a whole number and its unit, s, m, h or d.

    >>> length("15m")
    datetime.timedelta(seconds=900)

    Raises
    ------
    ValueError
        If it is none, or not from 1 second to 366 days.
    """
    read = re.fullmatch(r"([0-9]{1,8})([smhd])", text.strip())
    found = int(read[1]) * _UNITS[read[2]] if read else timedelta(0)
    if not timedelta(seconds=1) <= found <= timedelta(days=366):
        raise ValueError(
            f"{text!r} is no length of an interval; write 30s, 15m, 1h or 1d, up to 366d"
        )
    return found


def liquidation_flow(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    since: datetime,
    until: datetime,
    every: timedelta = timedelta(hours=1),
    knowable: bool = False,
) -> Answer:
    """Ask for the liquidations of ``coin`` within [since, until), interval by interval.

    See ``liquidation_flow`` in the catalog.

    Raises
    ------
    ValueError
        If a moment has no time zone.
    duckdb.InvalidInputException
        If no source had told of the coin by then; it names the nearest.
    """
    answer = _asked(
        con,
        "from liquidation_flow($coin, $since, $until, every := $every, knowable := $knowable)",
        coin,
        since,
        until,
        every=every,
        knowable=knowable,
    )
    counts = answer.of(["liquidations", "velocity_ratio", "cascade_score"]).rows
    held, normed, scored = (
        sum(row[place] is not None for row in counts) for place in range(len(counts[0]))
    )
    whole = sum(count or 0 for count, *_ in counts)
    many = f"{whole} liquidations" if held else "liquidations are not known"
    return answer._replace(
        basis=f"{coin}: {many}; fills are held of {held} of {len(counts)} "
        f"intervals, a norm is known of {normed}, a score of {scored}"
    )


def cascades(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    since: datetime,
    until: datetime,
    knowable: bool = False,
) -> Answer:
    """Ask for the cascades of ``coin`` that began within [since, until).

    See ``cascades`` in the catalog.

    Raises
    ------
    ValueError
        If a moment has no time zone.
    duckdb.InvalidInputException
        If no source had told of the coin by then; it names the nearest.
    """
    answer = _asked(
        con,
        "from cascades($coin, $since, $until, knowable := $knowable)",
        coin,
        since,
        until,
        knowable=knowable,
    )
    held, hours = con.execute(
        "select count(held_to), count(*) "
        "from fill_hours($coin, $since, $until, knowable := $knowable)",
        {"coin": coin, "since": since, "until": until, "knowable": knowable},
    ).fetchall()[0]
    many = f"{len(answer.rows)} cascades" if len(answer.rows) != 1 else "1 cascade"
    if not held:
        many = "cascades are not known"
    return answer._replace(basis=f"{coin}: {many}; fills are held of {held} of {hours} hours")


def _asked(
    con: duckdb.DuckDBPyConnection,
    query: str,
    coin: str,
    since: datetime,
    until: datetime,
    **others: object,
) -> Answer:
    span = {"since": aware(since, "since"), "until": aware(until, "until")}
    if not named(coin):
        raise ValueError("coin '' is not allowed; name one, as BTC")
    relation = con.sql(query, params={"coin": coin} | span | others)
    return Answer(relation.columns, relation.fetchall(), "")
