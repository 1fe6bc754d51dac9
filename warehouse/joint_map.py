"""This module makes the joint map: what closes, and where, if all coins move together.

The venue's liquidation price of a cross position holds all other prices fixed.  Here each
account is solved along one market move, ``px * (1 + beta * x)`` of every coin, so that it is
exhausted at one fall and one rise at most, and its positions close there and nowhere else.
Definitions and reasons: ``docs/definitions.md``, "Cross accounts".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from warehouse.ask import check_coin
from warehouse.cross.accounts import OWN, SOLVED, back
from warehouse.cross.own_tables import Backed, arrays
from warehouse.cross.tiers_at import tiers_at
from warehouse.kernels.account_path import exhaustion
from warehouse.margin import TierTable, column
from warehouse.moments import aware

HELD = """
select *
from dex_positions_at(
    $coin, $at, knowable := $knowable, max_age := $max_age, untrusted := $untrusted
)
order by account, coin
"""
# What stands in the catalog under these names after a call.
TABLES = ("joint_map", "joint_positions", "joint_basis")


class JointMap(NamedTuple):
    """The answer, as Arrow; the connection holds the same as tables of the same names.

    Attributes
    ----------
    joint_map
        One row for each direction, band of market moves, coin and side that closes there.
    joint_positions
        One row for each position of the dex: the moves that close it, and on which basis.
    joint_basis
        One row for each coin, side and basis: positions, accounts, ``notional`` (USD at
        ``current_px``).  Its rows sum to all that is held.
    """

    joint_map: pa.Table
    joint_positions: pa.Table
    joint_basis: pa.Table


def joint_map(
    con: duckdb.DuckDBPyConnection,
    coin: str,
    at: datetime,
    width_pct: float = 1.0,
    betas: Mapping[str, float] | None = None,
    others: float = 1.0,
    knowable: bool = False,
    max_age: timedelta = timedelta(hours=26),
    untrusted: bool = False,
) -> JointMap:
    """Solve the accounts of a coin's dex at a moment along one market move.

    Parameters
    ----------
    con
        Connection of :func:`warehouse.open_lake`; gets the tables ``TABLES``, replaced by each
        call.
    coin
        Venue symbol; all coins of its dex are solved and told, for they share accounts.
    at
        The moment, with its zone; nothing later is used.
    width_pct
        Width of a band of market moves, per cent, 0.0001 to 100.
    betas
        Coin -> by how much of the market's move it moves, -10 to 10.
    others
        The same of coins that ``betas`` does not name.
    knowable
        Use only what had been published by then.
    max_age, untrusted
        As in ``states_at``.

    Raises
    ------
    duckdb.InvalidInputException
        If no source had told of a coin by then; it names the nearest.
    ValueError
        If ``at`` has no zone, or a number is out of its range.
    """
    aware(at)
    if not 0.0001 <= width_pct <= 100:
        raise ValueError(f"width_pct {width_pct} is not allowed; use 0.0001 to 100")
    named = dict(betas or {})
    for name, beta in {**named, "other coins": others}.items():
        if not -10 <= beta <= 10:
            raise ValueError(f"beta {beta} of {name} is not allowed; use -10 to 10")
    for name in (coin, *named):
        check_coin(con, name, at, knowable)
    asked = {"coin": coin, "at": at, "knowable": knowable}
    held = con.sql(HELD, params=asked | {"max_age": max_age, "untrusted": untrusted}).pl()
    solved = solve(held, tiers_at(con, at, knowable), named, others)
    answer = JointMap(
        banded(solved, float(width_pct)).to_arrow(), solved.to_arrow(), basis(solved).to_arrow()
    )
    for name, table in zip(TABLES, answer, strict=True):
        con.register("answered", table)
        con.execute(f"create or replace table {name} as from answered")
        con.unregister("answered")
    return answer


def solve(
    held: pl.DataFrame, tiers: TierTable, betas: Mapping[str, float], others: float = 1.0
) -> pl.DataFrame:
    """Return each position with the market moves that close it.

    Parameters
    ----------
    held
        Rows of ``dex_positions_at``.
    tiers
        Margin tiers then.
    betas, others
        As in :func:`joint_map`.

    Returns
    -------
    DataFrame
        ``account, coin, side, size, current_px, snapshot_ts``, ``beta``, ``with_others``
        (whether it closes with other positions of its account), ``basis``, ``fall_pct`` and
        ``rise_pct``: per cent of the market, 0 where the margin is gone already, null where no
        such move closes it or it is not known.
    """
    beta = held["coin"].replace_strict(
        {coin: float(beta) for coin, beta in betas.items()},
        default=float(others),
        return_dtype=pl.Float64,
    )
    backed = back(held.with_columns(beta=beta), tiers)
    rows = backed.positions.with_row_index("nth").with_columns(
        # Isolated positions stand alone; so does what tells its own price.
        owner=pl.when(pl.col("shared"))
        .then("account")
        .otherwise(pl.concat_str("account", pl.lit(" "), "coin"))
    )
    fall, rise = _own_moves(rows)
    some = rows.filter(pl.col("basis") == SOLVED).sort("owner", maintain_order=True)
    moves, lengths = _joint_moves(some, backed)
    nth = some["nth"].to_numpy()
    fall[nth], rise[nth] = np.repeat(moves, lengths, axis=0).T
    together = np.zeros(rows.height, bool)
    together[nth] = np.repeat(lengths > 1, lengths)
    return rows.select(
        "account",
        "coin",
        "side",
        "size",
        "current_px",
        "beta",
        "basis",
        pl.Series("with_others", together),
        pl.Series("fall_pct", fall * 100, nan_to_null=True),
        pl.Series("rise_pct", rise * 100, nan_to_null=True),
        "snapshot_ts",
    )


def _own_moves(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the moves at which positions meet their own price; NaN where that is not asked."""
    px, beta, at = (column(rows, name) for name in ("current_px", "beta", "liquidation_px"))
    long = rows["size"].to_numpy() > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.where(beta == 0, np.nan, (at / px - 1) / beta)
    own = (rows["basis"] == OWN).to_numpy()
    past = own & np.where(long, at > px, at < px)
    down = long == (beta > 0)
    fall = np.where(own & down & (move >= -1), np.abs(move), np.nan)
    rise = np.where(own & ~down, np.abs(move), np.nan)
    fall[past], rise[past] = 0.0, 0.0
    return fall, rise


