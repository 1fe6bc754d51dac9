"""Every macro is held against the obvious version of another pen: where, is said here."""

from pathlib import Path

import pytest

from warehouse import catalog

HERE = Path(__file__).parent
TWINS = {
    "account_profits": "test_cohorts.py::test_segments_are_those_of_the_obvious_version",
    "account_segments": "test_cohorts.py::test_segments_are_those_of_the_obvious_version",
    "all_positions_at": "test_cohorts.py::test_the_whole_book_is_every_coins_map",
    "book_asof": "test_through_time.py::test_what_was_read_last_is_that_of_the_obvious_version",
    "candle_asof": "test_through_time.py"
    "::test_what_was_read_last_is_that_of_the_obvious_version",
    "cascade_scenarios": "test_maps.py::test_scenarios_agree_with_the_obvious_version",
    "cascade_scenarios_between": "test_through_time.py"
    "::test_series_of_scenarios_agree_with_the_obvious_version",
    "cascades": "test_flow_on_real_rows.py::test_the_cascade_of_10_october_is_found",
    "context_asof": "test_through_time.py"
    "::test_what_was_read_last_is_that_of_the_obvious_version",
    "current_px": "test_through_time.py::test_what_answers_is_that_of_the_obvious_version",
    "dex_positions_at": "test_through_time.py"
    "::test_positions_of_a_dex_are_those_of_the_obvious_version",
    "fill_hours": "test_through_time.py"
    "::test_hours_that_are_held_are_those_of_the_obvious_version",
    "funding_asof": "test_through_time.py"
    "::test_what_was_read_last_is_that_of_the_obvious_version",
    "incidents_at": "test_through_time.py::test_incidents_are_those_of_the_obvious_version",
    "levels_at": "test_through_time.py"
    "::test_a_heatmap_of_real_rows_agrees_with_the_obvious_version",
    "leverage_regime": "test_through_time.py"
    "::test_series_of_scenarios_agree_with_the_obvious_version",
    "leverage_regime_between": "test_through_time.py"
    "::test_series_of_scenarios_agree_with_the_obvious_version",
    "liquidation_clusters": "test_maps.py::test_clusters_agree_with_the_obvious_version",
    "liquidation_flow": "test_flow.py::test_the_flow_agrees_with_the_obvious_version",
    "liquidation_heatmap": "test_through_time.py"
    "::test_the_heatmap_agrees_with_the_obvious_version",
    "liquidation_map": "test_maps.py::test_the_map_agrees_with_the_obvious_version",
    "liquidation_rates": "test_flow.py::test_the_flow_agrees_with_the_obvious_version",
    "liquidation_risk": "test_cohorts.py::test_risk_is_that_of_the_obvious_version",
    "liquidations_between": "test_through_time.py"
    "::test_forced_closings_are_those_of_the_obvious_version",
    "map_changes": "test_map_changes.py::test_changes_are_those_of_the_obvious_version",
    "map_coverage": "test_map_coverage.py::test_coverage_is_that_of_the_obvious_version",
    "map_dependence": "test_map_dependence.py::test_it_agrees_with_the_obvious_version",
    "map_moves": "test_map_changes.py::test_changes_are_those_of_the_obvious_version",
    "mass_decay": "test_map_changes.py::test_decay_is_that_of_the_obvious_version",
    "position_spells": "test_position_spells.py::test_spells_are_those_of_the_obvious_version",
    "positions_at": "test_map_coverage.py::test_positions_are_those_of_the_obvious_version",
    "positions_at_each": "test_through_time.py"
    "::test_positions_at_each_moment_are_those_of_the_obvious_version",
    "segment_map": "test_cohorts.py::test_the_map_by_segment_is_that_of_the_obvious_version",
    "segmented_positions": "test_cohorts.py::test_segments_are_those_of_the_obvious_version",
    "snapshot_at": "test_through_time.py::test_what_answers_is_that_of_the_obvious_version",
    "states_at": "test_through_time.py::test_what_answers_is_that_of_the_obvious_version",
}


def test_every_macro_has_a_twin():
    assert set(TWINS) == {made.name for made in catalog.definitions("table macro")}


@pytest.mark.parametrize("name", TWINS)
def test_the_twin_is_held_against_it(name):
    file, _, test = TWINS[name].partition("::")
    text = HERE.joinpath(file).read_text()
    assert f"def {test}(" in text
    # What a macro is made of is held with it.
    said = {"liquidation_rates": "liquidation_flow", "map_moves": "map_changes"}
    said |= {"account_profits": "account_segments", "segmented_positions": "account_segments"}
    assert said.get(name, name) in text
    assert "tests.reference" in text
