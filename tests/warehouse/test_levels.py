"""Maps binned ahead say what the rows say, and are not asked what they cannot know."""

import random
import shutil
import sys
from datetime import timedelta

import pytest
from polars.testing import assert_frame_equal

from tests.cli.inside import run
from tests.rows import T0, account, batch, land_snapshot, position
from tests.warehouse.data_sweeps import LATE, SAID, TABLES, lake_of
from warehouse import open_lake
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.marts import levels as making
from warehouse.marts.refresh import refresh
from warehouse.store import Lake, Origin, land, parts_of
from warehouse.store.compaction import compact

HOUR = timedelta(hours=1)
REFRESHING = sys.modules["warehouse.marts.refresh"]
COINS = ("BTC", "xyz:TSLA", "NONE")


def some_rows(seed):
    """Return two days of sweeps and snapshots, some late, untrusted or of another dex."""
    draw = random.Random(seed)
    hours = sorted(draw.sample(range(60), 18))
    return lake_of(
        [
            {
                "minute": 60 * hour,
                "said": [draw.choice(SAID) for _ in range(3)],
                "kind": draw.choice(["sweep", "sweep", "sweep", "complete", "part"]),
                "trusted": draw.random() < 0.8,
                "late": draw.random() < 0.3,
                "scope": draw.choice(["hyperliquid", "hyperliquid", "xyz", "all"]),
                "minutes": draw.choice([0, 10, 90]),
            }
            for hour in hours
        ],
        [(60 * draw.randrange(60), 9.0, draw.random() < 0.5) for _ in range(4)],
    )


def a_lake(folder, seed):
    land_all(folder, some_rows(seed))
    return folder


def answers(con, query, **asked):
    return con.sql(query, params=asked).pl()


def alike(lake, query, moments):
    """Hold what is binned ahead against the rows; return how often it was what answered."""
    binned = 0
    with open_lake(lake) as ahead, open_lake(lake) as bare:
        bare.execute("delete from promised.levels_days")
        for coin in COINS:
            for at in moments:
                for knowable in (False, True):
                    asked = {"coin": coin, "at": at, "knowable": knowable}
                    found, wanted = (answers(con, query, **asked) for con in (ahead, bare))
                    assert_frame_equal(found, wanted, rel_tol=1e-9, abs_tol=0)
                    binned += answers(
                        ahead,
                        "from levels_at($coin, $at, 0.5, null, knowable := $knowable)",
                        **asked,
                    ).height
    return binned


@pytest.mark.parametrize("seed", [1, 2])
def test_binned_maps_say_what_the_rows_say(tmp_path, seed):
    lake = a_lake(tmp_path / "lake", seed)
    assert refresh(lake).rows > 0
    moments = [T0 + hour * HOUR for hour in range(0, 66, 7)]
    query = "from liquidation_map($coin, $at, knowable := $knowable)"
    assert alike(lake, query, moments) > 5


