"""This module measures the figures that are promised, each beside a yardstick of the same run.

``make bench`` runs it and writes ``BENCHMARKS.md``.  Times are the smallest of several runs;
what counts is the ratio, for machines differ.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.day import day
from benchmarks.figure import ROOT
from benchmarks.fills import node_fills
from benchmarks.joint_map import joint_map
from benchmarks.landing import snapshot
from benchmarks.maps import maps_at_a_moment
from benchmarks.nightly import night
from benchmarks.study import studies
from benchmarks.sweep import sweeps
from benchmarks.worlds import worlds

MEASURES = (
    maps_at_a_moment,
    node_fills,
    snapshot,
    day,
    joint_map,
    night,
    worlds,
    sweeps,
    studies,
)


def main() -> None:
    """Measure everything and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="undertow-bench-"))
    try:
        figures = [figure for measure in MEASURES for figure in measure(folder)]
    finally:
        shutil.rmtree(folder)
    rows = "\n".join(
        f"| {one.what} | {one.ours} | {one.yardstick} | {one.ratio:.2f} | {one.reach} |"
        for one in figures
    )
    page = ROOT / "BENCHMARKS.md"
    page.write_text(
        "# Benchmarks\n\nWritten by `make bench`; each figure stands beside a yardstick of the "
        "same run, on two cores.\nThe ratio is what counts; *reach* is what it is meant to "
        "be.\n\n"
        f"| what | ours | yardstick | ratio | reach |\n|---|---|---|---|---|\n{rows}\n"
    )
    sys.stdout.write(page.read_text())


if __name__ == "__main__":
    main()
