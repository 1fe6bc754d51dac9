"""What a source corrects stays knowable as it was; what it gives again is nothing new."""

from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rows import T0, batch, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import FILLS, POSITIONS, SNAPSHOTS
from warehouse.store import Lake, Origin, landing, parts_of
from warehouse.store.compaction import compact
from warehouse.store.ledger import as_parts, change

A, A2, B = (Origin(url, 1, hash_) for url, hash_ in (("a", "1"), ("a", "2"), ("b", "1")))
ANSWER = Origin("answer")
DAY = timedelta(days=1)


def land_at(lake, received, origins, sizes, at=T0):
    """Land one snapshot as it was received at a moment: a long of each size."""
    rows = [
        position(holder=n, size=size, liquidation_px=50.0, snapshot_ts=at, known_ts=at)
        for n, size in enumerate(sizes, 1)
    ]
    with landing(lake, lambda: received) as batches:
        batches.land(POSITIONS, batch(POSITIONS, rows), "b", origins)
        batches.land(SNAPSHOTS, batch(SNAPSHOTS, [snapshot(at, rows)]), "b", origins)


def known(lake, at, knowable=True):
    """Return the sizes that a map of a moment would be made of."""
    query = "select size from positions_at('BTC', $at, knowable := $knowable) order by account"
    with open_lake(lake) as con:
        rows = con.sql(query, params={"at": at, "knowable": knowable}).fetchall()
    return [size for (size,) in rows]


def lines(lake, table="positions"):
    held = as_parts(parts_of(Lake.at(lake)))
    return {line.revision: line for line in held if line.table_name == table}


@pytest.mark.parametrize("origins", [[A], [ANSWER], []])
def test_the_same_rows_again_are_nothing(lake, origins):
    land_at(lake, T0, origins, [1.0])
    before = Lake.at(lake).read("_ledger/parts.parquet")
    land_at(lake, T0 + DAY, origins, [1.0])
    assert Lake.at(lake).read("_ledger/parts.parquet") == before


def test_more_files_read_are_no_correction(lake):
    land_at(lake, T0, [A], [1.0])
    land_at(lake, T0 + DAY, [A, B], [1.0, 2.0])
    assert list(lines(lake)) == [1]
    assert (lines(lake)[1].since_ts, lines(lake)[1].origins) == (None, (A, B))
    assert known(lake, T0 + DAY / 2) == [1.0, 2.0]


@pytest.mark.parametrize(("before", "after"), [(A, A2), (ANSWER, ANSWER), (A, B)])
def test_a_correction_counts_from_when_it_was_received(lake, before, after):
    land_at(lake, T0 + DAY, [before], [1.0])
    land_at(lake, T0 + 3 * DAY, [after], [5.0])
    held = lines(lake)
    assert held[1].superseded_ts == held[2].since_ts == T0 + 3 * DAY
    assert held[2].path == "positions/day=2026-01-02/b~2.parquet"
    assert known(lake, T0 + 2 * DAY) == [1.0]
    assert known(lake, T0 + 3 * DAY) == [5.0]
    assert known(lake, T0 + 2 * DAY, knowable=False) == [5.0]


def test_what_was_lost_and_then_corrected_counts_from_the_correction(tmp_path):
    land_at(tmp_path, T0, [A], [1.0])
    (tmp_path / "positions/day=2026-01-02/b.parquet").unlink()
    land_at(tmp_path, T0 + DAY, [A2], [5.0])
    assert list(lines(tmp_path)) == [2]
    assert known(tmp_path, T0 + DAY / 2) == []
    assert known(tmp_path, T0 + 2 * DAY) == [5.0]


STEPS = st.lists(
    st.sampled_from(["correct", "correct other", "again", "compact"]), min_size=1, max_size=6
)


