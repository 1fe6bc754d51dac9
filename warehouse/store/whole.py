"""This module names the file of the ledger that is there and cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


class Unreadable(OSError):
    """A file beside the parts that is no whole Parquet file."""


@contextmanager
def whole(path: str, remedy: str) -> Iterator[None]:
    """Name a file, and what to do, if what is read within is not whole.

    Raises
    ------
    Unreadable
        If the bytes are no Parquet file, or have a page that cannot be read.
    """
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise Unreadable(f"{path} is no whole Parquet file: {remedy}") from error
