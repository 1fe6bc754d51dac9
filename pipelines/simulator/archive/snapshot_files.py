"""This module writes position snapshots and account values as Hydromancer's Reservoir does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.simulator.archive.hours import Hour
from pipelines.simulator.archive.scatter import scatter
from pipelines.simulator.kernels.advance import BLOCK
from pipelines.simulator.statement import positions_of
from pipelines.simulator.values import usd
from pipelines.simulator.world import Moment, Simulation

BUCKET = "hydromancer-reservoir"
POSITIONS = f"{BUCKET}/by_dex/hyperliquid/snapshots/perp"
VALUES = f"{BUCKET}/global/snapshots/account_values"
# After the blocks of the minute before, which end by 70 ms, before those of the minute itself.
TAKEN_AT = 100  # ms into the minute
UNTOLD = 20  # in 1,000 of prices that can be worked out, how many are left out

POSITION_SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("market", pa.string()),
        ("size", pa.float64()),
        ("notional", pa.float64()),
        ("entry_price", pa.float64()),
        ("liquidation_price", pa.float64()),
        ("leverage_type", pa.string()),
        ("leverage", pa.uint32()),
        ("funding_pnl", pa.float64()),
        ("account_value", pa.float64()),
        ("account_mode", pa.string()),
    ]
)
VALUE_SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("dex", pa.string()),
        ("collateral_token", pa.string()),
        ("account_value", pa.float64()),
        ("total_long_notional", pa.float64()),
        ("total_short_notional", pa.float64()),
        ("account_mode", pa.string()),
    ]
)


class SnapshotFiles:
    """Snapshots of a world."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim

    def files(self, hour: Hour) -> Iterator[tuple[str, bytes]]:
        """Yield the hour's two files, if a snapshot is due in it."""
        if (moment := hour.snapshot) is None:
            return
        ms = moment.ms + TAKEN_AT
        day = datetime.fromtimestamp(ms / 1000, UTC).date()
        name = f"date={day}/{-(-ms // BLOCK)}_{ms}.parquet"
        held = positions_of(self._sim, moment)
        for folder, rows in (
            (POSITIONS, position_rows(self._sim, held, ms)),
            (VALUES, value_rows(self._sim, moment, held)),
        ):
            out = BytesIO()
            pq.write_table(rows, out, compression="zstd")
            yield f"{folder}/{name}", out.getvalue()


def position_rows(sim: Simulation, held: pl.DataFrame, ms: int) -> pa.Table:
    """Return a snapshot's positions, by market and user.

    A few prices are left out that exist, as in the real files: of accounts whose positions are
    all cross and under today's margin tiers, where account value and positions are enough to
    work them out.
    """
    account, coin = held["account"].to_numpy(), held["coin"].to_numpy()
    bits = scatter(sim.spec.seed, f"untold {ms}", account * len(sim.coins) + coin)
    listed = np.array([coin.max_leverage for coin in sim.coins])
    plain = ~held["isolated"] & (held["max_leverage"] == listed[coin])
    drawn = pl.Series(bits % np.uint64(1000) < UNTOLD)
    rows = held.with_columns(plain=plain, drawn=drawn).sort("coin", "address")
    untold = pl.col("plain").all().over("account") & pl.col("drawn")
    columns = rows.select(
        user="address",
        market="name",
        size="size",
        notional="notional",
        entry_price="entry_px",
        liquidation_price=pl.when(~untold).then("liquidation_px"),
        leverage_type=pl.when("isolated").then(pl.lit("isolated")).otherwise(pl.lit("cross")),
        leverage=pl.col("leverage").cast(pl.UInt32),
        funding_pnl=-pl.col("funding_open"),
        account_value="account_value",
        account_mode=pl.lit("standard"),
    )
    return columns.to_arrow().cast(POSITION_SCHEMA)


def value_rows(sim: Simulation, moment: Moment, held: pl.DataFrame) -> pa.Table:
    """Return what every account that has anything was worth, by user."""
    long, short = pl.col("size") > 0, pl.col("size") < 0
    open_ = held.group_by("account").agg(
        account_value=pl.col("account_value").first(),
        total_long_notional=pl.col("notional").filter(long).sum(),
        total_short_notional=pl.col("notional").filter(short).sum(),
    )
    accounts = pl.DataFrame(
        {
            "account": np.arange(moment.accounts.size),
            "user": sim.addresses,
            "cash": usd(moment.accounts["cash"]),
        }
    )
    rows = accounts.join(open_, on="account", how="left").select(
        user="user",
        dex=pl.lit("hyperliquid"),
        collateral_token=pl.lit("USDC"),
        # Without a position an account is worth its cash.
        account_value=pl.coalesce("account_value", "cash"),
        total_long_notional=pl.col("total_long_notional").fill_null(0.0),
        total_short_notional=pl.col("total_short_notional").fill_null(0.0),
        account_mode=pl.lit("standard"),
    )
    some = (pl.col("account_value") != 0) | (pl.col("total_long_notional") != 0)
    some = some | (pl.col("total_short_notional") != 0)
    return rows.filter(some).sort("user").to_arrow().cast(VALUE_SCHEMA)
