from datetime import date, timedelta
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.steps.reservoir_fills import land_reservoir_fills
from pipelines.steps.spilled_hours import SpilledHours
from tests.effort import tries
from tests.pipelines.data_fills import HOUR, tree
from tests.pipelines.data_lake import frame, held, parts
from tests.pipelines.data_reservoir_fills import AT, record, write
from tests.rows import account

DAY, NEXT = date(2025, 10, 10), date(2025, 10, 11)
EVERY = "global/fills/raw"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def at(hours, **others):
    return record(timestamp=AT + timedelta(hours=hours), **others)


def test_a_day_is_landed_by_the_hours_of_its_fills_whatever_their_order(root, lake):
    rows = [at(n, trade_id=100 + k) for k, n in enumerate((0, -21, 2, 0, -21))]
    write(root, DAY, *rows, row_group_size=2)
    told = []
    landed = land_reservoir_fills(str(root), lake, progress=lambda *step: told.append(step))
    assert parts(lake, "fills") == [
        f"day=2025-10-10/reservoir_fills-hyperliquid-{hour}.parquet"
        for hour in ("00", "21", "23")
    ]
    query = "select trade_id, hour(time_ts), source, known_ts::varchar from fills order by 1"
    known = "2025-10-11 01:00:00+00"
    assert frame(lake, query).rows() == [
        (100 + k, hour, "reservoir_fills", known) for k, hour in enumerate((21, 0, 23, 21, 0))
    ]
    assert (landed.rows, landed.duplicates, len(landed.files)) == (5, 0, 3)
    assert (landed.gaps, landed.notes) == ([], [])
    assert [step[1:] for step in told] == [(0, 1), (1, 1)]


def test_landing_twice_changes_nothing(root, lake):
    write(root, DAY, *(at(-n, trade_id=n) for n in range(20)), row_group_size=3)
    land_reservoir_fills(str(root), lake)
    before = held(lake)
    land_reservoir_fills(str(root), lake)
    assert held(lake) == before


def test_rows_that_come_again_are_landed_once_and_those_that_disagree_told(root, lake):
    write(root, DAY, at(0), at(-1), at(0), at(0, fee=Decimal(9)), row_group_size=1)
    landed = land_reservoir_fills(str(root), lake)
    assert (landed.rows, landed.duplicates) == (2, 2)
    assert [note.partition(" duplicates")[0][-3:] for note in landed.notes] == [": 1"]
    assert frame(lake, "select distinct fee from fills").item() == 0.2


def test_each_day_is_told_with_what_came_of_it(root, lake):
    write(root, "2025-07-29", at(-24 * 73), prefix="by_dex/hyperliquid/fills/perp/all")
    landed = land_reservoir_fills(str(root), lake, date(2025, 7, 26), date(2025, 7, 31))
    assert {ask.day.day: (ask.outcome, ask.hour, ask.source) for ask in landed.asked} == {
        28: ("absent", -1, "reservoir_fills"),
        29: ("landed", -1, "reservoir_fills"),
        30: ("absent", -1, "reservoir_fills"),
    }
    assert landed.gaps == [
        f"reservoir_fills: no file of fills for 2025-07-{day}" for day in (28, 30)
    ]


def test_a_bad_day_lands_nothing_of_itself_and_those_before_it(root, lake):
    write(root, DAY, at(0))
    write(root, NEXT, at(24), at(24, size=Decimal(-1)), row_group_size=1)
    with pytest.raises(SourceError, match=r"2025-10-11/fills.parquet row 1: field size"):
        land_reservoir_fills(str(root), lake)
    assert frame(lake, "select day from fills").to_series().to_list() == [DAY]
    assert not [path for path in tree(lake) if "landing" in path]


