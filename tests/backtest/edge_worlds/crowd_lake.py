"""This module lets a made-up crowd answer in SQL, in place of a lake's rows.

Everything else that a study asks of its lake (cascades, incidents, trials) finds nothing there.
"""

from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import polars as pl

from tests.backtest.edge_worlds.told import HOUR, Told
from warehouse.catalog import open_lake

SNAPSHOT_AT = """
create or replace macro snapshot_at(coin, "at", knowable := false, untrusted := false) as table
with asked as (select coin as coin_asked, "at" as at_asked, knowable as knowable_asked)
select s.snapshot_ts, s.known_ts, 'simulated' as source, 'all' as scope
from crowd_snapshots as s cross join asked as q
where
    s.name = q.coin_asked and s.snapshot_ts <= q.at_asked
    and (s.known_ts <= q.at_asked or not q.knowable_asked)
order by s.snapshot_ts desc limit 1
"""
HELD = """
create or replace macro {name}(coin, "at", knowable := false, coin_by := null) as table
with held_at as (select coin as coin_asked, "at" as at_asked, knowable as knowable_asked)
select c.side, {columns}, c.notional
from held_at as h
cross join lateral (
    from snapshot_at(h.coin_asked, h.at_asked, knowable := h.knowable_asked)
) as s
join crowd_clusters as c on c.snapshot_ts = s.snapshot_ts and c.name = h.coin_asked
"""


def crowd_lake(coins: dict[str, Told]) -> duckdb.DuckDBPyConnection:
    """Return a catalog in which the crowd's snapshots, positions and clusters are found.

    Parameters
    ----------
    coins
        What was known of each coin's crowd.
    """
    with TemporaryDirectory() as folder:
        lake = open_lake(folder)
    rows = [_rows(coin, told) for coin, told in coins.items()]
    for number, name in enumerate(("crowd_snapshots", "crowd_clusters")):
        lake.register("rows", pl.concat([one[number] for one in rows]).to_arrow())
        lake.execute(f"create table {name} as from rows")
        lake.unregister("rows")
    lake.execute(SNAPSHOT_AT)
    lake.execute(HELD.format(name="positions_at", columns="c.px as liquidation_px"))
    lake.execute(
        HELD.format(name="liquidation_clusters", columns="c.px as px_low, c.px as px_high")
    )
    return lake


def _rows(coin: str, told: Told) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the snapshots of a coin, and what each held."""
    px = told.walked.cluster_px[:: told.every]
    notional = told.walked.cluster_notional[:: told.every]
    moment = told.start + np.arange(len(px)) * told.every * HOUR
    number, slot = np.nonzero(~np.isnan(px))
    snapshots = pl.DataFrame({"snapshot_ts": moment, "known_ts": moment + told.lag * HOUR})
    clusters = pl.DataFrame(
        {
            "snapshot_ts": moment[number],
            "side": np.where(slot < px.shape[1] // 2, "short", "long"),
            "px": px[number, slot],
            "notional": notional[number, slot],
        }
    )
    times = pl.selectors.datetime().dt.replace_time_zone("UTC")
    return tuple(
        frame.with_columns(times, pl.lit(coin).alias("name")) for frame in (snapshots, clusters)
    )
