"""This module names the ways by which a rule may reach outside of its view.

Python tells of most as audit events.  DuckDB, Polars and Arrow open files beneath it and tell
nothing, so what opens them is made to tell, for as long as a rule is watched.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib import import_module
from os import PathLike
from typing import Any
from unittest.mock import patch

OPENED = "undertow.opened"
LAKE = "undertow.open_lake"
# Of each event, what is reached, and which of its values names it; null: none does.
EVENTS: dict[str, tuple[str, int | None]] = {
    "open": ("file", 0),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.mkdir", "os.rmdir"), ("folder", 0)),
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
# Of a module or a class of it, the beginnings of the names that open something.
NATIVE = {
    "duckdb": ("connect", "cursor", "default_", "execute", "from_", "query", "read_", "sql"),
    "polars": ("read_", "scan_"),
    "polars.DataFrame": ("deserialize", "write_"),
    "polars.LazyFrame": ("deserialize", "sink_"),
    "pyarrow": ("input_stream", "memory_map", "output_stream"),
    "pyarrow.csv": ("open_", "read_", "write_"),
    "pyarrow.dataset": ("dataset", "write_"),
    "pyarrow.feather": ("read_", "write_"),
    "pyarrow.json": ("open_", "read_"),
    "pyarrow.parquet": ("read_", "write_"),
    "pyarrow.parquet.ParquetFile": ("__init__",),
    "pyarrow.parquet.ParquetDataset": ("__init__",),
    "pyarrow.parquet.ParquetWriter": ("__init__",),
}


@contextmanager
def telling() -> Iterator[None]:
    """Let what opens files beneath Python tell of it, for as long as this lasts."""
    with ExitStack() as doors:
        for place, beginnings in NATIVE.items():
            owner = _owner(place)
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


def _told(place: str, function: Any) -> Any:
    """Return a function that tells by what it is called before it does what it did."""
    if isinstance(function, classmethod | staticmethod):
        return type(function)(_told(place, function.__func__))
    bound = "." in place and place.rpartition(".")[2][:1].isupper()

    @wraps(function)
    def told(*words: Any, **more: Any) -> Any:
        said = [*words[bound:], *more.values()]
        if place == "duckdb":
            sys.audit(OPENED, "database", _short(said[0] if said else "in memory"))
        elif said and _is_path(said[0]):
            sys.audit(OPENED, "file", _short(said[0]))
        return function(*words, **more)

    return told


def _is_path(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_path, value))
    return isinstance(value, str | PathLike)


def _short(value: object) -> str:
    if isinstance(value, list | tuple) and len(value):
        value = value[0]
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
