"""A sweep of the served venue lands what was true there, and says that it is made up."""

import polars as pl

from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import VAULTS, discover
from pipelines.steps.sweep_modes import AT_LEAST
from pipelines.steps.sweep_now import sweep_now
from tests.simulator.serving import served, small_venue
from warehouse import open_lake


def test_what_is_landed_is_what_was_true(tmp_path):
    venue = small_venue()
    with served(venue) as (url, _):
        landed = sweep_now(tmp_path, url, f"{url}/leaderboard", simulated=True)
    # The vaults among the accounts never traded here, and answer all the same.
    assert [gap for one in landed for gap in one.gaps] == []
    assert not any(one.unknown_fields for one in landed)
    true = positions_of(venue.sim, venue.moment).select(
        "address", "name", "size", "liquidation_px"
    )
    with open_lake(tmp_path) as con:
        landed = con.sql(
            "select account as address, coin as name, size, liquidation_px from positions"
        ).pl()
        modes = con.sql(
            "select account_mode, count(distinct account) from accounts "
            "where account_mode is not null group by all"
        ).fetchall()
        failed = con.sql("select scope, accounts_failed from snapshots").fetchall()
        sources = con.sql(
            "select source from positions union select source from accounts "
            "union select source from snapshots union select source from instruments"
        ).fetchall()
    assert sources == [("simulated",)]
    assert modes == [("standard", AT_LEAST)]
    assert failed == [("hyperliquid", 0)]
    both = true.join(landed, on=["address", "name"], how="full")
    assert both.height == true.height == landed.height > 200
    assert (both["size"] == both["size_right"]).all()
    given = both.filter(pl.col("liquidation_px").is_not_null())
    # The venue gives its prices to a few digits.
    apart = (given["liquidation_px"] / given["liquidation_px_right"] - 1).abs()
    assert apart.null_count() == 0
    assert apart.max() < 1e-4
    assert (
        both["liquidation_px"].is_null().sum() == both["liquidation_px_right"].is_null().sum()
    )


def test_who_is_listened_to_is_discovered(tmp_path):
    venue = open_venue(Simulation(WorldSpec(coins=3, accounts=300)), 60)
    with served(venue, speed=6000.0) as (url, _):
        found = discover(lambda: InfoClient(url), tmp_path, None, simulated=False, seconds=3.0)
    assert found.gaps == []
    with open_lake(tmp_path) as con:
        rows = con.sql(
            "select source, scope, count(*) from accounts group by all order by all"
        ).fetchall()
    assert [row[:2] for row in rows] == [
        ("documented", "all"),
        ("recent_trades", "hyperliquid"),
        ("trades", "hyperliquid"),
    ]
    assert rows[0][2] == len(VAULTS)
    assert rows[2][2] > 1
