"""This module tells which days of a source the lake holds whole."""

from datetime import date

from warehouse.health.batches import batches_there, lines_of
from warehouse.health.cadences import DAY, by_table_and_source, midnight
from warehouse.store.lake import Lake
from warehouse.store.ledger import parts_of


def complete_days(lake: Lake, source: str) -> set[date]:
    """Return the days of which every batch of a source is there, in each of its tables.

    A source without a cadence has no complete day.
    """
    known = {key: one for key, one in by_table_and_source().items() if key[1] == source}
    there = batches_there(lines_of(parts_of(lake)), known)
    whole: list[set[date]] = []
    for key, cadence in known.items():
        held = there.get(key, set())
        days = {start.date() for start in held}
        whole.append(
            {
                day
                for day in days
                if held.issuperset(cadence.starts(midnight(day), midnight(day) + DAY))
            }
        )
    return set.intersection(*whole) if whole else set()
