"""This module knows Arrow's kinds of text and numbers, and shows a value of any kind."""

import pyarrow as pa
import pyarrow.types as kinds

# Numbers in text, as regular expressions of RE2.
WHOLE = r"^[+-]?[0-9]{1,40}$"
DECIMAL = r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?$"


def shown(value: pa.Scalar) -> str:
    """Return a value for an error: whole if it is short."""
    try:
        text = repr(value.as_py())
    except (ValueError, OverflowError, KeyError, pa.ArrowException):
        # Beyond Python's dates, no UTF-8, or (KeyError) in a time zone that nobody knows.
        return "not readable"
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of ``kind`` holds text."""
    return kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column of ``kind`` holds numbers."""
    return kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_decimal(kind)
