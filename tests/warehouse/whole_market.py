"""A small market with every kind of row, told late, twice and with corrections, in memory.

What is shown of it is chosen: all that was known at a moment, and as much of what came after as
a number says.  Sizes and prices are eighths, so that sums do not depend on the order of rows.
"""

import random
from datetime import timedelta
from typing import NamedTuple

import pyarrow as pa

from tests.rows import T0, account, batch
from tests.warehouse import late_market
from warehouse.attach import _once
from warehouse.contracts import tables as every
from warehouse.contracts.table import Table

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURS = 72
COINS = {"BTC": 100.0, "ETH": 40.0, "xyz:GOLD": 64.0}
HOLDERS = range(1, 11)
RARE = dict.fromkeys(late_market.RARE_HOLDERS, 0.3)
PX = COINS | {late_market.RARE: 32.0}
HELD = (
    every.POSITIONS,
    every.SNAPSHOTS,
    every.ACCOUNTS,
    every.FILLS,
    every.CANDLES,
    every.FUNDING,
    every.ASSET_CONTEXTS,
    every.ORDER_BOOKS,
    every.INSTRUMENTS,
    every.INCIDENTS,
)
# When a row has happened: a bar at its end.
HAPPENED = {"candles": 'start_ts + bar_length("interval")'}
# Shares of rows that are corrected: more of which an answer uses few.
CORRECTED = {"accounts": 0.4, "positions": 0.25, "snapshots": 0.4}
MOMENT = pa.timestamp("us", "UTC")
VERSION = {"since_ts": MOMENT, "superseded_ts": MOMENT, "pair": pa.int64()}
# The line of a live part says at once what its part will hold at the hour's end.
LIVE = "known_ts = max_ts"
HOUR_OF_PART = "(day + (right(part, 2) || ' hours')::interval)::timestamptz"


def dex_of(coin):
    """Return the dex of a coin."""
    return coin.partition(":")[0] if ":" in coin else "hyperliquid"


class Row(NamedTuple):
    """A row, and since when and until when it was what could be known."""

    values: dict
    since_ts: object = None
    superseded_ts: object = None
    pair: int | None = None


def made(seed=1):
    """Return ``{table name: rows}``."""
    draw = random.Random(seed)
    rows = {table.name: [] for table in HELD}
    _people(draw, rows)
    _market(draw, rows)
    _late(random.Random(seed), rows)
    pair = 0
    for name, some in rows.items():
        for row in list(some):
            if draw.random() < CORRECTED.get(name, 0.1):
                pair += 1
                some.remove(row)
                some += _corrected(draw, name, row.values, pair)
    for table, values in late_market.of_new_coins(_row):
        rows[table.name].append(Row(values))
    return rows


def _late(draw, rows):
    rows["asset_contexts"] += map(Row, late_market.of_contexts(draw, _row))
    rows["funding"] += map(Row, late_market.of_payments(draw, _row, COINS))
    rows["candles"] += map(Row, late_market.of_bars(draw, _row))
    for name in ("positions", "accounts"):
        for row in rows[name]:
            late_market.later(draw, row.values)


def _corrected(draw, name, values, pair):
    """Return a row as it was told first, and as it was told later."""
    at = values["known_ts"] + draw.choice([1, 7, 30]) * HOUR + draw.randrange(59) * MINUTE
    new = dict(values)
    for column, value in values.items():
        # One answer about an account says one value, in the rows of all its coins.
        if isinstance(value, float) and column != "account_value":
            new[column] = value * 2
    if name == "snapshots":
        new["trusted"] = not values["trusted"] if draw.random() < 0.4 else values["trusted"]
        if values["accounts_skipped"] is not None:
            new["accounts_skipped"] += 1
    told = [Row(values, None, at, pair), Row(new, at, None, pair)]
    # Where one of several is taken, it is the first.
    return told[::-1] if name == "snapshots" else told


def _row(table: Table, **values):
    return {column.name: None for column in table.columns} | {"source": "test"} | values


class _Holding(NamedTuple):
    size: float
    entry_px: float
    liquidation_px: float | None
    leverage: float
    leverage_type: str


