"""This module asks a lake for a study, draws it, and puts the page in its place."""

from pathlib import Path

from backtest.report.facts import read_facts
from backtest.report.page import page
from warehouse.catalog import open_lake
from warehouse.report.document import put


def write_backtest_report(lake: Path | str, run: str, to: Path) -> Path:
    """Write one self-contained HTML file about a study.

    Parameters
    ----------
    lake
        Folder of the lake; it is only read.
    run
        A ``study_id``, a ``run_id``, or an unambiguous beginning of either.
    to
        File to write.  A reader sees the old file or the new one, never half of one.

    Returns
    -------
    Path
        ``to``.

    Raises
    ------
    LookupError
        If no study is meant, or several are.
    ValueError
        If the lake holds only a part of the study, or one of another form.
    NoLake
        If there is no lake.
    """
    with open_lake(lake) as con:
        facts = read_facts(con, run)
    put(Path(to), page(facts))
    return Path(to)
