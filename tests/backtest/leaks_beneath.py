"""Ways to a file that lie beneath Python, each with the file it reaches; none need be there."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.fs
import pyarrow.ipc
import pyarrow.orc
from pyarrow.fs import FileSelector

TABLE = pa.table({"a": [1]})
READ = "select * from read_csv('{}')"

FILES: dict[str, Callable[[str], object]] = {
    "polars.sql": lambda file: pl.sql(READ.format(file)),
    "polars.SQLContext": lambda file: pl.SQLContext().execute(READ.format(file)),
    "polars.DataFrame.sql": lambda file: pl.DataFrame({"a": [1]}).sql(READ.format(file)),
    "polars by name": lambda file: pl.read_csv(has_header=True, source=file),
    "polars.LazyFrame.serialize": lambda file: pl.LazyFrame({"a": [1]}).serialize(file),
    "pyarrow.OSFile": lambda file: pa.OSFile(file),
    "pyarrow.OSFile by name": lambda file: pa.OSFile(path=file, mode="w"),
    "pyarrow.create_memory_map": lambda file: pa.create_memory_map(file, 8),
    "pyarrow.MemoryMappedFile": lambda file: pa.MemoryMappedFile.create(file, 8),
    "pyarrow.CompressedInputStream": lambda file: pa.CompressedInputStream(file, "gzip"),
    "pyarrow.CompressedOutputStream": lambda file: pa.CompressedOutputStream(file, "gzip"),
    "pyarrow.csv.CSVWriter": lambda file: pa.csv.CSVWriter(file, TABLE.schema),
    "pyarrow.fs reads": lambda file: pa.fs.LocalFileSystem().open_input_file(file),
    "pyarrow.fs writes": lambda file: pa.fs.LocalFileSystem().open_output_stream(file),
    "pyarrow.fs lists": lambda file: pa.fs.LocalFileSystem().get_file_info(
        FileSelector(file, allow_not_found=True)
    ),
    "pyarrow.fs.FileSystem": lambda file: pa.fs.FileSystem.from_uri(file),
    "pyarrow.fs.SubTreeFileSystem": lambda file: pa.fs.SubTreeFileSystem(
        file, pa.fs.LocalFileSystem()
    ),
    "pyarrow.ipc.open_file": lambda file: pa.ipc.open_file(file),
    "pyarrow.ipc.new_file": lambda file: pa.ipc.new_file(file, TABLE.schema),
    "pyarrow.ipc.new_stream": lambda file: pa.ipc.new_stream(file, TABLE.schema),
    "pyarrow.orc.ORCFile": lambda file: pa.orc.ORCFile(file),
    "pyarrow.orc.write_table": lambda file: pa.orc.write_table(TABLE, where=file),
}
# Of DuckDB what it is asked is told, and not which file that is in.
ASKED: dict[str, Callable[[str], object]] = {
    "read_csv": lambda file: duckdb.table_function("read_csv", [file]),
    "a": lambda file: duckdb.write_csv(pl.DataFrame({"a": [1]}), file),
    "1": lambda file: duckdb.values([1]).write_csv(file),
    "seen": lambda file: duckdb.view("seen"),
}
HONEST: dict[str, Callable[[], object]] = {
    "frames in SQL": lambda: pl.DataFrame({"a": [1]}).sql("select a from self"),
    "bytes": lambda: pl.read_csv(b"a,b\n1,2", separator=","),
    "a buffer": lambda: pa.ipc.new_stream(pa.BufferOutputStream(), TABLE.schema),
    "a kind": lambda: isinstance(pa.BufferReader(b""), pa.OSFile),
}


def try_it(way: Callable[..., object], *words: Path) -> None:
    """Go one way, wherever it ends."""
    try:
        way(*map(str, words))
    except (
        OSError,
        ValueError,
        TypeError,
        duckdb.Error,
        pl.exceptions.PolarsError,
    ):
        return