def _joint_moves(some: pl.DataFrame, backed: Backed) -> tuple[np.ndarray, np.ndarray]:
    """Return fall and rise of each owner, in order, and how many positions it has."""
    owners = some.group_by("owner", maintain_order=True).agg(
        pl.len().cast(pl.Int64), pl.col("behind").first()
    )
    lengths = owners["len"].to_numpy()
    first = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    moves = exhaustion(
        first,
        column(some, "size"),
        column(some, "current_px"),
        column(some, "beta"),
        np.ascontiguousarray(some["tiers"].to_numpy()),
        column(owners, "behind"),
        *arrays(backed),
    )
    return moves, lengths


def banded(solved: pl.DataFrame, width_pct: float) -> pl.DataFrame:
    """Sum what closes by direction, band of market moves, coin and side.

    Parameters
    ----------
    solved
        Rows of :func:`solve`.
    width_pct
        Width of a band, per cent of the market.

    Returns
    -------
    DataFrame
        ``direction`` (``down``, ``up``), ``low_pct`` and ``high_pct`` (per cent, half-open),
        ``coin``, ``side``, ``notional`` (USD at the prices where it closes), ``size`` (coins),
        ``positions``, ``accounts``, ``with_others`` (USD of ``notional`` that closes together
        with other positions of its account), ``snapshot_ts``.
    """
    rows = pl.concat(
        solved.filter(pl.col(name).is_not_null()).with_columns(
            direction=pl.lit(direction), move=pl.col(name), sign=pl.lit(sign)
        )
        for direction, name, sign in (("down", "fall_pct", -1.0), ("up", "rise_pct", 1.0))
    )
    factor = 1 + pl.col("beta") * pl.col("sign") * pl.col("move") / 100
    closing = pl.col("size").abs() * pl.col("current_px") * factor.clip(lower_bound=0.0)
    keys = ["direction", "band", "coin", "side"]
    return (
        rows.with_columns(
            band=(pl.col("move") / width_pct).floor(),
            size=pl.col("size").abs(),
            closing=closing,
        )
        .group_by(keys)
        .agg(
            notional=pl.col("closing").sum(),
            size=pl.col("size").sum(),
            positions=pl.len().cast(pl.Int64),
            accounts=pl.col("account").n_unique().cast(pl.Int64),
            with_others=pl.col("closing").filter("with_others").sum(),
            snapshot_ts=pl.col("snapshot_ts").first(),
        )
        .sort(keys)
        .select(
            "direction",
            (pl.col("band") * width_pct).alias("low_pct"),
            ((pl.col("band") + 1) * width_pct).alias("high_pct"),
            "coin",
            "side",
            "notional",
            "size",
            "positions",
            "accounts",
            "with_others",
            "snapshot_ts",
        )
    )


def basis(solved: pl.DataFrame) -> pl.DataFrame:
    """Count positions by coin, side and what their answer is based on, or why there is none.

    A position that is solved and that no move closes counts as ``never``.
    """
    closes = pl.col("fall_pct").is_not_null() | pl.col("rise_pct").is_not_null()
    never = pl.col("basis").is_in([SOLVED, OWN]) & ~closes
    return (
        solved.with_columns(
            basis=pl.when(never).then(pl.lit("never")).otherwise("basis"),
            notional=pl.col("size").abs() * pl.col("current_px"),
        )
        .group_by("coin", "side", "basis")
        .agg(
            positions=pl.len().cast(pl.Int64),
            accounts=pl.col("account").n_unique().cast(pl.Int64),
            notional=pl.col("notional").sum(),
        )
        .sort("coin", "side", "basis")
    )