def _people(draw, rows):
    """Positions that last, change and end, and who looked at them."""
    kept = _Holding(2.0, 32.0, 24.0, 5.0, "cross")
    book = {(holder, late_market.RARE): kept for holder in RARE}
    told = 0
    for half in range(2 * HOURS):
        now = T0 + half * HOUR / 2
        for holder in HOLDERS:
            for coin, px in COINS.items():
                if draw.random() < 0.93:
                    continue
                held = book.pop((holder, coin), None)
                if held is not None:
                    told += 1
                    _closing(draw, rows, told, now + 7 * MINUTE, holder, coin, held)
                if draw.random() < 0.7:
                    size = draw.choice([0.25, 0.5, 1.0, 2.0, 8.0]) * draw.choice([1, -1])
                    away = draw.choice([1, 2, 4, 16, 64]) / 128 * (-1 if size > 0 else 1)
                    book[holder, coin] = _Holding(
                        size,
                        px + draw.randrange(-8, 8) / 2,
                        None if draw.random() < 0.1 else px * (1 + away),
                        float(draw.choice([2, 5, 20])),
                        draw.choice(["cross", "cross", "isolated"]),
                    )
        if half % 18 == 5:
            _look(draw, rows, now, book, "alpha", "all", complete=True)
        if half % 26 == 11:
            _look(draw, rows, now, book, "beta", "hyperliquid", complete=True)
        if half % 4 == 1:
            _look(draw, rows, now, book, "own", "hyperliquid", complete=False)
        if half == 2 * 47:  # a dex of which nothing of its own was there before
            _look(draw, rows, now, book, "gamma", "xyz", complete=True)


def _look(draw, rows, now, book, source, scope, complete):
    # Sweeps that are known are answered with a base that is not yet.
    late = draw.choice([0, 0, 5, 26]) * HOUR
    if scope == "xyz" or (scope == "all" and now.hour > 20):
        late = 26 * HOUR
    common = {"source": source, "scope": scope}
    asked = [
        holder
        for holder in (*HOLDERS, *RARE)
        if complete or draw.random() < RARE.get(holder, 0.7)
    ]
    count, people = 0, set()
    for holder in asked:
        state = now if complete else now - draw.randrange(1, 40) * MINUTE
        about = {
            "account_value": draw.choice([100.0, 4000.0, 60000.0, 1e6]),
            "account_mode": draw.choice([None, "standard", "unified"]),
            "known_ts": state + late,
        }
        mine = [
            (coin, held)
            for (other, coin), held in book.items()
            if other == holder and scope in ("all", dex_of(coin))
        ]
        for coin, held in mine:
            mark = PX[coin] + draw.randrange(-4, 5) / 2
            values = _row(
                every.POSITIONS,
                **(common | held._asdict() | about),
                snapshot_ts=state,
                coin=coin,
                account=account(holder),
                mark_px=mark,
                liquidation_px_source=held.liquidation_px and "venue",
                max_leverage=40.0,
                margin_used=abs(held.size) * mark / held.leverage,
            )
            rows["positions"].append(Row(values))
        count += len(mine)
        people |= {holder} if mine else set()
        if not complete:
            values = _row(
                every.ACCOUNTS,
                **(common | about),
                state_ts=state,
                account=account(holder),
                sweep_ts=now,
                positions=len(mine),
                notional=sum(abs(held.size) * PX[coin] for coin, held in mine),
                spot_usdc=draw.choice([64.0, 8000.0]),
            )
            rows["accounts"].append(Row(values))
    values = _row(
        every.SNAPSHOTS,
        **common,
        snapshot_ts=now,
        complete=complete,
        trusted=draw.random() < 0.85,
        accounts_asked=None if complete else len(asked),
        accounts_failed=None if complete else 0,
        accounts_skipped=None if complete else len(HOLDERS) + len(RARE) - len(asked),
        accounts=len(people),
        positions=count,
        px_venue=count,
        px_computed=0,
        px_never=0,
        px_unknown=0,
        known_ts=now + late,
    )
    rows["snapshots"].append(Row(values))


def _fill(number, at, coin, holder, px, size, is_buy, start, method, pnl):
    return _row(
        every.FILLS,
        time_ts=at,
        coin=coin,
        account=account(holder),
        px=px,
        size=size,
        is_buy=is_buy,
        start_position=start,
        closed_pnl=pnl,
        trade_id=number,
        order_id=number,
        is_taker=True,
        liquidation_method=method,
        liquidated_account=account(holder) if method else None,
    )


