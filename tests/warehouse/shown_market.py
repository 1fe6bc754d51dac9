"""How much of a whole market a lake shows: what was known at a moment, and some of the rest."""

import pyarrow as pa

from tests.rows import T0, batch
from tests.warehouse import late_market
from tests.warehouse.market_rows import HELD, HOUR, HOURS, MINUTE
from warehouse.attach import _once
from warehouse.contracts.coins import TOLD_BY

# When a row has happened: a bar at its end.
HAPPENED = {"candles": 'start_ts + bar_length("interval")'}
MOMENT = pa.timestamp("us", "UTC")
VERSION = {"since_ts": MOMENT, "superseded_ts": MOMENT, "pair": pa.int64()}
# The line of a live part says at once what its part will hold at the hour's end.
LIVE = "known_ts = max_ts"
HOUR_OF_PART = "(day + (right(part, 2) || ' hours')::interval)::timestamptz"


def put(con, rows):
    """Make the rows those of an empty, open lake; :func:`show` chooses which are shown."""
    con.execute("set threads = 1")
    con.execute("create schema told; create schema shown")
    for table in HELD:
        some = rows[table.name]
        held = batch(table, [row.values for row in some])
        for name, kind in VERSION.items():
            held = held.append_column(
                name, pa.array([getattr(row, name) for row in some], kind)
            )
        held = held.append_column("row_number", pa.array(range(len(some))))
        con.register("held", held)
        derived = "".join(f", {one.sql} as {one.name}" for one in table.derived)
        con.execute(
            f"create table told.{table.name} as "
            f"select part.{table.time}::date as day, part.*{derived} from held as part"
        )
        con.unregister("held")
        con.execute(f"create table shown.{table.name} as from told.{table.name} limit 0")
        columns = ", ".join(f"part.{name}" for name in table.promised.names)
        now = (
            f"select {columns} from shown.{table.name} as part where part.superseded_ts is null"
        )
        if table.told_once:
            now = _once(table, now)
        con.execute(f"create or replace view {table.name} as {now}")
        con.execute(
            f"create or replace view {table.name}_versions as select {columns}, "
            f"part.since_ts, part.superseded_ts from shown.{table.name} as part"
        )
    con.execute("create table told.parts as select *, 0 as row_number from promised.parts")
    hours = [T0 + number * HOUR for number in range(HOURS)]
    con.executemany(
        "insert into told.parts by name select 'fills' as table_name, 'node' as source, "
        "$1 as day, $2 as part, $3 as max_ts, $4 as known_ts, epoch($4) as row_number",
        [
            (hour.date(), f"node-{hour:%H}", hour + HOUR - MINUTE, late_market.of_parts(hour))
            for hour in hours
            if hour.hour != 4
        ],
    )


def show(con, at, knowable, seed=None, until=False):
    """Show what there was to know at a moment, and with a seed some of what came after too.

    Parameters
    ----------
    at
        The moment.  What happens at it has happened; with ``until``, what happens before it.
    knowable
        Count as after it, too, what was published later, and what a correction said later.
    seed
        Chooses what is shown of what came after; None: nothing.
    """
    before = "<" if until else "<="
    later = "false" if seed is None else f"hash(row_number, {seed}) % 3 > 0"
    corrected = "false" if seed is None else f"hash(pair, {seed}) % 2 = 0"
    known = "known_ts <= $at" if knowable else "true"
    con.execute("begin")
    for table in HELD:
        happened = HAPPENED.get(table.name, table.time)
        rows = f"(({happened} {before} $at and {known}) or {later})"
        columns = "*"
        if knowable:
            rows += f" and (since_ts is null or since_ts <= $at or {corrected})"
            columns += (
                f" replace (if(superseded_ts <= $at or {corrected}, superseded_ts, null) "
                "as superseded_ts)"
            )
        con.execute(f"delete from shown.{table.name}")
        con.execute(
            f"insert into shown.{table.name} select {columns} from told.{table.name} "
            f"where {rows}",
            {"at": at},
        )
    _hear(con)
    con.execute("delete from promised.parts")
    con.execute(
        "insert into promised.parts select * exclude (row_number) from told.parts "
        f"where ({HOUR_OF_PART} < $at and ({known} or {LIVE})) or {later}",
        {"at": at},
    )
    con.execute("commit")


def _hear(con):
    """Let the lake know the coins of the rows that are shown, as landing them would."""
    happened = {
        table.name: HAPPENED.get(table.name, table.time) for table in HELD if table in TOLD_BY
    }
    told = " union all ".join(
        f"select coin, {ts} as ts, greatest({ts}, known_ts, since_ts) as heard_ts "
        f"from shown.{name}"
        for name, ts in happened.items()
    )
    con.execute("delete from promised.coins")
    con.execute(
        f"insert into promised.coins select coin, min(ts), min(heard_ts) from ({told}) "
        "group by coin"
    )
