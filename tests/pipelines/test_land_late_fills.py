"""What arrives late, and what its source corrects: what counts, and what was knowable."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.steps import fills as step
from pipelines.steps.fills import land_hourly_fills
from tests.pipelines.data_fills import HOUR, NOON, block, fill, put
from tests.pipelines.data_lake import frame, parts
from warehouse import open_lake
from warehouse.checks import guarded
from warehouse.store.lake import Lake
from warehouse.store.ledger import as_parts, parts_of

DAY, NEXT, AFTER = date(2025, 10, 10), date(2025, 10, 11), date(2025, 10, 12)
MIDNIGHT = datetime(2025, 10, 10, tzinfo=UTC)
RECEIVED = [datetime(2025, 12, day, tzinfo=UTC) for day in (1, 10, 20)]
SHOWN = "select trade_id, px from fills order by 1"
KNOWABLE = (
    "select trade_id, px from fills_versions "
    "where stands(known_ts, since_ts, superseded_ts, timestamptz '{}', true) order by 1"
)


class Land:
    """Land an archive's hours, each time a little later."""

    def __init__(self, folder, monkeypatch):
        self.root, self.lake = folder / "archive", folder / "lake"
        self.moments = iter(RECEIVED)
        self.now = None
        monkeypatch.setattr(step, "guarded", lambda lake: guarded(lake, lambda: self.now))

    def __call__(self, files, *days):
        put(self.root, files)
        self.now = next(self.moments)
        return land_hourly_fills(str(self.root), self.lake, *days)

    def shown(self):
        return frame(self.lake, SHOWN).rows()

    def knowable(self, at):
        return frame(self.lake, KNOWABLE.format(at.isoformat())).rows()

    def lines(self):
        return as_parts(parts_of(Lake.at(self.lake)))


@pytest.fixture
def land(tmp_path, monkeypatch):
    return Land(tmp_path, monkeypatch)


def hour(n, *fills):
    return {NOON + n * HOUR: [block(*fills)]}


def around(n):
    """Files beside an hour, so that it is whole."""
    return {
        NOON + k * HOUR: [block(fill(NOON + k * HOUR, tid=950 + k))] for k in (n - 1, n + 1)
    }


def test_a_file_that_comes_later_adds_its_fills_in_place(land):
    land(hour(0, fill(tid=1)))
    land(hour(1, fill(tid=2)))
    assert land.shown() == [(1, 110000.0), (2, 110000.0)]
    assert [(line.revision, line.since_ts, line.rows) for line in land.lines()] == [
        (1, None, 2)
    ]
    # What was late was known when its own file was published.
    published = NOON + 2 * HOUR + timedelta(minutes=2)
    assert land.knowable(published) == [(1, 110000.0)]
    assert land.knowable(published + HOUR) == land.shown()


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_is_published_again_is_a_revision_and_the_past_stays(land, whole):
    beside = around(0) if whole else {}
    land(beside | hour(0, fill(tid=1, px="1"), fill(tid=2, px="2")), DAY, NEXT)
    before = [row for row in land.shown() if row[0] < 900]
    land(hour(0, fill(tid=2, px="3"), fill(tid=3, px="4")), DAY, NEXT)
    after = [row for row in land.shown() if row[0] < 900]
    assert (before, after) == ([(1, 1.0), (2, 2.0)], [(2, 3.0), (3, 4.0)])
    assert "day=2025-10-10/node_fills_by_block-12~2.parquet" in parts(land.lake, "fills")
    spans = [(line.revision, line.since_ts, line.superseded_ts) for line in land.lines()]
    assert (1, None, RECEIVED[1]) in spans
    assert (2, RECEIVED[1], None) in spans
    moments = (NOON, RECEIVED[0], RECEIVED[1] - timedelta(seconds=1), RECEIVED[1])
    told = [[row for row in land.knowable(at) if row[0] < 900] for at in moments]
    assert told == [[], before, before, after]


def test_a_revision_keeps_the_files_of_its_past_and_the_same_again_changes_nothing(land):
    land(hour(0, fill(tid=1, px="1")))
    for _ in range(2):
        land(hour(0, fill(tid=1, px="2")))
    assert [(line.revision, line.superseded_ts) for line in land.lines()] == [
        (1, RECEIVED[1]),
        (2, None),
    ]
    assert all((land.lake / line.path).exists() for line in land.lines())


def test_a_correction_of_a_neighbour_corrects_the_hours_it_tells_of(land):
    land(hour(0, fill(tid=1)) | hour(1, fill(tid=2), fill(NOON + HOUR, tid=3)))
    land(hour(1, fill(NOON + HOUR, tid=3)))
    assert [row[0] for row in land.shown()] == [1, 3]
    named = {(line.part[-2:], line.revision) for line in land.lines()}
    # The thirteenth hour has the rows it had.
    assert named == {("12", 1), ("12", 2), ("13", 1)}


def test_a_stray_that_a_narrower_range_does_not_read_is_not_lost(land):
    files = {NOON + n * HOUR: [block(fill(NOON + n * HOUR, tid=n))] for n in range(-1, 24)}
    files[NOON + 20 * HOUR].append(block(fill(NOON, tid=77)))
    land(files)
    wide = land.shown()
    land({}, DAY, NEXT)
    assert 77 in [row[0] for row in wide]
    assert land.shown() == wide
    assert all(line.superseded_ts is None for line in land.lines())


def test_what_arrives_the_day_after_joins_its_hour(tmp_path):
    """Yesterday's fill in a file of tomorrow morning: a night lands it, and says so."""
    late = fill(NOON, px="7", tid=900)
    files = {
        NOON: [block(fill(NOON))],
        MIDNIGHT + 27 * HOUR: [block(late), block(fill(MIDNIGHT + 27 * HOUR, tid=901))],
    }
    root, lake = put(tmp_path / "archive", files), tmp_path / "lake"
    unheld = land_hourly_fills(root, tmp_path / "other", NEXT, AFTER)
    assert any("does not hold their hours" in note for note in unheld.notes)
    land_hourly_fills(root, lake, DAY, NEXT)
    landed = land_hourly_fills(root, lake, NEXT, AFTER)
    assert any("1 fills came late" in note for note in landed.notes)
    assert landed.rows == 1

    def fills():
        with open_lake(lake) as con:
            return con.sql(
                "select trade_id, px, known_ts - time_ts > interval 10 hours from fills "
                "where day = '2025-10-10' order by trade_id"
            ).fetchall()

    both = fills()
    assert [row[0] for row in both][-1] == 900
    assert both[-1][1:] == (7.0, True)
    assert len(both) == 2
    land_hourly_fills(root, lake, DAY, NEXT)  # reads neither that file nor forgets it
    assert fills() == both
