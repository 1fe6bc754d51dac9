"""What sources never had: facts with a document, as reasons and as incidents."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from warehouse.contracts.tables import INCIDENTS
from warehouse.health.cadences import by_table_and_source, cadences
from warehouse.known_holes import hole_at, holes_as_incidents, known_holes

DAY = timedelta(days=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hole(table, source, day):
    return hole_at(known_holes(), table, source, at(day), at(day) + DAY)


def test_the_hole_of_the_reservoir_is_of_its_positions_and_not_of_its_fills():
    inside = [hole("positions", "reservoir", day) for day in ("2025-10-28", "2025-12-14")]
    assert all(inside)
    assert hole("snapshots", "reservoir", "2025-11-11")
    assert not hole("positions", "reservoir", "2025-10-27")
    assert not hole("positions", "reservoir", "2025-12-15")
    assert not hole("fills", "reservoir_fills", "2025-11-11")
    assert not hole("positions", "artemis_balances", "2025-11-11")


def test_what_reaches_out_of_a_hole_is_not_in_it():
    low, high = at("2026-07-08"), at("2026-07-09")
    assert hole_at(known_holes(), "asset_contexts", "asset_ctxs", low, high)
    hour = timedelta(hours=1)
    assert not hole_at(known_holes(), "asset_contexts", "asset_ctxs", low - hour, high)
    assert not hole_at(known_holes(), "asset_contexts", "asset_ctxs", low, high + hour)


def test_each_hole_is_of_a_source_with_a_cadence_and_says_where_it_is_from():
    known = by_table_and_source()
    for one in known_holes():
        assert all((table, one.source) in known for table in one.tables)
        assert one.since < one.until
        assert one.where in one.says
        assert str(one.read) in one.says


def test_facts_are_rows_of_incidents():
    rows = holes_as_incidents({one.source for one in cadences()})
    table = INCIDENTS.check(pa.Table.from_pylist(rows, INCIDENTS.schema))
    assert table.num_rows == len(rows)
    assert set(table["severity"].to_pylist()) == {"fact"}
    assert set(table["check_name"].to_pylist()) == {"known_hole"}


def test_a_window_and_the_bounds_of_a_source_are_told_for_each_table():
    rows = holes_as_incidents(["reservoir"])
    assert [
        (row["table_name"], row["start_ts"], row["end_ts"], row["rows"]) for row in rows
    ] == [
        ("positions", at("2025-08-01"), None, 1),
        ("snapshots", at("2025-08-01"), None, 1),
        ("positions", at("2025-10-28"), at("2025-12-15"), 48),
        ("snapshots", at("2025-10-28"), at("2025-12-15"), 48),
    ]
    assert {row["known_ts"] for row in rows} == {at("2026-08-22")}


def test_a_source_that_has_ended_says_so_at_the_first_instant_it_lacks():
    begins, ends = holes_as_incidents(["node_fills"])
    assert begins["start_ts"] == at("2025-05-25T14:00")
    assert ends["start_ts"] == at("2025-07-27T09:00")
    assert "has ended" in ends["what"]


def test_of_sources_that_nobody_follows_nothing_is_told():
    assert holes_as_incidents([]) == []
    assert holes_as_incidents(["own_node", "friend"]) == []


def test_a_hole_was_known_when_its_document_was_read():
    assert {one.read for one in known_holes()} == {date(2026, 8, 22)}
