import io
import os
from contextlib import suppress
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.parquet_files import pieces
from pipelines.sources.reservoir_fill_rows import USED, to_fills
from pipelines.sources.reservoir_fills import (
    dexes,
    fill_files,
    known_ts,
    read,
    reservoir_fills,
)
from tests.pipelines.data_reservoir_fills import (
    TWO,
    landable,
    record,
    write,
)
from tests.pipelines.hostile_tables import MANY, broken_files, parquet_of
from tests.rows import account


def test_files_are_found_by_dex_and_day(tmp_path):
    days = [write(tmp_path, f"2025-10-{day}", record()) for day in ("11", "09", "10")]
    write(tmp_path, "2025-10-10", record(), prefix="by_dex/xyz/fills/perp/all")
    write(tmp_path, "2025-10-10", record(), prefix="global/fills/raw")
    write(tmp_path, "2025-10-99", record(), prefix="by_dex/xyz/fills/perp/all")
    (tmp_path / "by_dex/late/snapshots").mkdir(parents=True)
    archive = reservoir_fills(str(tmp_path))
    assert dexes(archive) == ["hyperliquid", "xyz"]
    assert fill_files(archive, date(2025, 10, 10), date(2025, 10, 11)) == {
        date(2025, 10, 10): days[2]
    }
    assert list(fill_files(archive)) == [date(2025, 10, day) for day in (9, 10, 11)]
    assert list(fill_files(archive, dex="xyz")) == [date(2025, 10, 10)]
    assert fill_files(archive, dex=None)[date(2025, 10, 10)].startswith("global/fills/raw/")


def test_the_bucket_may_be_a_folder_of_the_root(tmp_path):
    write(tmp_path / "hydromancer-reservoir", "2025-10-10", record())
    assert len(fill_files(reservoir_fills(str(tmp_path)))) == 1


def test_a_root_without_fills_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds by_dex/ or global/fills/raw/"):
        reservoir_fills(str(tmp_path))


def test_a_day_is_known_an_hour_after_the_midnight_that_follows_it():
    assert known_ts(date(2025, 12, 31)) == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_a_file_is_read_in_pieces_that_know_their_rows(tmp_path):
    path = write(tmp_path, "2025-10-10", *(record(n) for n in range(1, 11)), row_group_size=4)
    found = list(read(Archive(str(tmp_path)), path, at_once=3))
    assert [first for first, _ in found] == [0, 3, 4, 7, 8]
    fills = pa.concat_tables([to_fills(rows, path, first).fills for first, rows in found])
    assert fills["account"].to_pylist() == [account(n) for n in range(1, 11)]


def test_columns_that_are_not_used_are_not_fetched_but_are_still_seen(tmp_path):
    hashes = [record(tx_hash=os.urandom(2000).hex(), novelty=n) for n in range(200)]
    path = write(tmp_path, "2025-10-10", *hashes, compression="none", use_dictionary=False)
    fetched = 0

    class Counting(io.BytesIO):
        def read(self, size=-1):
            nonlocal fetched
            body = super().read(size)
            fetched += len(body)
            return body

    body = (tmp_path / path).read_bytes()
    ((_, rows),) = pieces(Counting(body), path, USED, 1000)
    assert fetched < 100_000 < 800_000 < len(body)
    assert to_fills(rows, path).unknown == {"novelty": 200}


def test_a_day_without_fills_has_none():
    empty = io.BytesIO(parquet_of(TWO.slice(0, 0)))
    counts = [to_fills(rows, "f").fills.num_rows for _, rows in pieces(empty, "f", USED, 9)]
    assert sum(counts) == 0
    assert to_fills(TWO.slice(0, 0), "f").fills.num_rows == 0


def test_a_truncated_file_is_named(tmp_path):
    path = write(tmp_path, "2025-10-10", record())
    file = tmp_path / path
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match=rf"^{path}: cannot be read as Parquet"):
        list(read(Archive(str(tmp_path)), path))


@given(body=broken_files(parquet_of(TWO, compression="zstd")))
@MANY
def test_broken_bytes_are_refused_or_keep_the_contract(body):
    with suppress(SourceError):
        for first, rows in pieces(io.BytesIO(body), "f", USED, 100):
            landable(to_fills(rows, "f", first).fills)
