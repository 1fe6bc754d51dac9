"""Maps binned ahead say what the rows say, and leave to the rows what they do not hold."""

from datetime import timedelta

import pytest

from tests.effort import THOROUGH
from tests.rows import T0, batch, land_snapshot, position
from tests.warehouse.data_levels import (
    HOUR,
    a_lake,
    alike,
    answers,
    book,
    held,
    land_all,
    pieces,
    some_rows,
    sweep_at,
)
from tests.warehouse.data_sweeps import SAID, TABLES, lake_of
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.marts import levels as making
from warehouse.marts.refresh import refresh
from warehouse.store import land
from warehouse.store.compaction import compact


@pytest.mark.parametrize("seed", [1, 2] if THOROUGH else [1])
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


@pytest.mark.parametrize("seed", [1, 2, 3] if THOROUGH else [2])
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


def test_a_sweep_of_all_dexes_is_binned_for_each(tmp_path):
    lake = tmp_path / "lake"
    land_all(lake, lake_of([sweep_at(1, (SAID[8], SAID[6], None)) | {"scope": "all"}]))
    assert refresh(lake).rows == 3
    query = "from liquidation_map($coin, $at, knowable := $knowable)"
    assert alike(lake, query, [T0 + HOUR]) == 6
    with open_lake(lake) as con:
        coins = con.sql("select coin, scope from liquidation_levels order by all").fetchall()
    assert coins == [("BTC", "all"), ("BTC", "all"), ("xyz:TSLA", "all")]


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