def _tell(draw, rows, values):
    """Let one source tell of a fill at once, another an hour later, or both."""
    which = draw.choice([("node",), ("arch",), ("node", "arch")])
    for source in which:
        late = draw.choice([1, 12]) * HOUR if source == "arch" else timedelta(0)
        told = values | {"source": source, "known_ts": values["time_ts"] + late}
        rows["fills"].append(Row(told))


def _closing(draw, rows, number, at, holder, coin, held):
    method = draw.choice([None, "market", "market", "backstop"])
    px = held.liquidation_px or COINS[coin]
    buys, size = held.size < 0, abs(held.size)
    values = _fill(number, at, coin, holder, px, size, buys, held.size, method, -8.0)
    _tell(draw, rows, values)


def _market(draw, rows):
    number = 10_000
    for minute in range(0, HOURS * 60, 10):
        at = T0 + minute * MINUTE
        for coin, px in COINS.items():
            number += 1
            here = px + draw.randrange(-4, 5) / 2
            method = "market" if draw.random() < 0.1 else None
            pnl = draw.choice([0.0, 64.0, -512.0, 20000.0, -300000.0])
            values = _fill(
                number, at, coin, draw.choice(HOLDERS), here, 0.5, True, 0.0, method, pnl
            )
            _tell(draw, rows, values)
            _read(draw, rows, at, minute, coin, here)
    for hour in (29, 44, 53):  # cascades
        for second in range(0, 300, 10):
            number += 1
            at = T0 + hour * HOUR + timedelta(seconds=second)
            px = COINS["BTC"] - second / 64
            values = _fill(number, at, "BTC", 3, px, 64.0, False, 0.0, "market", -64.0)
            _tell(draw, rows, values)


def _read(draw, rows, at, minute, coin, px):
    """What the venue said of a coin: contexts, books, funding, bars, margin tiers."""
    late = draw.choice([0, 0, 1]) * HOUR
    venue = {"venue": "hyperliquid", "coin": coin}
    if minute % 30 == 0:
        values = _row(
            every.ASSET_CONTEXTS,
            **venue,
            context_ts=at + MINUTE,
            mark_px=px,
            open_interest=32.0 + draw.randrange(8),
            # Hours in which only payments tell of funding.
            funding_rate=draw.randrange(8) / 1024 if minute % 720 < 240 else None,
            known_ts=at + MINUTE + late,
        )
        rows["asset_contexts"].append(Row(values))
    if minute % 20 == 0:
        level = {"px": px - 0.03125, "size": 2.0 + draw.randrange(4), "orders": None}
        values = _row(
            every.ORDER_BOOKS,
            coin=coin,
            book_ts=at + MINUTE,
            bids=[level, level | {"px": px - 8}],
            asks=[level | {"px": px + 0.03125}],
            known_ts=at + MINUTE + late,
        )
        rows["order_books"].append(Row(values))
    if minute % 60 == 0:
        values = _row(
            every.FUNDING,
            **venue,
            time_ts=at,
            rate=draw.randrange(8) / 1024,
            period_hours=1.0,
            known_ts=at + late,
        )
        rows["funding"].append(Row(values))
        bar = dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), px)
        values = _row(
            every.CANDLES,
            **venue,
            **bar,
            interval="1h",
            start_ts=at,
            volume=float(draw.randrange(99)),
            known_ts=at + HOUR + late,
        )
        rows["candles"].append(Row(values))
    if minute % 1800 == 0:
        tier = {"lower_bound": 0.0, "max_leverage": draw.choice([20.0, 40.0])}
        values = _row(
            every.INSTRUMENTS,
            coin=coin,
            effective_ts=at,
            max_leverage=tier["max_leverage"],
            margin_tiers=[tier],
            known_ts=at,
        )
        rows["instruments"].append(Row(values))
    if minute % 300 == 0 and coin == "BTC":
        values = _row(
            every.INCIDENTS,
            start_ts=at,
            end_ts=at + HOUR,
            check_name="a_check",
            table_name="fills",
            subject="all",
            severity="warn",
            what="wrong",
            rows=1,
            known_ts=at + HOUR,
        )
        rows["incidents"].append(Row(values))


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
    con.execute("delete from promised.parts")
    con.execute(
        "insert into promised.parts select * exclude (row_number) from told.parts "
        f"where ({HOUR_OF_PART} < $at and ({known} or {LIVE})) or {later}",
        {"at": at},
    )
    con.execute("commit")
