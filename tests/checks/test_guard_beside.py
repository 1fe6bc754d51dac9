"""What a landing is held against: what counts beside it when it counts, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.checks.test_guard import HOUR, bar, blocked, files_of, publish, rows_of, some
from tests.rows import T0
from warehouse.checks import candidate as looked
from warehouse.checks import guard, guarded
from warehouse.contracts.tables import CANDLES
from warehouse.store import Lake
from warehouse.store.asks import asks_of
from warehouse.store.compaction import compact

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def bars(part, *hours, coin="BTC", read=None, **others):
    rows = [bar(T0 + hour * HOUR, coin=coin, **others) for hour in hours]
    return some(CANDLES, rows, part, read)


def compacted(lake):
    """Two parts whose times overlap, in one file."""
    publish(lake, bars("one", 0, 3), bars("two", 1, 2))
    compact(lake, FAR, grace=timedelta(0))
    assert len(files_of(lake, "candles")) == 1


@pytest.mark.parametrize("read", ["one", "one, corrected"])
def test_rows_that_are_replaced_are_not_held_against_their_successors(tmp_path, read):
    compacted(tmp_path)
    publish(tmp_path, bars("one", 0, 3, 4, close_px=10.5, read=read))
    told = rows_of(tmp_path, "select hour(start_ts), close_px from candles order by 1")
    assert told == [(0, 10.5), (1, 11.0), (2, 11.0), (3, 10.5), (4, 10.5)]


def test_rows_beside_them_in_the_same_file_still_are(tmp_path):
    compacted(tmp_path)
    blocked(tmp_path, bars("one", 0, 2), match="candles_have_one_row_per_grain")
    told = rows_of(tmp_path, "select hour(start_ts) from candles order by 1")
    assert told == [(0,), (1,), (2,), (3,)]


def overtaken(monkeypatch, times, land):
    """Let ``land`` write after each of the first looks, before what was seen counts."""
    look, count = guard._refused, iter(range(times))

    def slow(candidate):
        found = look(candidate)
        if next(count, None) is not None:
            land()
        return found

    monkeypatch.setattr(guard, "_refused", slow)


def test_a_row_that_somebody_lands_meanwhile_is_seen(tmp_path, monkeypatch):
    done = []

    def other():
        if not done:
            done.append(True)
            publish(tmp_path, bars("other", 0))

    overtaken(monkeypatch, 1, other)
    blocked(tmp_path, bars("ours", 0), match="candles_have_one_row_per_grain")
    assert files_of(tmp_path, "candles") == ["other.parquet"]
    assert [row["outcome"] for row in asks_of(Lake.at(tmp_path)).to_pylist()] == ["blocked"]


def test_what_contradicts_nothing_is_landed_at_the_second_look(lake, monkeypatch):
    looks = []
    seen = looked.Candidate.__init__

    def counted(self, batches):
        looks.append(True)
        seen(self, batches)

    monkeypatch.setattr(looked.Candidate, "__init__", counted)
    later = iter(range(1, 9))

    def other():
        hour = next(later)
        if hour == 1:
            publish(lake, bars(f"other-{hour}", hour))

    overtaken(monkeypatch, 1, other)
    publish(lake, bars("ours", 0))
    assert rows_of(lake, "select count(*) from candles") == [(2,)]
    assert len(looks) == 3  # the other's, and ours twice


def test_who_is_far_away_is_not_waited_for(tmp_path, monkeypatch):
    looks = []

    def other():
        looks.append(True)
        if len(looks) == 1:
            publish(tmp_path, bars("other", 24 * 30))

    overtaken(monkeypatch, 9, other)
    publish(tmp_path, bars("ours", 0))
    assert len(looks) == 2  # the other's one, and ours


def test_who_is_always_overtaken_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "TRIES", 3)
    hours = iter(range(1, 20))
    ours = guard._refused

    def other():
        with monkeypatch.context() as patch:
            patch.setattr(guard, "_refused", ours)
            hour = next(hours)
            publish(tmp_path, bars(f"other-{hour}", hour))

    overtaken(monkeypatch, 9, other)
    with pytest.raises(OSError, match="others landed beside this 3 times in a row"):
        publish(tmp_path, bars("ours", 0))
    assert "ours.parquet" not in files_of(tmp_path, "candles")


def test_a_lost_file_beside_it_blocks_nobody(lake):
    publish(lake, bars("one", 0, 3))
    Lake.at(lake).remove(["candles/day=2026-01-02/one.parquet"])
    publish(lake, bars("two", 1, 2))
    publish(lake, bars("one", 0, 3))
    assert rows_of(lake, "select count(*) from candles") == [(4,)]


def test_a_check_that_fails_leaves_no_connection_behind(tmp_path, monkeypatch):
    """The next landing must not meet the views of the last."""
    publish(tmp_path, bars("one", 0, 3))
    (tmp_path / "candles/day=2026-01-02/one.parquet").write_bytes(b"x" * 500)
    with pytest.raises(Exception, match=r"one\.parquet"):
        publish(tmp_path, bars("two", 1))
    other = tmp_path / "other"
    with guarded(other) as batches:
        batches.land(*bars("one", 0)[:3], [])
    assert rows_of(other, "select count(*) from candles") == [(1,)]
