"""What is packed into one file is sorted by grain, and each part is found in it again."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.rows import T0, batch, position
from tests.warehouse.hourly_fills import fill
from warehouse.contracts.tables import FILLS, POSITIONS
from warehouse.store import compacted
from warehouse.store.compacted import pack, unpack
from warehouse.store.parts import read_part


@pytest.mark.parametrize("rows_per_slice", [1, 7, 10**6])
@asked_of_a_lake
@given(
    parts=st.lists(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(["BTC", "ETH", "ÉTH", "xyz:A"])),
            min_size=1,
            unique=True,
        ),
        min_size=2,
        max_size=5,
    )
)
def test_every_part_is_found_again_in_what_was_packed(tmp_path_factory, rows_per_slice, parts):
    folder = tmp_path_factory.mktemp("packed")
    given_ = {}
    for number, keys in enumerate(parts):
        rows = [fill(minute, coin, source=f"s{number}") for minute, coin in keys]
        given_[f"p{number}"] = FILLS.check(batch(FILLS, rows))
        pq.write_table(given_[f"p{number}"], folder / f"p{number}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compacted, "ROWS_PER_SLICE", rows_per_slice)
        pack(FILLS, [(name, folder / name) for name in given_], folder / "all")
    whole = read_part((folder / "all").read_bytes())
    together = pa.concat_tables(given_.values())
    assert whole.equals(together.sort_by([(name, "ascending") for name in FILLS.grain]))
    for name, rows in given_.items():
        assert unpack(folder / "all", name).equals(rows, check_metadata=True)
    with pytest.raises(pa.ArrowInvalid, match="holds no part 'other'"):
        unpack(folder / "all", "other")


def test_fat_rows_are_merged_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(compacted, "BYTES_PER_SLICE", 1)
    given_ = {}
    for number in range(2):
        rows = [fill(minute, coin, source=f"s{number}") for minute in (0, 1) for coin in "ABC"]
        given_[f"p{number}"] = FILLS.check(batch(FILLS, rows))
        pq.write_table(given_[f"p{number}"], tmp_path / f"p{number}", row_group_size=4)
    pack(FILLS, [(name, tmp_path / name) for name in given_], tmp_path / "all")
    assert pq.ParquetFile(tmp_path / "all").metadata.num_row_groups == len("ABC")
    for name, rows in given_.items():
        assert unpack(tmp_path / "all", name).equals(rows)


def test_a_part_larger_than_a_row_group_is_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(compacted, "ROWS_PER_GROUP", 8192)
    rng = np.random.default_rng(7)
    packed, held = [], {}
    for hour in range(3):
        rows = [
            position(holder=n, size=float(size), snapshot_ts=T0 + timedelta(hours=hour % 2))
            | {"source": f"s{hour}"}
            for n, size in enumerate(rng.uniform(1, 2, 9_000), 1)
        ]
        held[f"p{hour}"] = POSITIONS.check(batch(POSITIONS, rows))
        pq.write_table(held[f"p{hour}"], tmp_path / f"p{hour}", row_group_size=8192)
        packed.append((f"p{hour}", tmp_path / f"p{hour}"))
    pack(POSITIONS, packed, tmp_path / "all")
    assert pq.ParquetFile(tmp_path / "all").metadata.num_row_groups == 4
    for name, rows in held.items():
        assert unpack(tmp_path / "all", name).equals(rows)
