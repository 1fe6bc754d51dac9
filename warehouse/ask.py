"""This module asks the lake the questions of the command line, and says what answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb

from warehouse.moments import aware


class Answer(NamedTuple):
    """Rows, and in one sentence what they are based on or why there are none."""

    columns: list[str]
    rows: list[tuple]
    basis: str

    def of(self, names: Sequence[str]) -> "Answer":
        """Return the same answer with some of its columns."""
        at = [self.columns.index(name) for name in names]
        return self._replace(
            columns=list(names), rows=[tuple(row[index] for index in at) for row in self.rows]
        )


def moment(text: str) -> datetime:
    """Read an instant: ISO 8601 with its zone.

    >>> moment("2026-02-05T13:00+01:00")
    datetime.datetime(2026, 2, 5, 12, 0, tzinfo=datetime.timezone.utc)

    Raises
    ------
    ValueError
        If it is no instant, or has no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment; write it as 2026-02-05T12:00Z (ISO 8601, UTC)"
        ) from None
    if at.tzinfo is None:
        raise ValueError(
            f"{text!r} has no time zone; if it is UTC, write it as {at.isoformat()}Z"
        )
    if not 2000 <= at.year < 2200:  # beyond, arithmetic with time zones leaves the calendar
        raise ValueError(f"{text!r} is no moment of this market; years are 2000 to 2199")
    return at.astimezone(UTC)


def liquidation_map(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    at: datetime,
    width_pct: float = 0.5,
    knowable: bool = False,
    width_px: float | None = None,
) -> Answer:
    """Ask for the map of ``coin`` at ``at``; see ``liquidation_map`` in the catalog.

    Buckets are ``width_pct`` per cent wide, or ``width_px`` USD if that is given.
    """
    return _ask(
        con,
        "from liquidation_map($coin, $at, width_pct := $width_pct, width_px := $width_px, "
        "knowable := $knowable)",
        coin,
        at,
        knowable,
        width_pct=width_pct,
        width_px=width_px,
    )


def liquidation_clusters(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    at: datetime,
    width_pct: float = 1.0,
    knowable: bool = False,
) -> Answer:
    """Ask for the clusters of ``coin`` at ``at``, largest first."""
    return _ask(
        con,
        "from liquidation_clusters($coin, $at, width_pct := $width_pct, knowable := $knowable)",
        coin,
        at,
        knowable,
        width_pct=width_pct,
    )


def cascade_scenarios(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    at: datetime,
    pcts: Sequence[int] = (5, 10, 15),
    knowable: bool = False,
) -> Answer:
    """Ask what moves by ``pcts`` per cent would trigger for ``coin`` at ``at``."""
    return _ask(
        con,
        "from cascade_scenarios($coin, $at, pcts := $pcts, knowable := $knowable)",
        coin,
        at,
        knowable,
        pcts=list(pcts),
    )


def leverage_regime(
    con: duckdb.DuckDBPyConnection, coin: str, at: datetime, knowable: bool = False
) -> Answer:
    """Ask how evenly the leverage of ``coin`` lies around its price at ``at``."""
    return _ask(
        con, "from leverage_regime($coin, $at, knowable := $knowable)", coin, at, knowable
    )


def map_coverage(
    con: duckdb.DuckDBPyConnection, coin: str, at: datetime, knowable: bool = False
) -> Answer:
    """Ask how much of the venue's open interest in ``coin`` the map at ``at`` has seen."""
    answer = _ask(
        con, "from map_coverage($coin, $at, knowable := $knowable)", coin, at, knowable
    )
    if not answer.rows:
        return answer
    one = dict(zip(answer.columns, answer.rows[0], strict=True))
    known = "open interest is not known"
    if one["venue_open_interest"] is not None:
        known = f"open interest is of {one['context_ts']:%Y-%m-%d %H:%M:%S}Z"
    if not one["complete"]:
        known += (
            f"; {one['accounts_asked']} accounts asked, of {one['accounts_known']} known of"
        )
    return answer._replace(basis=f"{answer.basis}; {known}")