@settings(max_examples=15)
@given(steps=STEPS)
def test_what_was_knowable_before_a_correction_never_changes(tmp_path_factory, steps):
    """Correct, land again and compact in any order: answers as of earlier moments stay."""
    lake = str(tmp_path_factory.mktemp("lake"))
    versions = {"one": 1, "other": 1}

    def land_one(name, received):
        at = T0 + (DAY / 2 if name == "other" else 0 * DAY)
        rows = [position(size=float(versions[name]), snapshot_ts=at, known_ts=at)]
        origins = [Origin(name, 1, str(versions[name]))]
        with landing(lake, lambda: received) as batches:
            batches.land(POSITIONS, batch(POSITIONS, rows), name, origins)

    def knowable(moments):
        with open_lake(lake) as con:
            return [
                con.sql(
                    "select snapshot_ts, size from positions_versions where "
                    "stands(known_ts, since_ts, superseded_ts, $at, true) order by all",
                    params={"at": at},
                ).fetchall()
                for at in moments
            ]

    for name in versions:
        land_one(name, T0 + DAY)
    moments = [T0 + DAY]
    before = knowable(moments)
    assert [len(rows) for rows in before] == [2]
    for number, step in enumerate(steps, 2):
        now = T0 + number * DAY
        name = "other" if step == "correct other" else "one"
        if step == "compact":
            compact(lake, datetime(2100, 1, 1, tzinfo=UTC), grace=timedelta(0))
        else:
            versions[name] += step != "again"
            land_one(name, now)
        assert knowable(moments) == before
        moments.append(now)
        before = knowable(moments)
        assert before[-1] == [
            (T0, float(versions["one"])),
            (T0 + DAY / 2, float(versions["other"])),
        ]


def test_a_part_of_an_older_contract_reads_null(lake):
    column = "leverage"
    land_at(lake, T0, [A], [1.0])
    land_at(lake, T0, [A], [1.0], T0 + DAY)
    place = Lake.at(lake)
    old = next(
        line
        for line in as_parts(parts_of(place))
        if (line.table_name, line.day) == ("positions", date(2026, 1, 2))
    )
    assert place.read(old.path)
    with place.stage() as stage:
        rows = POSITIONS.check(batch(POSITIONS, [position(leverage=3.0)])).drop_columns(column)
        pq.write_table(rows, stage / "old")
        place.publish([(stage / "old", old.path)])
    from dataclasses import replace

    change(place, [old.key], lambda _: [replace(old, contract=1)])
    later = [replace(one, since=2) if one.name == column else one for one in POSITIONS.columns]
    from warehouse import attach

    newer = replace(POSITIONS, columns=tuple(later))
    assert newer.version == 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attach, "TABLES", [newer if t is POSITIONS else t for t in attach.TABLES])
        new = [line for line in as_parts(parts_of(place)) if line.day == date(2026, 1, 3)]
        for line in new:
            if line.table_name == "positions":
                change(place, [line.key], lambda _, line=line: [replace(line, contract=2)])
        with open_lake(lake) as con:
            seen = con.sql("select day, size, leverage from positions order by day").fetchall()
            typed = con.sql("select typeof(leverage) from positions").fetchall()
    assert seen == [(date(2026, 1, 2), 1.0, None), (date(2026, 1, 3), 1.0, None)]
    assert set(typed) == {("DOUBLE",)}


FILL = {column.name: None for column in FILLS.columns} | {
    "coin": "BTC",
    "account": "0x" + "1" * 40,
    "start_position": 0.0,
    "is_taker": True,
}
TOLD = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),  # source
        st.integers(0, 2),  # order
        st.sampled_from([100.0, 101.0]),
        st.booleans(),
        st.sampled_from([0, 400]),  # microseconds within the millisecond
    ),
    max_size=12,
)


@settings(max_examples=20)
@given(told=TOLD)
def test_what_several_sources_tell_is_seen_once(tmp_path_factory, told):
    lake = str(tmp_path_factory.mktemp("lake"))
    lag = {"a": 2, "b": 1, "c": 1}
    rows = [
        FILL
        | {
            "source": source,
            "order_id": order,
            "px": px,
            "size": 1.0,
            "is_buy": is_buy,
            "time_ts": T0 + timedelta(microseconds=micros),
            "trade_id": number,
            "known_ts": T0 + timedelta(hours=lag[source]),
        }
        for number, (source, order, px, is_buy, micros) in enumerate(told)
    ]
    with landing(lake, lambda: T0) as batches:
        for source in "abc":
            if some := [row for row in rows if row["source"] == source]:
                batches.land(FILLS, batch(FILLS, some), source, [A])
    with open_lake(lake) as con:
        seen = con.sql("select source, trade_id from fills").fetchall()
    assert sorted(seen) == sorted(once(rows))


def once(rows):
    """Return what a reader should see: of each thing the most that one source tells."""
    kept = []
    things = {(row["order_id"], row["px"], row["is_buy"]) for row in rows}
    for thing in things:
        by_source = {}
        for row in sorted(rows, key=lambda row: (row["time_ts"], row["trade_id"])):
            if (row["order_id"], row["px"], row["is_buy"]) == thing:
                by_source.setdefault((row["known_ts"], row["source"]), []).append(row)
        for nth in range(max(map(len, by_source.values()))):
            first = min(source for source, some in by_source.items() if len(some) > nth)
            row = by_source[first][nth]
            kept.append((row["source"], row["trade_id"]))
    return kept
