import orjson
import pyarrow as pa
import pytest

from pipelines.sources.archive import Archive
from pipelines.sources.artemis_fill_rows import translated
from pipelines.sources.artemis_fills import (
    artemis,
    hour_of,
    hourly_folders,
    joined,
    read,
    to_fills,
    to_rows,
)
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_rows import to_fills as node_fills
from tests.pipelines.data_artemis_fills import (
    FOLDER,
    HOUR,
    MS,
    OBJECT,
    TWO,
    record,
    replaced,
    table_of,
)
from tests.pipelines.hostile_tables import parquet_of
from tests.rows import account


def real_events(real):
    """Yield the venue's own rows of fills, a file of them at a time."""
    for file in sorted(real.glob("**/node_fills_by_block/hourly/*/*.lz4")):
        body = unpacked(file.read_bytes(), file.name)
        blocks = [orjson.loads(line) for line in body.splitlines()]
        events = [event for block in blocks for event in block["events"]]
        if events:
            yield events, node_fills(body, file.name)[0]


def test_real_fills_in_artemis_columns_are_read_as_the_venues_own(real):
    marked = 0
    for events, wanted in real_events(real):
        fills = [{"user": user} | fill for user, fill in events]
        names = ["user", *record()]
        kinds = {"time": pa.timestamp("ns"), "liquidation": OBJECT}
        table = pa.table(
            {name: pa.array([f.get(name) for f in fills], kinds.get(name)) for name in names}
        )
        hour = wanted["time_ts"][0].as_py().replace(minute=0, second=0, microsecond=0)
        read_back = translated({"f": table}, hour)
        assert read_back.fills.to_pylist() == wanted.to_pylist()
        assert read_back.corrected == len(fills)
        marked += len(fills) - read_back.fills["liquidation_method"].null_count
    assert marked == 3_077


def write(root, folder, name, body):
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(body)


def test_an_hour_is_a_folder_of_files(tmp_path):
    root = tmp_path / "artemis-hyperliquid-data"
    write(root, FOLDER, "b.parquet", parquet_of(TWO))
    write(root, FOLDER, "a.parquet", parquet_of(table_of(record(3))))
    write(root, FOLDER[:-2] + "20", "a.parquet", parquet_of(TWO))
    write(root, FOLDER, "_SUCCESS", b"")
    write(root, FOLDER[:-2] + "24", "a.parquet", parquet_of(TWO))
    archive = artemis(str(tmp_path))
    found = hourly_folders(archive)
    assert found.paths == {HOUR.replace(hour=20): FOLDER[:-2] + "20", HOUR: FOLDER}
    assert found.odd == [f"{FOLDER}/_SUCCESS", f"{FOLDER[:-2]}24/a.parquet"]
    rows, said = to_rows(read(archive, FOLDER), FOLDER)
    assert rows["account"].to_pylist() == [account(3), account(1), account(2)]
    assert not said


def test_corrected_times_are_said_beside_unknown_fields():
    early = replaced(TWO, "time", pa.array([MS, MS], pa.timestamp("ns")))
    _, said = to_rows(joined({"a.parquet": parquet_of(early)}), FOLDER)
    assert said == {"time stored as 1970": 2}


def test_a_folder_without_files_is_said(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=rf"no \*\.parquet in {FOLDER}/"):
        read(Archive(str(tmp_path)), FOLDER)


def test_a_truncated_file_is_named():
    body = joined({"a.parquet": parquet_of(TWO), "b.parquet": parquet_of(TWO)[:-9]})
    with pytest.raises(SourceError, match=rf"^{FOLDER}/b\.parquet: cannot be read as Parquet"):
        to_fills(body, FOLDER)


def test_an_hour_without_a_file_is_refused():
    with pytest.raises(SourceError, match=f"^{FOLDER}: must hold a file"):
        to_fills(joined({}), FOLDER)


@pytest.mark.parametrize("folder", ["raw/node_fills/hourly/2025/13/10/21", "2025/10/10/21", ""])
def test_a_folder_that_names_no_hour_is_refused(folder):
    assert hour_of(folder) is None
    with pytest.raises(SourceError, match="must be raw/node_fills/hourly/YYYY/MM/DD/HH"):
        to_fills(joined({}), folder)
