"""This module shows what came of a job in Prefect's pages: rows, gaps, checks, the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_table_artifact

from pipelines.jobs.units import Done
from pipelines.landed import Landed
from pipelines.settings import Settings

MOST_ROWS = 200  # of one artifact; the lake's tables hold all


def show(job: str, settings: Settings, done: Done) -> None:
    """Create the artifacts of one run."""
    tables = {
        "landed": ("What was landed", landed_rows(done.landed)),
        "gaps": ("What should be there and is not", gap_rows(done.landed)),
        "checks": ("What checks found", check_rows(done.landed)),
        "failed": (
            "What failed",
            [{"unit": name, "why": str(error)} for name, error in done.failed.items()],
        ),
    }
    for name, (says, rows) in tables.items():
        shown = rows[:MOST_ROWS] or [{"": "nothing"}]
        more = f"; {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
        create_table_artifact(shown, key=f"{job}-{name}", description=says + more)
    if (link := report_link(settings.lake)) is not None:
        create_link_artifact(link, link_text="The report", key=f"{job}-report")


def landed_rows(landed: Sequence[Landed]) -> list[dict[str, Any]]:
    """Return a row for each table that was landed.

    >>> landed_rows([Landed("fills", rows=2), Landed("fills", rows=3)])
    [{'table': 'fills', 'parts': 0, 'rows': 5, 'duplicates': 0}]
    """
    sums: dict[str, Landed] = {}
    for one in landed:
        sums.setdefault(one.table, Landed(one.table)).add(one)
    return [
        {
            "table": one.table,
            "parts": len(one.files),
            "rows": one.rows,
            "duplicates": one.duplicates,
        }
        for one in sums.values()
    ]


def gap_rows(landed: Sequence[Landed]) -> list[dict[str, Any]]:
    """Return a row for each gap."""
    return [{"table": one.table, "gap": gap} for one in landed for gap in one.gaps]


def check_rows(landed: Sequence[Landed]) -> list[dict[str, Any]]:
    """Return a row for each note, what checks found among them."""
    return [{"table": one.table, "note": note} for one in landed for note in one.notes]


def report_link(lake: str) -> str | None:
    """Return where the lake's report is, if somebody drew it beside the lake."""
    if "://" in lake:
        return None
    report = Path(lake).absolute().parent / "report.html"
    return report.as_uri() if report.exists() else None
