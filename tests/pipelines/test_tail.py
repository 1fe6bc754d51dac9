from datetime import timedelta
from itertools import pairwise

import lz4.frame
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.steps import own_node_files
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.tail import DAY, tail
from tests.effort import tries
from tests.pipelines.data_fills import HOUR, NOON, USER, block, body_of, fill
from tests.pipelines.data_lake import frame, held
from warehouse.contracts.fills import FILLS
from warehouse.store import Lake, Origin, land, parts_of
from warehouse.store.compaction import compact

FOLDER = "node_fills_by_block/hourly"
ROWS = "select * exclude (day) from fills order by coin, time_ts, trade_id, account, is_buy"


def place(root, hour):
    file = root / FOLDER / f"{hour:%Y%m%d}" / str(hour.hour)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def add(root, hour, body):
    with place(root, hour).open("ab") as file:
        file.write(body)


def batch(root, lake, *days):
    return land_hourly_fills(str(root), lake, *days, source="own_node")


def parts(lake):
    lines = parts_of(Lake.at(lake)).to_pylist()
    return {line["part"]: line["rows"] for line in lines if line["table_name"] == "fills"}


def trades(lake):
    return frame(lake, "select trade_id from fills order by 1")["trade_id"].to_list()


class Node:
    """A node that does the next thing each time somebody waits; then time is up."""

    def __init__(self, root, *things):
        self.root, self.things, self.waited = root, list(things), []

    def clock(self):
        return NOON + timedelta(seconds=len(self.waited))

    def sleep(self, seconds):
        self.waited.append(seconds)
        for hour, body in self.things.pop(0):
            add(self.root, hour, body)

    def follow(self, lake, **options):
        end = self.clock() + timedelta(seconds=len(self.things))
        return tail(str(self.root), lake, self.clock, self.sleep, end, **options)


def line(hour=NOON, tid=1, **changes):
    return body_of([block(fill(hour, tid=tid, **changes))])


@pytest.fixture
def root(tmp_path):
    add(tmp_path / "data", NOON, b"")
    return tmp_path / "data"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def test_each_look_lands_the_lines_that_are_new(root, lake):
    first, second = line(tid=1) + line(tid=2), line(tid=3)
    node = Node(root, [(NOON, first)], [], [(NOON, second[:9])], [(NOON, second[9:])])
    told = []
    landed = node.follow(lake, told=told.append, every=5.0)
    assert parts(lake) == {
        "own_node-20251010t12-000000000000": 2,
        f"own_node-20251010t12-{len(first):012d}": 1,
    }
    assert [one.rows for one in told] == [0, 2, 0, 0, 1]
    assert (landed.rows, len(landed.files), landed.gaps) == (3, 2, [])
    assert node.waited == [5.0] * 4
    rows = frame(
        lake, "select trade_id, source, known_ts = time_ts from fills order by 1"
    ).rows()
    assert rows == [(n, "own_node", True) for n in (1, 2, 3)]


def test_a_look_without_new_lines_leaves_the_lake_alone(root, lake):
    add(root, NOON, line())
    Node(root).follow(lake)
    before = held(lake)
    Node(root, [], []).follow(lake)
    assert held(lake) == before


def test_a_look_reads_only_its_days_of_the_ledger(root, lake, monkeypatch):
    asked = []

    def noted(lake, days=None):
        asked.append(days)
        return parts_of(lake, days)

    monkeypatch.setattr(own_node_files, "parts_of", noted)
    Node(root, [(NOON, line())], []).follow(lake)
    first, *looks = asked  # the first finds where it goes on
    assert (first, len(looks)) == (None, 3)
    assert all(days == {NOON.date() + n * DAY for n in (-1, 0, 1)} for days in looks)


def test_it_goes_on_where_it_was_killed(root, lake):
    add(root, NOON, line(tid=1))
    Node(root).follow(lake)
    add(root, NOON, line(tid=2))
    Node(root, [(NOON, line(tid=3))]).follow(lake)
    size = len(line(tid=1))
    assert parts(lake) == {f"own_node-20251010t12-{n * size:012d}": 1 for n in range(3)}


def test_hours_that_passed_while_it_was_away_are_landed(root, lake):
    add(root, NOON, line(tid=1))
    Node(root).follow(lake)
    for n in range(4):
        add(root, NOON + n * HOUR, line(NOON + n * HOUR, tid=10 + n))
    Node(root).follow(lake)
    assert trades(lake) == [*(1, 10, 11, 12, 13)]


