"""This module asks whose leverage is where: changes of a map, and the risk of segments."""

from datetime import datetime

import duckdb

from warehouse.ask import Answer, named
from warehouse.moments import aware


def map_changes(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    from_at: datetime,
    to_at: datetime,
    width_pct: float = 0.5,
    knowable: bool = False,
) -> Answer:
    """Ask what became of the mass on the map of ``coin``; see ``map_changes`` in the catalog.

    Raises
    ------
    ValueError
        If a moment has no time zone.
    duckdb.InvalidInputException
        If no source had told of the coin by then; it names the nearest.
    """
    asked = {"from_at": aware(from_at, "from_at"), "to_at": aware(to_at, "to_at")}
    asked |= {"coin": named(coin)}
    relation = con.sql(
        "from map_changes($coin, $from_at, $to_at, width_pct := $width_pct, "
        "knowable := $knowable)",
        params=asked | {"width_pct": width_pct, "knowable": knowable},
    )
    columns, rows = relation.columns, relation.fetchall()
    if not rows:
        return Answer(columns, rows, "no rows: two maps that hold something are needed")
    one = dict(zip(columns, rows[0], strict=True))
    basis = (
        f"{coin}: from the map of {one['from_snapshot_ts']:%Y-%m-%d %H:%M:%S}Z "
        f"to that of {one['to_snapshot_ts']:%Y-%m-%d %H:%M:%S}Z; "
    )
    basis += (
        "every fill between them is held"
        if one["fills_held"]
        else "the lake does not hold every fill between them, so that closed and liquidated "
        "cannot be told apart"
    )
    return Answer(columns, rows, basis)


def mass_decay(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    from_at: datetime,
    until: datetime,
    width_pct: float = 0.5,
    knowable: bool = False,
) -> Answer:
    """Ask how much of a map is left after 1, 2, 4 … hours; see ``mass_decay`` in the catalog.

    Raises
    ------
    ValueError
        If a moment has no time zone.
    duckdb.InvalidInputException
        If no source had told of the coin by then; it names the nearest.
    """
    asked = {"from_at": aware(from_at, "from_at"), "until": aware(until, "until")}
    asked |= {"coin": named(coin)}
    relation = con.sql(
        "from mass_decay($coin, $from_at, $until, width_pct := $width_pct, "
        "knowable := $knowable)",
        params=asked | {"width_pct": width_pct, "knowable": knowable},
    )
    columns, rows = relation.columns, relation.fetchall()
    if not rows:
        return Answer(columns, rows, "no rows: no map, or no whole hour until then")
    first = rows[0][columns.index("from_snapshot_ts")]
    return Answer(columns, rows, f"{coin}: of the map of {first:%Y-%m-%d %H:%M:%S}Z")


def liquidation_risk(
    con: duckdb.DuckDBPyConnection,
    segment: str,
    at: datetime,
    knowable: bool = False,
    threshold_pct: float = 75.0,
) -> Answer:
    """Ask how near liquidation a segment's positions are; see ``liquidation_risk``.

    Raises
    ------
    ValueError
        If the moment has no time zone.
    duckdb.InvalidInputException
        If there is no such segment; it names those that there are.
    """
    relation = con.sql(
        "from liquidation_risk($segment, $at, knowable := $knowable, "
        "threshold_pct := $threshold_pct)",
        params={
            "segment": named(segment, "segment"),
            "at": aware(at),
            "knowable": knowable,
            "threshold_pct": threshold_pct,
        },
    )
    columns, rows = relation.columns, relation.fetchall()
    if not rows:
        return Answer(columns, rows, f"no rows: nobody of {segment} is known to hold anything")
    newest = max(row[columns.index("snapshot_ts")] for row in rows)
    unknown, held = (
        sum(row[columns.index(name)] for row in rows)
        for name in ("unknown_interest", "open_interest")
    )
    return Answer(
        columns,
        rows,
        f"{segment} at {at:%Y-%m-%d %H:%M}Z: of snapshots up to {newest:%Y-%m-%d %H:%M:%S}Z; "
        f"at risk from {threshold_pct:g} % of the way from entry to liquidation; "
        f"{unknown / held:.1%} of the open interest cannot be judged",
    )
