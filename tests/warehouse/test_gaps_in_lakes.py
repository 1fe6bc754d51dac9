"""What a lake tells of what it lacks, in Python and in SQL."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.rows import batch, land_snapshot, position, snapshot
from tests.warehouse.gap_rows import D0, NOON
from warehouse import open_lake
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.health import gaps_table
from warehouse.health.batches import lines_of
from warehouse.health.cadences import DAY, HOUR, by_table_and_source
from warehouse.health.gaps import ToFill, gaps_in, gaps_to_fill
from warehouse.sandbox import select
from warehouse.store import Lake, NoLake, Origin, land, parts_of
from warehouse.store.asks import ALL_DAY, Ask, record


def test_a_lake_tells_what_it_lacks(tmp_path):
    lake = Lake.at(tmp_path)
    for number in (0, 3):
        at = D0 + number * DAY
        row = position(source="reservoir", snapshot_ts=at)
        land_snapshot(tmp_path, [row], at, timedelta(hours=25), source="reservoir")
    record(
        lake,
        [
            Ask("positions", "reservoir", (D0 + DAY).date(), ALL_DAY, "failed", "no Parquet"),
            Ask("snapshots", "reservoir", (D0 + DAY).date(), ALL_DAY, "absent", "no file"),
        ],
        NOON,
    )
    got = gaps_in(lake, D0 + 4 * DAY)
    assert [(gap.table_name, gap.day.day, gap.reason, gap.why) for gap in got] == [
        ("positions", 6, "failed", "no Parquet"),
        ("positions", 7, "never asked", None),
        ("snapshots", 6, "missing at source", "no file"),
        ("snapshots", 7, "never asked", None),
    ]
    assert gaps_to_fill(lake, D0 + 4 * DAY) == [
        ToFill("reservoir", date(2026, 1, 6), ()),
        ToFill("reservoir", date(2026, 1, 7), ()),
    ]


def test_landing_what_was_missing_ends_the_gap(tmp_path):
    lake = Lake.at(tmp_path)
    rows = [snapshot(D0, source="reservoir"), snapshot(D0 + 2 * DAY, source="reservoir")]
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, rows), "reservoir-all-1")
    now = D0 + 3 * DAY
    assert [gap.day.day for gap in gaps_in(lake, now)] == [6]
    row = snapshot(D0 + DAY, source="reservoir")
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, [row]), "reservoir-all-2")
    assert gaps_in(lake, now) == []


def test_a_folder_that_is_no_lake_is_an_error(tmp_path):
    with pytest.raises(NoLake, match="no lake at"):
        gaps_in(Lake.at(tmp_path / "nowhere"), NOON)


def test_each_table_and_source_is_described_once():
    cadences = by_table_and_source()
    assert cadences["fills", "node_fills"].last == datetime(2025, 7, 27, 8, tzinfo=UTC)
    assert all((one.after is None) != (one.months is None) for one in cadences.values())


def info_lake(folder, hours):
    """Land a snapshot of the venue's endpoint in each hour after ``D0``."""
    for hour in hours:
        at = D0 + hour * HOUR + timedelta(minutes=7)
        rows = [snapshot(at, source="info")]
        land(folder, SNAPSHOTS, batch(SNAPSHOTS, rows), f"info-all-{at:%Y%m%d%H%M}")
    return Lake.at(folder)


def test_an_hour_in_which_nobody_asked_the_venue_is_a_line_of_its_day(tmp_path):
    lake = info_lake(tmp_path, [5, 6, 9, 25])
    (first, second) = gaps_in(lake, D0 + 26 * HOUR)
    assert (first.reason, first.missing, first.hours) == (
        "never asked",
        16,
        (7, 8, *range(10, 24)),
    )
    assert (second.day.day, second.missing, second.hours) == (6, 1, (0,))
    assert gaps_to_fill(lake, D0 + 26 * HOUR) == []  # what was then is over


def test_an_hour_that_failed_says_why_unless_another_try_landed(tmp_path):
    lake = info_lake(tmp_path, [5, 7])
    asks = [Ask("snapshots", "info", D0.date(), hour, "failed", "away") for hour in (5, 6)]
    record(lake, asks, NOON)
    (gap,) = gaps_in(lake, D0 + 8 * HOUR)
    assert (gap.hours, gap.reason, gap.why) == ((6,), "failed", "away")


def test_pieces_of_one_hour_are_one_line_unless_corrected(tmp_path):
    lake, minute = Lake.at(tmp_path), timedelta(minutes=1)

    def piece(number, at):
        rows = batch(SNAPSHOTS, [snapshot(at, source="own_node")])
        name = f"own_node-00-{number:012d}"
        land(tmp_path, SNAPSHOTS, rows, name, [Origin("https://node/file")])

    for number in range(3):
        piece(number, D0 + number * minute)
    (line,) = lines_of(parts_of(lake))
    assert (line["min_ts"], line["max_ts"]) == (D0, D0 + 2 * minute)
    piece(0, D0 + minute / 2)  # its source says otherwise now
    told = [(one["revision"], one["min_ts"], one["max_ts"]) for one in lines_of(parts_of(lake))]
    assert sorted(told) == [
        (1, D0, D0),
        (1, D0 + minute, D0 + 2 * minute),
        (2, D0 + minute / 2, D0 + minute / 2),
    ]


def as_rows(gaps):
    return [(*gap[:7], list(gap.hours), gap.why) for gap in gaps]


def test_sql_knows_the_gaps_that_python_knows(tmp_path):
    lake = info_lake(tmp_path, [5, 6, 9])
    record(lake, [Ask("snapshots", "info", D0.date(), 7, "failed", "away")], NOON)
    until = (D0 + 3 * DAY).date()
    with open_lake(tmp_path) as con:
        told = con.execute("from gaps where day < $until", {"until": until}).fetchall()
        joined = con.sql(
            "select count(distinct day) from gaps join parts using (table_name, source, day)"
        ).fetchall()
    assert told == as_rows(gaps_in(lake, datetime.now(UTC), until=until))
    assert joined == [(1,)]


def test_gaps_are_worked_out_when_they_are_asked_for_and_not_before(tmp_path, monkeypatch):
    info_lake(tmp_path, [5, 6])
    asked = []
    real = gaps_table.gaps_of

    def counted(*given):
        asked.append(1)
        return real(*given)

    monkeypatch.setattr(gaps_table, "gaps_of", counted)
    with open_lake(tmp_path) as con:
        con.sql("from snapshots").fetchall()
        assert asked == []
        assert con.sql("select count(*) > 1 from gaps").fetchall() == [(True,)]
        assert con.sql("select max(missing) from gaps").fetchall() == [(24,)]
        assert len(asked) == 2
        comments = con.sql(
            "select comment from duckdb_columns() where table_name = 'gaps'"
        ).fetchall()
        assert len(comments) == 9
        assert all(comment for (comment,) in comments)


def test_an_empty_lake_has_no_gaps_and_strangers_may_ask(tmp_path):
    assert select(tmp_path, "select reason, hours from gaps").fetchall() == []
