"""Strategies that reach outside of their view, each by one way; where, ``PLACE`` says."""

import ctypes
import json
import mmap
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet

from tests.backtest.leaks import LastBar
from warehouse import open_lake

# A field would be part of what is asked, and a variable of this module is made anew.
PLACE = Path(os.environ.get("PLACE_OF_LEAKS", "/nowhere"))


class Reaching(LastBar):
    """Honest but for what it reaches."""

    def signal(self, view):
        self.reach(view)
        return super().signal(view)


def later(seen, view):
    """Return what was kept of the bar to come where there is such, else what may be seen."""
    rise = view.close_px / view.open_px - 1
    starts = view.bars.start.astype(str).tolist()
    seen |= dict(zip(starts, rise.tolist(), strict=True)) | seen
    return np.array([seen.get(one, 0.0) for one in [*starts[1:], ""]])


class InAFile(LastBar):
    """The rise of the bar to come, kept in a file."""

    def signal(self, view):
        file = PLACE / "seen.json"
        seen = json.loads(file.read_text()) if file.exists() else {}
        told = later(seen, view)
        file.write_text(json.dumps(seen))
        return told


class InTheEnvironment(LastBar):
    """Likewise, kept in the environment."""

    def signal(self, view):
        seen = json.loads(os.environ.get("SEEN_BY_A_LEAK", "{}"))
        told = later(seen, view)
        os.environ["SEEN_BY_A_LEAK"] = json.dumps(seen)
        return told


class InTheEnvironmentUnheard(Reaching):
    """Kept in what Python remembers of the environment, of which it tells nobody."""

    def reach(self, view):
        os.environ._data[b"SEEN_BY_A_LEAK"] = b"1"


class OwnLake(LastBar):
    """The bar to come, of a lake that it opens by itself."""

    def signal(self, view):
        with open_lake(PLACE / "lake") as con:
            rows = con.sql("select start_ts::timestamp, close_px / open_px - 1 from candles")
            rise = dict(rows.fetchall())
        ends = view.bars.end.tolist()
        return np.array([rise.get(end, 0.0) for end in ends])


class OnTheNetwork(Reaching):
    """Asks somebody else."""

    def reach(self, view):
        with socket.socket() as line:
            line.settimeout(0.1)
            line.connect_ex(("127.0.0.1", 9))


class InADatabase(Reaching):
    """Keeps a table."""

    def reach(self, view):
        sqlite3.connect(PLACE / "seen.db").close()


class InDuckDB(Reaching):
    """Likewise, beneath Python."""

    def reach(self, view):
        duckdb.sql(f"copy (select 1 as a) to '{PLACE}/seen.parquet'")


class InDuckDBItself(Reaching):
    """Likewise, in a file of its own."""

    def reach(self, view):
        duckdb.connect(str(PLACE / "seen.duckdb")).close()


class ByPolars(Reaching):
    """Keeps a frame, beneath Python."""

    def reach(self, view):
        pl.DataFrame({"a": [1]}).write_parquet(PLACE / "seen.parquet")


class LazilyByPolars(Reaching):
    """Reads a frame, beneath Python."""

    def reach(self, view):
        pl.scan_parquet(str(PLACE / "seen.parquet"))


class ByArrow(Reaching):
    """Reads a table, beneath Python."""

    def reach(self, view):
        try:
            pyarrow.parquet.ParquetFile(PLACE / "no.parquet")
        except FileNotFoundError:
            return


class ByNumpy(Reaching):
    """Keeps an array, by what is installed."""

    def reach(self, view):
        np.save(PLACE / "seen.npy", view.close_px)


class ByAProcess(Reaching):
    """Asks another process."""

    def reach(self, view):
        subprocess.run(["true"], check=True)


class InSharedMemory(Reaching):
    """Keeps what outlives it in memory."""

    def reach(self, view):
        file = os.memfd_create("seen")
        os.truncate(file, 8)
        mmap.mmap(file, 8).close()
        os.close(file)


class InAThread(Reaching):
    """Lists a folder, by a thread that runs nothing of its own."""

    def reach(self, view):
        one = threading.Thread(target=os.listdir, args=(PLACE,))
        one.start()
        one.join()


class InAThreadAfterwards(Reaching):
    """Likewise, while nobody watches, by a thread that goes on until it is told to end."""

    go, done = threading.Event(), threading.Event()

    def reach(self, view):
        def later():
            self.go.wait(60)
            os.listdir(PLACE)
            self.done.set()

        threading.Thread(target=later, daemon=True).start()


class Permitting(Reaching):
    """Keeps a bit in who may read a file."""

    def reach(self, view):
        os.chmod(PLACE, PLACE.stat().st_mode)


class Owning(Reaching):
    """Keeps a number in who owns a file."""

    def reach(self, view):
        os.chown(PLACE, -1, -1)


class WorkingThere(Reaching):
    """Keeps where it works."""

    def reach(self, view):
        os.chdir(os.getcwd())


class InAFolder(Reaching):
    """Keeps what it saw in the names of folders."""

    def reach(self, view):
        (PLACE / "seen").mkdir(exist_ok=True)


class ByTheSystem(Reaching):
    """Calls the system's own library."""

    def reach(self, view):
        ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class WhereItIsMade(LastBar):
    """Reads a file where it is made."""

    def __post_init__(self):
        (PLACE / "made.txt").write_text("1")


class Harmless(Reaching):
    """Imports, warns, draws, asks for a zone, and reads what is installed."""

    def reach(self, view):
        import wave
        import zoneinfo

        sys.modules.pop("colorsys", None)
        import colorsys

        zoneinfo.ZoneInfo.clear_cache()
        zoneinfo.ZoneInfo("Asia/Tokyo")
        np.random.default_rng().random()
        Path(wave.__file__).read_text()
        mmap.mmap(-1, 8).close()
        assert colorsys
        view.maps()
        view.flow()
