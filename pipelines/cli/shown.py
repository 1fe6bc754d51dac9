"""This module prints what was landed, for people and for programs."""

from typing import TYPE_CHECKING

from warehouse.terminal import print_json, print_table, say

if TYPE_CHECKING:
    from pipelines.landed import Landed

COLUMNS = ("table", "parts", "rows", "duplicates", "unknown_fields", "gaps")
MOST_GAPS = 10  # that people are shown of one table


def show_landed(landed: "list[Landed]", as_json: bool) -> None:
    """Print what was landed, one row a table, and what is missing in words."""
    if as_json:
        print_json(
            (*COLUMNS, "notes"),
            [
                (
                    one.table,
                    len(one.files),
                    one.rows,
                    one.duplicates,
                    one.unknown_fields,
                    one.gaps,
                    one.notes,
                )
                for one in landed
            ],
        )
        return
    print_table(
        COLUMNS,
        [
            (
                one.table,
                len(one.files),
                one.rows,
                one.duplicates,
                ", ".join(f"{name} ×{count}" for name, count in one.unknown_fields.items())
                or None,
                len(one.gaps),
            )
            for one in landed
        ],
    )
    for one in landed:
        for sentence in [*one.gaps[:MOST_GAPS], *one.notes]:
            say(f"  {sentence}")
        if len(one.gaps) > MOST_GAPS:
            say(f"  … and {len(one.gaps) - MOST_GAPS} more gaps")
