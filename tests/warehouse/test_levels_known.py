"""Maps binned ahead are not asked what could not be known by then."""

from datetime import timedelta

from tests.rows import T0, account, batch, land_snapshot
from tests.warehouse.data_levels import HOUR, answers, book
from tests.warehouse.data_sweeps import LATE, SAID, TABLES, lake_of
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS
from warehouse.marts.refresh import refresh
from warehouse.store import Origin, land


def test_a_sweep_whose_summary_came_late_was_not_knowable_on_the_map(tmp_path):
    lake = tmp_path / "lake"
    made = lake_of(
        [
            {
                "minute": 60 * hour,
                "said": [said, None, None],
                "kind": "sweep",
                "trusted": True,
                "late": False,
                "scope": "hyperliquid",
                "minutes": 0,
            }
            for hour, said in ((1, SAID[4]), (2, SAID[6]))
        ]
    )
    made["accounts"][1]["account"] = made["positions"][1]["account"] = account(2)
    made["snapshots"][0]["known_ts"] = T0 + 9 * HOUR
    for name, rows in made.items():
        if rows:
            land(lake, TABLES[name], batch(TABLES[name], rows), "all-of-it")
    refresh(lake)
    with open_lake(lake) as con:
        query = "select count(*) as n from liquidation_map('BTC', $at, knowable := $knowable)"
        seen = [
            answers(con, query, at=T0 + hour * HOUR, knowable=knowable)["n"][0]
            for hour, knowable in ((3, False), (3, True), (9, True))
        ]
    assert seen == [2, 1, 2]


def test_late_snapshots_are_binned_and_not_knowable_before_their_time(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR, known_after=LATE)
    refresh(lake)
    with open_lake(lake) as con:
        read = "from levels_at('BTC', $at, 0.5, null, knowable := true)"
        assert answers(con, read, at=T0 + HOUR + LATE).height == 2
        assert answers(con, read, at=T0 + HOUR + LATE - timedelta(microseconds=1)).height == 0


def test_what_was_known_of_complete_snapshots_is_binned_beside_other_corrections(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR, known_after=LATE)
    for px, hash_ in ((9.0, "first"), (8.0, "corrected")):
        rows = lake_of([], [(10, px, False)])["asset_contexts"]
        table = TABLES["asset_contexts"]
        land(lake, table, batch(table, rows), "contexts", [Origin("somewhere", 1, hash_)])
    refresh(lake)
    with open_lake(lake) as con:
        read = "from levels_at('BTC', $at, 0.5, null, knowable := true)"
        assert answers(con, read, at=T0 + HOUR + LATE).height == 2
        assert con.sql("select revised from promised.levels_days").fetchall() == [(False,)]


def test_after_a_correction_what_was_knowable_is_read_from_the_rows(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    part = f"test-{T0 + HOUR:%Y%m%dt%H%M%S%f}"
    for size, hash_ in ((1.0, "first"), (7.0, "corrected")):
        same = {"snapshot_ts": T0 + HOUR, "known_ts": T0 + HOUR, "size": size}
        rows = batch(POSITIONS, [row | same for row in book()])
        land(lake, POSITIONS, rows, part, [Origin("somewhere", 1, hash_)])
    refresh(lake)
    with open_lake(lake) as con:
        asked = {"at": T0 + 2 * HOUR}
        read = "from levels_at('BTC', $at, 0.5, null, knowable := {})"
        assert answers(con, read.format("false"), **asked)["size"].sum() == 21.0
        assert answers(con, read.format("true"), **asked).height == 0
        known = answers(con, "from liquidation_map('BTC', $at, knowable := true)", **asked)
        assert known["size"].sum() == 3.0
