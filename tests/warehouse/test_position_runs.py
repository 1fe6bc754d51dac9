"""Positions are read coin by coin: every row once, whatever row groups they lie in."""

from collections import Counter
from datetime import timedelta
from itertools import chain, groupby

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.rows import T0
from warehouse.contracts.table import TS
from warehouse.marts.levels import _shares
from warehouse.marts.position_runs import PositionFile, Reader, by_coin
from warehouse.store import Lake

ROWS = [
    ("here", "hyperliquid", coin, number, None if number % 3 == 0 else 10.0 + number)
    for number, coin in enumerate(["BTC"] * 5 + ["ETH"] + ["SOL"] * 7)
] + [("there", "xyz", "SOL", 13, 23.0), ("there", "xyz", "xyz:A", 14, None)]


def table(rows, late=timedelta(0)):
    source, scope, coin, number, px = zip(*rows, strict=True)
    moments = [T0 + timedelta(hours=one % 4) for one in number]
    return pa.table(
        {
            "source": pa.array(source, pa.string()),
            "scope": pa.array(scope, pa.string()),
            "coin": pa.array(coin, pa.string()),
            "snapshot_ts": pa.array(moments, TS),
            "size": pa.array([1.0 + one for one in number]),
            "liquidation_px": pa.array(px, pa.float64()),
            "mark_px": pa.array([100.0 + one for one in number]),
            "known_ts": pa.array([one + late for one in moments], TS),
        }
    )


def landed(folder, group, known=T0 + timedelta(days=9), **how):
    pq.write_table(table(ROWS, timedelta(days=1)), folder / "rows.parquet", group, **how)
    return PositionFile(Lake.at(folder), "rows.parquet", known)


def told(piece):
    return [np.nan_to_num(one, nan=-1.0).tolist() for one in piece[:4]]


def runs_of(file, threads=1):
    return [run for groups in file.shares(threads) for run in file.runs(groups)]


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize(("group", "threads"), [(1, 3), (3, 1), (4, 2), (100, 2)])
def test_runs_hold_every_row_once_in_order(tmp_path, group, threads, statistics):
    file = landed(tmp_path, group, write_statistics=statistics)
    runs = runs_of(file, threads)
    assert sum(run.rows for run in runs) == len(ROWS)
    reader = Reader()
    for key, some in groupby(ROWS, key=lambda row: row[:3]):
        pieces = list(reader.pieces([run for run in runs if run.key == key]))
        read = [list(chain(*columns)) for columns in zip(*map(told, pieces), strict=True)]
        wanted = next(by_coin(table(list(some))))
        assert (wanted[0], read) == (key[2], told(wanted[1]))


def test_when_rows_were_known_is_read_where_it_may_tell_something(tmp_path):
    latest = T0 + timedelta(days=1, hours=3)
    for known, of in ((latest, type(None)), (latest - timedelta(hours=1), np.ndarray)):
        file = landed(tmp_path, 4, known)
        pieces = Reader().pieces(runs_of(file))
        assert {type(piece.known) for piece in pieces} == {of}


def test_no_rows_have_no_coins():
    assert list(by_coin(table(ROWS).slice(0, 0))) == []


def test_shares_hold_every_coin_once_and_the_first_are_large():
    rows = {("here", "hyperliquid", str(number)): 10 for number in range(100)}
    shares = _shares(rows, 2, 1)
    assert Counter(key for keys in shares for key in keys) == Counter(list(rows))
    sizes = [len(keys) for keys in shares]
    assert sizes[0] == 25
    assert sizes == sorted(sizes, reverse=True)
    assert len(_shares(rows, 2, 10**6)) == 1