def test_in_an_empty_lake_it_begins_with_the_newest_file(root, lake):
    add(root, NOON, line(tid=1))
    add(root, NOON + HOUR, line(NOON + HOUR, tid=2))
    Node(root).follow(lake)
    assert frame(lake, "select trade_id from fills").item() == 2


def test_the_hour_changes_and_late_lines_of_the_one_before_are_landed(root, lake):
    later = NOON + HOUR
    node = Node(
        root,
        [(NOON, line(tid=1))],
        [(later, line(later, tid=2))],
        [(NOON, line(tid=3)), (later, line(NOON, tid=4))],
    )
    node.follow(lake)
    rows = frame(lake, "select trade_id, hour(time_ts) from fills order by 1").rows()
    assert rows == [(1, 12), (2, 13), (3, 12), (4, 12)]
    assert len(parts(lake)) == 4


def test_fills_beside_midnight_lie_on_their_own_day(root, lake):
    before, after = NOON + 11 * HOUR, NOON + 12 * HOUR
    add(root, before, line(before, tid=1))
    Node(root, [(after, line(before, tid=2) + line(after, tid=3))]).follow(lake)
    assert frame(lake, "select day::varchar, trade_id from fills order by 2").rows() == [
        ("2025-10-10", 1),
        ("2025-10-10", 2),
        ("2025-10-11", 3),
    ]


def test_a_file_that_is_cut_short_is_an_error(root, lake):
    add(root, NOON, line(tid=1) + line(tid=2))
    node = Node(root, [])

    def cut(seconds):
        place(root, NOON).write_bytes(line(tid=1))
        node.waited.append(seconds)

    node.sleep = cut
    with pytest.raises(SourceError, match=r"20251010/12: byte \d+ must be the start of a line"):
        node.follow(lake)
    with pytest.raises(SourceError, match="must be those that were landed, but the file was"):
        Node(root).follow(lake)
    with pytest.raises(SourceError, match="must be those that were landed, but the file was"):
        batch(root, lake)
    assert frame(lake, "from fills").height == 2


def test_a_file_that_was_replaced_is_an_error_even_if_it_is_longer(root, lake):
    add(root, NOON, line(tid=1))
    Node(root).follow(lake)
    place(root, NOON).write_bytes(line(tid=9) * 3)
    with pytest.raises(SourceError, match=f"bytes 0 to {len(line())} must be those"):
        Node(root).follow(lake)


def test_a_half_line_is_waited_for_until_two_more_hours_have_begun(root, lake):
    add(root, NOON, line()[:9])
    hours = [[(NOON + n * HOUR, line(NOON + n * HOUR, tid=n))] for n in (1, 2)]
    assert Node(root, hours[0]).follow(lake).rows == 1
    with pytest.raises(SourceError, match=r"20251010/12 line 1: must end in a line feed"):
        Node(root, hours[1]).follow(lake)


def test_a_bad_line_lands_nothing_of_its_look_and_is_named(root, lake):
    add(root, NOON, line(tid=1))
    size = len(line())
    node = Node(root, [(NOON, line(tid=2) + b'{"events":[["0x",{}]]}\n')])
    with pytest.raises(SourceError) as caught:
        node.follow(lake)
    assert f"20251010/12 from byte {size} line 2: fill field coin" in str(caught.value)
    assert frame(lake, "select trade_id from fills").item() == 1


def test_lines_without_fills_are_passed_and_the_next_ones_landed(root, lake):
    empty = body_of([block()])
    add(root, NOON, empty)
    Node(root, [(NOON, empty)], [(NOON, line())]).follow(lake)
    assert parts(lake) == {f"own_node-20251010t12-{2 * len(empty):012d}": 1}
    before = held(lake)
    Node(root, [(NOON, empty)]).follow(lake)
    assert held(lake) == before


def test_a_closed_hour_is_one_part_of_a_batch(root, lake):
    add(root, NOON, line(tid=1) + line(tid=2))
    add(root, NOON + HOUR, line(NOON + HOUR, tid=3))
    landed = batch(root, lake)
    assert parts(lake) == {
        "own_node-20251010t12-000000000000": 2,
        "own_node-20251010t13-000000000000": 1,
    }
    assert {(ask.hour, ask.outcome) for ask in landed.asked} == {(12, "landed"), (13, "landed")}
    before = held(lake)
    assert (batch(root, lake).rows, held(lake)) == (0, before)