def hour_by_hour(rows, folder):
    """Land rows as the hours bring them, and bin after each; return how many were binned."""
    hours = {
        (row[TABLES[name].time] - T0) // HOUR for name, some in rows.items() for row in some
    }
    made = 0
    for hour in sorted(hours):
        for name, some in rows.items():
            table = TABLES[name]
            of = [row for row in some if (row[table.time] - T0) // HOUR == hour]
            if of:
                land(folder, table, batch(table, of), f"hour-{hour}")
        made += refresh(folder).rows
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_binned_hour_by_hour_says_what_the_rows_say(tmp_path, seed):
    lake, once = tmp_path / "lake", tmp_path / "once"
    rows = some_rows(seed)
    made = hour_by_hour(rows, lake)
    land_all(once, rows)
    # Each snapshot is binned once, and its piece stands to the end.
    assert made == refresh(once).rows == len(held(lake))
    assert sorted(held(lake)) == sorted(held(once))
    assert (refresh(lake).days, len(pieces(lake)) > 8) == ([], True)
    moments = [T0 + hour * HOUR for hour in range(0, 66, 9)]
    query = "from liquidation_map($coin, $at, knowable := $knowable)"
    assert alike(lake, query, moments) > 5


def test_a_compacted_day_becomes_one_piece(tmp_path):
    """Pieces do not share a file: of those in it, one may stand and one not."""
    lake = tmp_path / "lake"
    for hour in (1, 2):
        land_snapshot(lake, book(), T0 + hour * HOUR)
        refresh(lake)
    before = held(lake)
    compact(lake, T0 + timedelta(days=3), tables=["liquidation_levels"], grace=timedelta(0))
    assert held(lake) == before
    compact(lake, T0 + timedelta(days=3), grace=timedelta(0))
    assert (held(lake), len(pieces(lake))) == ([], 2)
    refresh(lake)
    assert (held(lake), len(pieces(lake))) == (before, 1)


def test_of_an_open_day_only_files_of_new_snapshots_are_read(tmp_path, monkeypatch):
    lake, read = tmp_path / "lake", []
    opened = making.PositionFile

    def noted(lake, path, known):
        read.append(path)
        return opened(lake, path, known)

    monkeypatch.setattr(making, "PositionFile", noted)
    for hour in range(3):
        positions, _ = land_snapshot(lake, book(), T0 + hour * HOUR)
        assert refresh(lake).rows == 2
        assert [positions.match(path) for path in read] == [True]
        read.clear()
    assert (refresh(lake).days, read) == ([], [])


def test_of_pieces_that_were_made_beside_each_other_each_snapshot_is_shown_once(tmp_path):
    lake, beside = tmp_path / "lake", tmp_path / "beside"
    land_snapshot(lake, book(), T0 + HOUR)
    shutil.copytree(lake, beside)
    refresh(lake)
    for one in (lake, beside):
        land_snapshot(one, book(), T0 + 2 * HOUR)
    refresh(beside)
    (part,) = [
        line["part"]
        for line in parts_of(Lake.at(beside)).to_pylist()
        if line["table_name"] == LIQUIDATION_LEVELS.name
    ]
    with open_lake(beside) as con:
        rows = con.sql("select * exclude (day, px_low, px_high) from liquidation_levels")
        land(lake, LIQUIDATION_LEVELS, rows.to_arrow_table(), part)
    assert pieces(lake) == [T0 + HOUR, T0 + HOUR]
    assert sorted(held(lake)) == sorted(held(beside))
    assert (refresh(lake).rows, pieces(lake)) == (0, [T0 + HOUR])


def book(first=0, count=3):
    return [
        position("BTC", number, (-1.0) ** number, 100.0, 100.0 + 30.0 * (-1) ** (number + 1))
        for number in range(1 + first, 1 + first + count)
    ]


def held(lake):
    with open_lake(lake) as con:
        return con.sql("from liquidation_levels").fetchall()


def test_what_is_up_to_date_is_not_made_again_and_a_repeat_leaves_the_same_bytes(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    assert (refresh(lake).days, refresh(lake).current) == ([T0.date()], 1)
    before = {path: path.read_bytes() for path in lake.rglob("*.parquet")}
    refresh(lake)
    assert {path: path.read_bytes() for path in lake.rglob("*.parquet")} == before


def test_levels_of_rows_that_have_changed_are_not_shown_until_they_are_made_anew(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    refresh(lake)
    assert len({row[1] for row in held(lake)}) == 1
    land_snapshot(lake, book(count=5), T0 + HOUR)
    assert held(lake) == []
    assert refresh(lake).days == [T0.date()]
    assert len({row[1] for row in held(lake)}) == 2
    assert pieces(lake) == [T0 + HOUR]


def pieces(lake):
    """Return the first snapshot of each part of levels."""
    lines = parts_of(Lake.at(lake)).to_pylist()
    return sorted(
        line["min_ts"] for line in lines if line["table_name"] == "liquidation_levels"
    )


@pytest.mark.parametrize(("hours", "shown"), [(0, 0), (1, 0), (2, 1)])
def test_what_lands_while_levels_are_made_is_not_taken_for_theirs(
    tmp_path, monkeypatch, hours, shown
):
    """What comes after the snapshots that are binned leaves them as they are."""
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    opened = REFRESHING.open_lake

    def landed_meanwhile(where):
        at = T0 + hours * HOUR
        rows = batch(POSITIONS, [row | {"snapshot_ts": at, "known_ts": at} for row in book(9)])
        land(lake, POSITIONS, rows, "meanwhile")
        return opened(where)

    monkeypatch.setattr(REFRESHING, "open_lake", landed_meanwhile)
    refresh(lake)
    monkeypatch.undo()
    assert len({row[1] for row in held(lake)}) == shown
    assert len(refresh(lake).days) == 1 - shown
    assert len({row[1] for row in held(lake)}) == 1


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


def sweep_at(hour, said):
    one = {"minute": 60 * hour, "said": said, "kind": "sweep", "trusted": True, "late": False}
    return one | {"scope": "hyperliquid", "minutes": 0}


def land_all(lake, made, part="all-of-it"):
    for name, rows in made.items():
        if rows:
            land(lake, TABLES[name], batch(TABLES[name], rows), part)


def test_levels_of_sweeps_are_of_the_two_days_before_too_and_of_no_others(tmp_path):
    lake = tmp_path / "lake"
    land_all(lake, lake_of([sweep_at(1 + 24 * days, (SAID[4], None, None)) for days in (2, 3)]))
    refresh(lake)
    land_snapshot(lake, book(), T0 + HOUR)
    assert refresh(lake).days == [T0.date(), (T0 + timedelta(days=2)).date()]


def test_levels_of_complete_snapshots_do_not_age_by_what_they_do_not_read(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + 24 * HOUR)
    refresh(lake)
    before = held(lake)
    land_snapshot(lake, book(), T0)
    context = lake_of([], [(26 * 60, 9.0, False)])
    land_all(lake, {"asset_contexts": context["asset_contexts"]})
    assert len(before) == len(held(lake)) == 2
    assert refresh(lake).days == [T0.date()]
    land_all(lake, lake_of([sweep_at(27, (SAID[4], None, None))]), "sweep")
    assert len(held(lake)) == 4
    assert refresh(lake).days == [(T0 + 24 * HOUR).date()]
    assert pieces(lake) == [T0, T0 + 24 * HOUR, T0 + 27 * HOUR]
    land_all(lake, {"asset_contexts": context["asset_contexts"]}, "other")
    assert len(held(lake)) == 4  # but of the sweep that may take a mark from it
    assert refresh(lake).days == [(T0 + 24 * HOUR).date()]


def test_a_sweep_of_all_dexes_is_binned_for_each(tmp_path):
    lake = tmp_path / "lake"
    land_all(lake, lake_of([sweep_at(1, (SAID[8], SAID[6], None)) | {"scope": "all"}]))
    assert refresh(lake).rows == 3
    query = "from liquidation_map($coin, $at, knowable := $knowable)"
    assert alike(lake, query, [T0 + HOUR]) == 6
    with open_lake(lake) as con:
        coins = con.sql("select coin, scope from liquidation_levels order by all").fetchall()
    assert coins == [("BTC", "all"), ("BTC", "all"), ("xyz:TSLA", "all")]


def test_a_day_without_a_price_is_made_once(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, None)], T0 + HOUR)
    done = refresh(lake)
    assert (done.days, done.rows) == ([T0.date()], 0)
    assert (refresh(lake).days, refresh(lake).current) == ([], 1)
    assert held(lake) == []
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    assert refresh(lake).rows == 2


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


def test_late_snapshots_are_binned_and_not_knowable_before_their_time(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR, known_after=LATE)
    refresh(lake)
    with open_lake(lake) as con:
        read = "from levels_at('BTC', $at, 0.5, null, knowable := true)"
        assert answers(con, read, at=T0 + HOUR + LATE).height == 2
        assert answers(con, read, at=T0 + HOUR + LATE - timedelta(microseconds=1)).height == 0


def test_other_widths_and_ages_and_untrusted_maps_are_read_from_the_rows(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, book(), T0 + HOUR)
    refresh(lake)
    with open_lake(lake) as con:

        def count(width="0.5", ticks="null", others=""):
            query = f"from levels_at('BTC', $at, {width}, {ticks}{others})"
            return answers(con, query, at=T0 + HOUR).height

        assert count() == 2
        assert count(width="1") == count(ticks="10") == 0
        assert count(others=", max_age := interval 5 hours") == 0
        assert count(others=", untrusted := true") == 0


def test_compacted_days_and_files_of_several_sources_are_binned_alike(tmp_path):
    lake = tmp_path / "lake"
    for hour in (1, 2):
        land_snapshot(lake, book(count=hour), T0 + hour * HOUR)
        rows = [row | {"source": "other", "size": row["size"] * 10} for row in book(count=2)]
        at = T0 + hour * HOUR + timedelta(minutes=1)
        rows = [row | {"snapshot_ts": at, "known_ts": at} for row in rows]
        land(lake, POSITIONS, batch(POSITIONS, rows), f"other-{hour}")
        summary = {"source": "other", "scope": "hyperliquid"}
        with open_lake(lake) as con:
            newest = con.sql("from snapshots order by snapshot_ts desc limit 1").pl()
        one = newest.drop("day").row(0, named=True) | summary
        one |= {"snapshot_ts": at, "known_ts": at}
        land(lake, SNAPSHOTS, batch(SNAPSHOTS, [one]), f"other-{hour}")
    refresh(lake)
    before = held(lake)
    compact(lake, T0 + timedelta(days=3), grace=timedelta(0))
    assert held(lake) == []
    refresh(lake)
    assert len(before) > 6
    assert held(lake) == before


def test_a_price_outside_every_bucket_leaves_its_coin_to_the_rows_and_no_other(tmp_path):
    lake = tmp_path / "lake"
    odd = position("BTC", 9, 1.0, 100.0, 1e-20)
    land_snapshot(lake, [*book(), odd, position("ETH", 1, 1.0, 100.0, 80.0)], T0 + HOUR)
    done = refresh(lake)
    assert (done.rows, done.left) == (
        1,
        [
            f"{T0.date()}: 1 liquidation prices of BTC are not from 1e-15 to 1e15 USD; maps of "
            "it are made from the rows"
        ],
    )
    assert refresh(lake).current == 1
    with open_lake(lake) as con:
        assert [row[4] for row in con.sql("from liquidation_levels").fetchall()] == ["ETH"]
        assert answers(con, "from liquidation_map('BTC', $at)", at=T0 + HOUR).height == 3


def test_a_planted_fault_in_the_levels_is_seen(tmp_path, monkeypatch):
    lake = a_lake(tmp_path / "lake", 1)
    binned = making.binned

    def a_little_off(*asked):
        cells = binned(*asked)
        return cells._replace(amounts=cells.amounts * (1 + 1e-6))

    monkeypatch.setattr(making, "binned", a_little_off)
    refresh(lake)
    moments = [T0 + hour * HOUR for hour in range(0, 66, 5)]
    with pytest.raises(AssertionError):
        alike(lake, "from liquidation_map($coin, $at, knowable := $knowable)", moments)


def test_only_the_days_asked_for_are_made(tmp_path):
    lake = tmp_path / "lake"
    for days in range(3):
        land_snapshot(lake, book(), T0 + timedelta(days=days))
    second = T0.date() + timedelta(days=1)
    heard = []
    assert refresh(lake, second, second + timedelta(days=1), heard.append).days == [second]
    assert heard == [f"levels of {second}, 1 of 1"]


def test_an_empty_lake_has_nothing_to_bin(tmp_path):
    (tmp_path / "lake").mkdir()
    done = refresh(tmp_path / "lake")
    assert (done.days, done.current, done.rows) == ([], 0, 0)
    assert LIQUIDATION_LEVELS.name in {row[0] for row in _tables(tmp_path / "lake")}


def _tables(lake):
    with open_lake(lake) as con:
        return con.sql("select view_name from duckdb_views()").fetchall()


def test_a_check_says_how_many_days_are_binned_ahead(tmp_path):
    lake = tmp_path / "lake"
    for day in (0, 1):
        land_snapshot(lake, book(), T0 + 24 * day * HOUR)

    def said():
        done = run("check", lake=lake)
        return next(line for line in done.stderr.splitlines() if "binned ahead" in line)

    assert "maps of 0 of 2 days are binned ahead and current, 2026-01-02 is the first" in said()
    refresh(lake, until=(T0 + 24 * HOUR).date())
    assert "maps of 1 of 2 days are binned ahead and current, 2026-01-03 is the first" in said()
    assert said().endswith("until undertow marts")
    refresh(lake)
    assert "maps of all 2 days are binned ahead and current" in said()
    land_snapshot(lake, book(), T0 + 2 * HOUR)
    assert "maps of 1 of 2 days" in said()
