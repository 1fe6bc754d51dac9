"""This module writes runs into the lake: one row each, their trades and their equity."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backtest.bars import as_utc
from backtest.replay import REASONS
from backtest.runs import Run
from warehouse.contracts.table import TS
from warehouse.contracts.tables import BACKTEST_EQUITY, BACKTEST_RUNS, BACKTEST_TRADES
from warehouse.store import Landing, landing


def land_runs(root: Path | str, runs: Sequence[Run]) -> list[Any]:
    """Write runs, one part per run and table; the same run replaces itself.

    Parameters
    ----------
    root
        Folder of the lake.
    runs
        All readings of a run are landed together, for they share its name.

    Returns
    -------
    list
        Where their parts lie.
    """
    with landing(root) as batches:
        put_runs(batches, runs)
    return [place for places in batches.places.values() for place in places]


def put_runs(batches: Landing, runs: Sequence[Run]) -> None:
    """Put runs into a landing; see :func:`land_runs`."""
    for run_id in dict.fromkeys(run.run_id for run in runs):
        read = [run for run in runs if run.run_id == run_id]
        rows = pa.Table.from_pylist([run_row(run) for run in read], BACKTEST_RUNS.schema)
        batches.land(BACKTEST_TRADES, pa.concat_tables(map(trade_rows, read)), run_id)
        batches.land(BACKTEST_EQUITY, pa.concat_tables(map(equity_rows, read)), run_id)
        batches.land(BACKTEST_RUNS, rows, run_id)


def run_row(run: Run) -> dict[str, object]:
    """Return the row of ``backtest_runs``."""
    bars = run.bars
    return {
        "run_id": run.run_id,
        "bound": run.replay.bound,
        "strategy": run.strategy.rule,
        "variant": run.strategy.variant,
        "coin": bars.coin,
        "venue": bars.venue,
        "interval": bars.interval,
        "start_ts": as_utc(bars.start[0]),
        "end_ts": _known(run),
        "bars": len(bars),
        "knowable": run.knowable,
        "account_coins": ",".join(run.account_coins),
        "parameters": run.parameters,
        "costs": run.costs,
        **run.figures(),
        "source": run.source,
        "known_ts": _known(run),
    }


def trade_rows(run: Run) -> pa.Table:
    """Return the rows of ``backtest_trades``."""
    played, bars, decisions = run.replay, run.bars, run.decisions
    trades = played.trades
    decided = trades["decided"]
    cluster_px = decisions.cluster_px[decided]
    names = np.where(np.isnan(trades["target_px"]), "none", "fixed").astype(object)
    names[~np.isnan(cluster_px)] = "cluster"
    return _table(
        run,
        BACKTEST_TRADES.schema,
        len(played),
        trade=np.arange(len(played)),
        side=np.where(trades["size"] > 0, "long", "short").astype(object),
        decided_ts=_times(bars.end[decided]),
        entry_ts=_times(bars.start[trades["entered"]]),
        entry_px=trades["entry_px"],
        exit_ts=_times(bars.start[trades["left"]]),
        exit_px=trades["exit_px"],
        exit_reason=np.array([REASONS[int(reason)] for reason in trades["reason"]], object),
        size=trades["size"],
        stop_px=_nulls(trades["stop_px"]),
        target_px=_nulls(trades["target_px"]),
        target_source=names,
        cluster_px=_nulls(cluster_px),
        snapshot_ts=_times(decisions.snapshot_ts[decided]),
        best_px=trades["best_px"],
        worst_px=trades["worst_px"],
        fees=trades["fees"],
        funding=trades["funding"],
        slippage=trades["slippage"],
        pnl=trades["pnl"],
        return_fraction=played.trade_returns,
        ambiguous=trades["ambiguous"],
    )


def equity_rows(run: Run) -> pa.Table:
    """Return the rows of ``backtest_equity``."""
    return _table(
        run,
        BACKTEST_EQUITY.schema,
        len(run.bars),
        time_ts=_times(run.bars.end),
        position=run.replay.position[:, 0],
        close_px=run.bars.close_px,
        equity=run.replay.equity,
    )


def _table(run: Run, schema: pa.Schema, rows: int, **columns: object) -> pa.Table:
    """Return a table of ``schema``; what is the same for the whole run is filled in."""
    same = {
        "run_id": run.run_id,
        "bound": run.replay.bound,
        "coin": run.bars.coin,
        "source": run.source,
        "known_ts": _known(run),
    }
    fields = [
        pa.array([same[field.name]] * rows, field.type)
        if field.name in same
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.table(fields, schema=schema)


def _known(run: Run) -> datetime:
    return as_utc(run.bars.end[-1])


def _times(moments: np.ndarray) -> pa.Array:
    return pa.array(moments.astype("datetime64[us]")).cast(pa.timestamp("us")).cast(TS)


def _nulls(values: np.ndarray) -> pa.Array:
    return pa.array(values, from_pandas=True)
