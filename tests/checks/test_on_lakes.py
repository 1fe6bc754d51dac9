"""The checks on lakes that were landed: the simulated venue's, and the real sample's."""

from collections import Counter

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.shocks import parse_shock
from pipelines.simulator.world import WorldSpec
from pipelines.steps.contexts import land_contexts
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir
from warehouse import open_lake
from warehouse.checks import run_checks

# A cascade with takeovers and auto-deleveraging: what calm days hold is the least of it.
SPEC = WorldSpec(
    seed=5, coins=4, accounts=150, shocks=(parse_shock("2026-01-05T09:00Z=-14%/20m"),)
)


def landed(tmp_path, faults=()):
    root, lake = tmp_path / "archive", tmp_path / "lake"
    write_archive(SPEC, 2, root, snapshot_every=6, books=False, faults=faults)
    land_market(str(root), lake)
    land_reservoir(str(root), lake)
    land_hourly_fills(str(root), lake)
    land_contexts(str(root), lake)
    return lake


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return landed(tmp_path_factory.mktemp("simulated"))


# The mark follows the oracle, and in a world of 150 people a minute of a cascade may pass in
# which nobody trades a coin.
EXPLAINED = {"prices_move_only_with_trades"}


def test_the_simulated_venue_passes_every_check_but_one_that_is_explained(simulated):
    found = run_checks(simulated)
    assert {one.check_name for one in found} <= EXPLAINED
    assert not any(one.stops for one in found)


def test_the_simulated_venue_gives_the_checks_something_to_look_at(simulated):
    with open_lake(simulated) as con:
        forced = con.sql("select count(*) from fills where liquidation_method is not null")
        minutes = con.sql("select count(distinct context_ts) from asset_contexts")
        assert forced.fetchall()[0][0] > 50
        assert minutes.fetchall()[0][0] > 2000


def test_a_missing_hour_of_fills_breaks_their_chain(tmp_path):
    found = run_checks(landed(tmp_path, ["missing-hours"]))
    assert {one.check_name for one in found} - EXPLAINED == {"fills_follow_one_another"}
    assert not any(one.stops for one in found)


def test_the_real_rows_are_warned_of_as_a_sample_and_stop_nothing(real, tmp_path):
    land_market(str(real), tmp_path)
    land_reservoir(str(real), tmp_path)
    land_hourly_fills(str(real), tmp_path)
    found = run_checks(tmp_path)
    assert not any(one.stops for one in found)
    # The sample says of itself that it is complete and is not: some accounts, some fills, some
    # bars.  Of four trades a side is told as one fill with what its order traded elsewhere.
    counts = Counter(one.check_name for one in found)
    assert set(counts) == {
        "candles_have_no_holes",
        "fills_follow_one_another",
        "positions_net_to_zero",
        "trades_are_told_alike",
    }
    assert counts["trades_are_told_alike"] == 4
