"""This module finds the study that a name of a run or of a study means."""

import json
from collections.abc import Iterable

import duckdb


def recorded(lake: duckdb.DuckDBPyConnection, run: str) -> dict[str, object]:
    """Return a row of ``backtest_studies``.

    Parameters
    ----------
    lake
        Catalog of a lake.
    run
        A ``study_id``, a ``run_id`` of the study's rule, or an unambiguous beginning of either.

    Raises
    ------
    LookupError
        If no study is meant, or several are; the message names what there is.
    """
    wanted = run.strip()
    names = {
        study: (study, *json.loads(runs)["own"])
        for study, runs in lake.sql(
            "select study_id, runs from backtest_studies order by study_id"
        ).fetchall()
    }
    if not names:
        raise LookupError("the lake holds no study: undertow backtest run makes one")
    # A whole name is meant before the beginnings of others.
    found = [study for study, its in names.items() if wanted in its] or [
        study for study, its in names.items() if any(one.startswith(wanted) for one in its)
    ]
    if not found:
        raise LookupError(f"no study or run begins with {wanted!r}; there are {_some(names)}")
    if len(found) > 1:
        raise LookupError(f"{wanted!r} means {len(found)} studies: {_some(found)}")
    rows = lake.sql(
        "from backtest_studies where study_id = $study", params={"study": found[0]}
    ).to_arrow_table()
    return rows.to_pylist()[0]


def _some(studies: Iterable[str]) -> str:
    """Return the first names of studies, and how many more there are."""
    names = list(studies)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