def test_a_batch_goes_on_where_the_tail_stopped_and_the_reverse(root, lake):
    add(root, NOON, line(tid=1))
    Node(root).follow(lake)
    add(root, NOON, line(tid=2) + line(tid=3))
    batch(root, lake)
    add(root, NOON, line(tid=4))
    Node(root).follow(lake)
    assert list(parts(lake).values()) == [1, 2, 1]
    assert trades(lake) == [
        1,
        2,
        3,
        4,
    ]


def test_a_packed_file_goes_on_where_the_plain_one_stopped(root, lake):
    add(root, NOON, line(tid=1))
    Node(root).follow(lake)
    body = place(root, NOON).read_bytes() + line(tid=2)
    place(root, NOON).unlink()
    place(root, NOON).with_suffix(".lz4").write_bytes(lz4.frame.compress(body))
    batch(root, lake)
    assert list(parts(lake).values()) == [1, 1]


def test_compacted_parts_are_still_known(root, lake):
    again = line(tid=1) + line(tid=2)
    add(root, NOON, line(tid=1))
    Node(root, [(NOON, line(tid=2))]).follow(lake)
    compact(lake, NOON + 24 * HOUR, wait=lambda _: None)
    before = frame(lake, ROWS)
    add(root, NOON, again)
    assert batch(root, lake).duplicates == 2
    assert frame(lake, ROWS).equals(before)


def test_what_a_node_writes_again_is_landed_once(root, lake):
    """After a restart, in the same file or the one of the next hour; also across a kill."""
    later = NOON + HOUR
    add(root, NOON, line(tid=1) + line(tid=1))
    node = Node(root, [(NOON, line(tid=1) + line(tid=2))], [(later, line(tid=2))])
    landed = node.follow(lake)
    assert (landed.rows, landed.duplicates) == (2, 3)
    add(root, later, line(tid=1) + line(later, tid=3))
    landed = Node(root).follow(lake)
    # The line that gave no part is read again.
    assert (landed.rows, landed.duplicates) == (1, 2)
    assert trades(lake) == [
        1,
        2,
        3,
    ]


def test_rows_of_other_sources_are_not_taken_for_its_own(root, lake):
    row = dict.fromkeys(FILLS.schema.names)
    given = {"coin": "BTC", "account": USER, "source": "own_node", "time_ts": NOON} | {
        "known_ts": NOON,
        "px": 1.0,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "trade_id": 99,
        "order_id": 1,
        "is_taker": True,
    }
    rows = pa.Table.from_pylist([row | given], FILLS.schema)
    land(lake, FILLS, rows, "own_node-imported-1", [Origin("x", 7, "y")])
    add(root, NOON, line())
    Node(root).follow(lake)
    assert frame(lake, "from fills").height == 2


def test_a_root_that_is_no_folder_of_this_machine_or_holds_no_fills_is_refused(tmp_path, lake):
    with pytest.raises(FileNotFoundError, match="holds neither node_fills_by_block/hourly/"):
        Node(tmp_path).follow(lake)


@given(data=st.data())
@tries(4, 40)
def test_the_parts_of_a_tail_are_together_what_one_landing_gives(data, tmp_path_factory):
    """However the bytes come and whenever it is killed, with lines that come again."""
    folder = tmp_path_factory.mktemp("made")
    event = st.tuples(st.integers(0, 2), st.integers(1, 6))
    tids = data.draw(st.lists(event, min_size=1, max_size=14))
    bodies: dict[int, bytes] = {}
    for hour, tid in sorted(tids, key=lambda each: each[0]):
        when = NOON + (hour if tid > 2 else 0) * HOUR
        bodies[hour] = bodies.get(hour, b"") + line(when, tid=tid, mood=tid)
    add(folder / "data", NOON, b"")
    for hour, body in bodies.items():
        cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=4))
        edges = [0, *sorted(cuts), len(body)]
        things = [[(NOON + hour * HOUR, body[low:high])] for low, high in pairwise(edges)]
        while things:
            some = data.draw(st.integers(1, len(things)))
            Node(folder / "data", *things[:some]).follow(folder / "tail")
            del things[:some]
    batch(folder / "data", folder / "batch")
    mine, whole = frame(folder / "tail", ROWS), frame(folder / "batch", ROWS)
    assert mine.equals(whole)
    odd = "select time_ts, fields from unknown_fields order by all"
    assert frame(folder / "tail", odd).equals(frame(folder / "batch", odd))
    before = held(folder / "tail")
    batch(folder / "data", folder / "tail")
    assert held(folder / "tail") == before