def _ask(
    con: duckdb.DuckDBPyConnection,
    query: str,
    coin: str,
    at: datetime,
    knowable: bool,
    **others: object,
) -> Answer:
    asked = {"coin": named(coin), "at": aware(at), "knowable": knowable}
    snapshot = _one(
        con,
        "select snapshot_ts, source, complete "
        "from snapshot_at($coin, $at, knowable := $knowable)",
        asked,
    )
    relation = con.sql(query, params=asked | others)
    columns, rows = relation.columns, relation.fetchall()
    if snapshot is None:
        return Answer(columns, rows, _why_no_snapshot(con, coin, at, knowable))
    snapshot_ts, source, complete = snapshot
    held, priced = _one(
        con,
        "select count(*), count(liquidation_px) "
        "from positions_at($coin, $at, knowable := $knowable)",
        asked,
    )
    age = at - snapshot_ts
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    which = "the snapshot of" if complete else "what sweeps merge to, up to that of"
    answered = (
        f"{coin} at {at:%Y-%m-%d %H:%M}Z: {which} {snapshot_ts:%Y-%m-%d %H:%M:%S}Z "
        f"answers ({source}, {hours} h {minutes:02d} min older); "
    )
    if held == 0:
        return Answer(columns, rows, answered + f"it holds no position in {coin}")
    mark = _one(con, "select px from current_px($coin, $at, knowable := $knowable)", asked)
    return Answer(
        columns,
        rows,
        answered + f"mark {mark[0]:,.6g} USD; {held} positions, "
        f"{held - priced} of them without a liquidation price",
    )


def _one(
    con: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object] | None = None
) -> tuple | None:
    rows = con.sql(query, params=parameters).fetchall()
    return rows[0] if rows else None


def named(name: str, what: str = "coin") -> str:
    """Return a name, as that of a coin.

    Raises
    ------
    TypeError
        If it is no text.

    >>> named(5)
    Traceback (most recent call last):
    ...
    TypeError: coin 5 is not allowed; give its name, as 'BTC'
    """
    if not isinstance(name, str):
        example = "'BTC'" if what == "coin" else "'all'"
        raise TypeError(f"{what} {name!r} is not allowed; give its name, as {example}")
    return name


def check_coin(
    con: duckdb.DuckDBPyConnection, coin: str, at: datetime, knowable: bool = False
) -> None:
    """Raise for a coin that no source had told of; see ``checked_coin`` in the catalog.

    Raises
    ------
    duckdb.InvalidInputException
        If the lake knew coins by ``at`` and not this one; it names the nearest.
    TypeError
        If it is no text.
    """
    _one(
        con,
        "select checked_coin($coin, $at, $knowable)",
        {"coin": named(coin), "at": at, "knowable": knowable},
    )


def _why_no_snapshot(
    con: duckdb.DuckDBPyConnection, coin: str, at: datetime, knowable: bool
) -> str:
    dex = coin.partition(":")[0] if ":" in coin else "hyperliquid"
    first, first_known = _one(
        con,
        "select min(snapshot_ts), min(known_ts) from snapshots "
        "where (complete or accounts_asked > coalesce(accounts_failed, 0)) "
        "and trusted and scope in ('all', $dex)",
        {"dex": dex},
    )
    if first is None:
        return f"no rows: the lake holds no snapshot that covers the dex {dex}"
    if knowable and first <= at:
        return (
            f"no rows: no snapshot was published by {at:%Y-%m-%d %H:%M}Z; "
            f"the first one was known at {first_known:%Y-%m-%d %H:%M}Z"
        )
    return (
        f"no rows: {at:%Y-%m-%d %H:%M}Z is before the first snapshot, {first:%Y-%m-%d %H:%M}Z"
    )
