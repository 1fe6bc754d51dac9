"""This module names the ways by which a rule may reach outside of its view.

Python tells of most as audit events.  DuckDB, Polars and Arrow open files beneath it and tell
nothing, so what opens them is made to tell, for as long as a rule is watched.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib import import_module
from inspect import getattr_static, signature
from os import PathLike
from typing import Any
from unittest.mock import patch

OPENED = "undertow.opened"
LAKE = "undertow.open_lake"
# Of each event, what is reached, and which of its values names it; null: none does.
EVENTS: dict[str, tuple[str, int | None]] = {
    "open": ("file", 0),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.mkdir", "os.rmdir"), ("folder", 0)),
    "os.chdir": ("folder", 0),
    **dict.fromkeys(("os.chmod", "os.chown"), ("file", 0)),
    **dict.fromkeys(("os.rename", "os.remove", "os.link", "os.symlink"), ("file", 0)),
    **dict.fromkeys(("os.truncate", "os.utime", "os.setxattr", "os.getxattr"), ("file", 0)),
    **dict.fromkeys(("os.putenv", "os.unsetenv"), ("environment variable", 0)),
    **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto"), ("network", 1)),
    **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname"), ("network", 0)),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.exec"), ("process", 0)),
    **dict.fromkeys(("os.posix_spawn", "os.spawn"), ("process", 0)),
    **dict.fromkeys(("os.fork", "os.forkpty"), ("process", None)),
    "mmap.__new__": ("shared memory", None),
    "ctypes.dlopen": ("library", 0),
    "sqlite3.connect": ("database", 0),
    OPENED: ("", None),
    LAKE: ("lake", 0),
}
# Of DuckDB, what asks a connection that all share.
SHARED = ("aggregate", "alias", "append", "arrow", "begin", "connect", "create_function")
SHARED += ("cursor", "default_", "df", "distinct", "execute", "fetch", "filter", "from_")
SHARED += ("get_table_names", "install_extension", "limit", "load_extension", "order")
SHARED += ("project", "query", "read_", "register", "set_default_connection", "sql", "table")
SHARED += ("tf", "to_arrow", "torch", "values", "view", "write_csv")
FILES = ("copy_file", "create_dir", "delete_", "get_file_info", "move", "open_")
# Of a module or a class of it, the beginnings of the names that open something.
NATIVE = {
    "duckdb": SHARED,
    "polars": ("read_", "scan_"),
    "polars.DataFrame": ("deserialize", "serialize", "write_"),
    "polars.LazyFrame": ("deserialize", "serialize", "sink_"),
    "polars.SQLContext": ("execute",),
    "pyarrow": ("create_memory_map", "input_stream", "memory_map", "output_stream"),
    "pyarrow.CompressedInputStream": ("__init__",),
    "pyarrow.CompressedOutputStream": ("__init__",),
    "pyarrow.MemoryMappedFile": ("create",),
    "pyarrow.OSFile": ("__init__",),
    "pyarrow.csv": ("open_", "read_", "write_"),
    "pyarrow.csv.CSVWriter": ("__init__",),
    "pyarrow.dataset": ("dataset", "parquet_dataset", "write_"),
    "pyarrow.feather": ("read_", "write_"),
    "pyarrow.fs": ("copy_files",),
    "pyarrow.fs.FileSystem": ("from_uri",),
    "pyarrow.fs.LocalFileSystem": FILES,
    "pyarrow.fs.SubTreeFileSystem": ("__init__",),
    "pyarrow.ipc.RecordBatchFileReader": ("__init__",),
    "pyarrow.ipc.RecordBatchFileWriter": ("__init__",),
    "pyarrow.ipc.RecordBatchStreamReader": ("__init__",),
    "pyarrow.ipc.RecordBatchStreamWriter": ("__init__",),
    "pyarrow.json": ("open_", "read_"),
    "pyarrow.orc": ("read_", "write_"),
    "pyarrow.orc.ORCFile": ("__init__",),
    "pyarrow.orc.ORCWriter": ("__init__",),
    "pyarrow.parquet": ("read_", "write_"),
    "pyarrow.parquet.ParquetFile": ("__init__",),
    "pyarrow.parquet.ParquetDataset": ("__init__",),
    "pyarrow.parquet.ParquetWriter": ("__init__",),
}
# Of what Polars is asked in SQL, what reads a file: the rest reads frames.
READS = re.compile(r"\b(read|scan)_", re.IGNORECASE)
# Of a class that Python made, unlike one made in C: its attributes can be replaced.
HEAP_TYPE = 1 << 9


@contextmanager
def telling() -> Iterator[None]:
    """Let what opens files beneath Python tell of it, for as long as this lasts."""
    with ExitStack() as doors:
        for place, beginnings in NATIVE.items():
            owner = _owner(place)
            if isinstance(owner, type) and not owner.__flags__ & HEAP_TYPE:
                module, _, last = place.rpartition(".")
                swapped = _swapped(place, owner, beginnings)
                doors.enter_context(patch.object(import_module(module), last, swapped))
                continue
            for name, function in list(vars(owner).items()):
                if name.startswith(beginnings) and _opens(function):
                    doors.enter_context(patch.object(owner, name, _told(place, function)))
        yield


def _owner(place: str) -> Any:
    """Return a module, or a class of one."""
    package, _, last = place.rpartition(".")
    return getattr(import_module(package), last) if last[:1].isupper() else import_module(place)


def _opens(function: object) -> bool:
    return isinstance(function, classmethod | staticmethod) or (
        callable(function) and not isinstance(function, type)
    )


def _swapped(place: str, kind: Any, beginnings: tuple[str, ...]) -> type:
    """Return a class that tells, of which whatever is of ``kind`` is taken to be."""

    class Telling(type):
        def __call__(cls, *words: Any, **more: Any) -> Any:
            if "__init__" in beginnings:
                _tell(place, kind, words, more)
            return super().__call__(*words, **more)

        def __instancecheck__(cls, one: Any) -> bool:
            return super().__instancecheck__(one) or (cls is made and isinstance(one, kind))

        def __subclasscheck__(cls, one: type) -> bool:
            return super().__subclasscheck__(one) or (cls is made and issubclass(one, kind))

    names = [name for name in dir(kind) if name.startswith(beginnings) and name != "__init__"]
    told = {name: _told(place, getattr_static(kind, name)) for name in names}
    made = Telling(kind.__name__, (kind,), {"__module__": kind.__module__, **told})
    return made


def _told(place: str, function: Any, *, bound: bool | None = None) -> Any:
    """Return a function that tells by what it is called before it does what it did."""
    if isinstance(function, classmethod | staticmethod):
        bound = isinstance(function, classmethod)
        return type(function)(_told(place, function.__func__, bound=bound))
    if bound is None:
        bound = "." in place and place.rpartition(".")[2][:1].isupper()

    @wraps(function)
    def told(*words: Any, **more: Any) -> Any:
        _tell(place, function, words, more, skipped=int(bound))
        return function(*words, **more)

    return told


def _tell(
    place: str, function: Any, words: tuple[Any, ...], more: dict[str, Any], skipped: int = 0
) -> None:
    """Tell what is opened, if any is."""
    first = _first(function, words, more, skipped)
    if place == "duckdb":
        sys.audit(OPENED, "database", "in memory" if first is None else _short(first))
    elif place == "polars.SQLContext":
        if READS.search(str(first)):
            sys.audit(OPENED, "file", _short(first))
    elif _is_path(first):
        sys.audit(OPENED, "file", _short(first))


def _first(
    function: Any, words: tuple[Any, ...], more: dict[str, Any], skipped: int
) -> object | None:
    """Return the first of what a function is called with, by place or by name."""
    if len(words) > skipped:
        # Of a folder that is listed, its path.
        return getattr(words[skipped], "base_dir", words[skipped])
    try:
        names = list(signature(function).parameters)[skipped:]
    except ValueError:  # made in C, which says no names
        names = list(more)
    return next((more[name] for name in names[:1] if name in more), None)


def _is_path(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_path, value))
    return isinstance(value, str | PathLike)


def _short(value: object) -> str:
    if isinstance(value, list | tuple) and len(value):
        value = value[0]
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
