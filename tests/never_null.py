"""What the data dictionary says is never null, and which columns of an answer are not so."""

from warehouse.dictionary_entries import NEVER


def promised(entries):
    """Return ``{name: columns that are never null}`` of tables, views and table macros."""
    return {
        entry.name: {column.name for column in entry.columns if column.null == NEVER}
        for entry in entries
        if entry.kind != "macro"
    }


def nulls(answer, never):
    """Return the columns of an answer, as Arrow, that hold a null and never should."""
    return [name for name in answer.column_names if name in never and answer[name].null_count]