def test_rows_of_another_day_than_their_files_are_landed_beside_that_days(root, lake):
    write(root, DAY, at(0, trade_id=1), at(24, trade_id=2))
    write(root, NEXT, at(24, trade_id=3))
    landed = land_reservoir_fills(str(root), lake)
    assert parts(lake, "fills")[1:] == [
        "day=2025-10-11/reservoir_fills-hyperliquid-21-of-20251010.parquet",
        "day=2025-10-11/reservoir_fills-hyperliquid-21.parquet",
    ]
    early = frame(lake, "select bool_or(known_ts < time_ts) from fills").item()
    assert (landed.rows, early) == (3, False)
    assert landed.notes == [
        "reservoir_fills: by_dex/hyperliquid/fills/perp/all/date=2025-10-10/fills.parquet has "
        "fills of 1 hours of other days"
    ]


@pytest.mark.parametrize("first", ["hyperliquid", None])
def test_fills_of_one_dex_and_of_every_market_are_not_both_landed(root, lake, first):
    write(root, DAY, at(0))
    write(root, DAY, at(0, asset_class="spot"), at(0), prefix=EVERY)
    land_reservoir_fills(str(root), lake, dex=first)
    before = held(lake)
    second = "hyperliquid" if first is None else None
    with pytest.raises(ValueError, match="day 2025-10-10: the lake holds Reservoir's"):
        land_reservoir_fills(str(root), lake, dex=second)
    assert held(lake) == before
    assert land_reservoir_fills(str(root), lake, dex=first).rows == 1


def test_dexes_are_landed_beside_each_other(root, lake):
    for dex in ("hyperliquid", "xyz-1"):
        write(root, DAY, at(0, coin=dex), prefix=f"by_dex/{dex}/fills/perp/all")
        land_reservoir_fills(str(root), lake, dex=dex)
    assert frame(lake, "from fills").height == 2


def test_a_range_without_files_is_gaps_and_an_open_one_an_error(root, lake):
    write(root, DAY, at(0))
    landed = land_reservoir_fills(str(root), lake, date(2025, 11, 1), date(2025, 11, 3))
    assert (landed.rows, len(landed.gaps), len(landed.asked)) == (0, 2, 2)
    with pytest.raises(FileNotFoundError, match="no fills of hyperliquid from 2025-11-01 to"):
        land_reservoir_fills(str(root), lake, date(2025, 11, 1))
    with pytest.raises(FileNotFoundError, match="no fills of xyz from the first day to"):
        land_reservoir_fills(str(root), lake, dex="xyz")
    with pytest.raises(ValueError, match="must be before until"):
        land_reservoir_fills(str(root), lake, NEXT, DAY)


def test_a_day_without_fills_lands_nothing_and_is_there(root, lake):
    file = root / write(root, DAY, at(0))
    pq.write_table(pq.ParquetFile(file).read().slice(0, 0), file)
    landed = land_reservoir_fills(str(root), lake)
    assert (landed.rows, landed.files, landed.gaps) == (0, [], [])


def test_a_simulated_venues_rows_say_so(root, lake):
    write(root, DAY, at(0))
    (root / "simulated.json").write_text("{}")
    land_reservoir_fills(str(root), lake)
    assert frame(lake, "select source from fills").item() == "simulated"


hours = st.lists(st.tuples(st.integers(-21, 2), st.integers(1, 5)), min_size=1, max_size=30)


@given(rows=hours, group=st.integers(1, 7))
@tries(8, 100)
def test_made_days_hold_each_fill_once_in_its_hour(rows, group, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    records = [at(n, trade_id=tid, holder=tid) for n, tid in rows]
    write(folder / "archive", DAY, *records, row_group_size=group)
    landed = land_reservoir_fills(str(folder / "archive"), folder / "lake")
    found = frame(folder / "lake", "select hour(time_ts), trade_id, account from fills").rows()
    assert sorted(found) == sorted({(AT.hour + n, tid, account(tid)) for n, tid in rows})
    assert landed.duplicates == len(rows) - len(found)


def test_hours_that_are_not_there_are_none(tmp_path):
    spilled = SpilledHours(tmp_path / "waiting")
    spilled.close()
    assert (list(spilled.hours()), spilled.take(AT - HOUR)) == ([], None)
