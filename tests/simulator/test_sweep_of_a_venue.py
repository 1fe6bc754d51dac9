"""A sweep of the served venue lands what was true there, and says that it is made up."""

import polars as pl

from pipelines.simulator.statement import positions_of
from pipelines.steps.sweep_now import sweep_now
from tests.simulator.serving import served, small_venue
from warehouse import open_lake


def test_what_is_landed_is_what_was_true(tmp_path):
    venue = small_venue()
    with served(venue) as (url, _):
        sweep_now(tmp_path, url, f"{url}/leaderboard", simulated=True)
    true = positions_of(venue.sim, venue.moment).select(
        "address", "name", "size", "liquidation_px"
    )
    with open_lake(tmp_path) as con:
        landed = con.sql(
            "select account as address, coin as name, size, liquidation_px from positions"
        ).pl()
        sources = con.sql(
            "select source from positions union select source from accounts "
            "union select source from snapshots union select source from instruments"
        ).fetchall()
    assert sources == [("simulated",)]
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
