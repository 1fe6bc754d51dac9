"""This module writes what was true in a world, as Parquet: what answers are judged against.

Prices and money are USD, sizes coins, rates and shares fractions, instants UTC microseconds;
accounts are addresses, coins names, as in the archives.

``states/positions/day=YYYY-MM-DD.parquet``
    Every open position at the start of each hour, 100 ms before each snapshot, and at the
    world's end: ``ts``, ``account``, ``coin``, ``size`` (signed), ``entry_px``, ``mark_px``,
    ``notional``, ``liquidation_px``
    (null: never), ``isolated``, ``leverage``, ``max_leverage``, ``margin_used``, ``raw_usd``
    (what is behind it at a price of 0; null: cross), ``maintenance``, ``funding_open``,
    ``funding_change``, ``funding_ever`` (paid since it was opened, changed, ever),
    ``account_value``.
``states/accounts/day=YYYY-MM-DD.parquet``
    Every account at the same moments: ``ts``, ``account``, ``role``, ``cash`` (behind its cross
    positions at prices of 0), ``value`` (isolated margin included), ``maintenance`` (of its
    cross positions).
``liquidations.parquet``
    One an order, takeover or deleveraging of a position: ``ts``, ``account``, ``coin``,
    ``method`` (market, backstop, adl), ``cause`` (price: the price elsewhere alone; cascade:
    the price only because orders here had pushed it; funding; remainder: what a partial order
    left), ``isolated``, ``mark_px``, ``equity``, ``maintenance``, ``size_before`` (signed),
    ``sent``, ``filled``, ``vwap`` (null: nothing was filled), ``slippage`` (fraction of mark
    that the liquidated lost; null likewise).
``transfers.parquet``
    ``ts``, ``account``, ``kind`` (deposit, withdrawal, cover: the insurance paid what it owed,
    takeover: what was left of it went to the vault), ``amount`` (to the account).
``trades.parquet``
    ``ts``, ``trade_id``, ``coin``, ``px``, ``size``, ``buyer``, ``seller``, their start
    positions, fees and closed profits, ``taker_buys``, ``kind`` (choice, market, backstop, adl,
    settlement), ``liquidated`` (null: nobody), ``mark_px``.
``fundings.parquet``
    ``ts``, ``coin``, ``oracle_px``, ``rate`` (per hour), ``premium`` (average of the hour).
``minutes.parquet``
    What each coin showed at each minute's end: ``ts``, ``coin``, ``listed``, prices, the
    minute's bar of the middle, ``volume``, ``trades``, ``open_interest``, ``premium``, ``rate``
    (that would be paid now), depth within 1 % of a side, ``pushed`` (how far orders here have
    pushed the price from elsewhere), ``carried`` (how far elsewhere has followed), ``stress``
    (depth is 1 / (1 + stress) of calm).
``faults.json``
    Of each fault its seed, and what it did where.
"""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.simulator.archive.fault_plan import FaultPlan
from pipelines.simulator.archive.hours import DAY_MS, Hour
from pipelines.simulator.archive.target import Target
from pipelines.simulator.archive.truth_rows import TABLES, account_rows, position_rows
from pipelines.simulator.world import Moment, Simulation


class Truth:
    """What was true, on its way to a folder.

    Parameters
    ----------
    sim
        The simulation.
    folder
        Where to; made if it is not there.
    world
        What it is made from.
    """

    def __init__(self, sim: Simulation, folder: Path, world: Mapping[str, Any]) -> None:
        self._sim = sim
        self._target = Target(str(folder), world)
        self._positions: list[pl.DataFrame] = []
        self._accounts: list[pl.DataFrame] = []
        self._trades = 0
        self._tables = {name: _Table() for name in TABLES}

    def claim(self) -> None:
        """Take the folder; what refuses it has been asked already."""
        self._target.claim()

    def take(self, hour: Hour) -> None:
        """Take an hour; its day's states are written once the day is over."""
        for moment in (hour.held, hour.snapshot):
            if moment is not None:
                self._take_state(moment)
        told = hour.told
        for name, rows_of in TABLES.items():
            self._tables[name].add(rows_of(self._sim, told, self._trades))
        self._trades += told.trades.size
        if hour.ends_day:
            self._write_states(hour.start_ms)

    def close(self, end: Moment, plan: FaultPlan) -> None:
        """Write the last state, what happened, and what was spoilt."""
        self._take_state(end)
        self._write_states(end.ms)
        for name, table in self._tables.items():
            self._target.put({f"{name}.parquet": table.close()})
        faults = {
            name: {"seed": seed, "done": plan.done[name]} for name, seed in plan.seeds.items()
        }
        self._target.put({"faults.json": (json.dumps(faults, indent=1) + "\n").encode()})

    def _take_state(self, moment: Moment) -> None:
        positions = position_rows(self._sim, moment)
        self._positions.append(positions)
        self._accounts.append(account_rows(self._sim, moment, positions))

    def _write_states(self, ms: int) -> None:
        day = pl.select(pl.lit(ms // DAY_MS * DAY_MS).cast(pl.Datetime("ms")).dt.date()).item()
        for name, parts in (("positions", self._positions), ("accounts", self._accounts)):
            table = _Table()
            for part in parts:
                table.add(part)
            self._target.put({f"states/{name}/day={day}.parquet": table.close()})
            parts.clear()


class _Table:
    """A Parquet file in the making: what is added is held compressed."""

    def __init__(self) -> None:
        self._out = BytesIO()
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; groups are written when they are worth it."""
        self._waiting.append(rows)
        if sum(part.height for part in self._waiting) >= 100_000:
            self._flush()

    def close(self) -> bytes:
        """Return the file."""
        self._flush()
        assert self._writer is not None
        self._writer.close()
        return self._out.getvalue()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = pl.concat(self._waiting).to_arrow()
        self._waiting = []
        plain = {pa.large_string(): pa.string(), pa.string_view(): pa.string()}
        schema = pa.schema([(f.name, plain.get(f.type, f.type)) for f in rows.schema])
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._out, schema, compression="zstd")
        self._writer.write_table(rows.cast(schema))
