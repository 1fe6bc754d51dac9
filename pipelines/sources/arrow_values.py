"""This module reads columns of the venue's numbers and times, whole columns at once."""

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.node_fill_faults import LAST_MS
from warehouse.contracts.table import TS


def instants(ms: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return milliseconds since 1970 as UTC microseconds; null stays null.  Pure.

    Raises
    ------
    ValueError
        If one is before 1970 or after the year 9999.

    >>> str(instants(pa.chunked_array([[1761584399797]]))[0])
    '2025-10-27 16:59:59.797000+00:00'
    """
    span = pc.min_max(ms).as_py()
    if len(ms) and not 0 <= span["min"] <= span["max"] <= LAST_MS:
        raise ValueError("must be milliseconds since 1970")
    return ms.cast(pa.timestamp("ms", tz="UTC")).cast(TS)


def decimals(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimal strings as ``float64``; null stays null.  Pure.

    Raises
    ------
    ValueError
        If one is no decimal, or not finite.

    >>> decimals(pa.chunked_array([["0.30", None, "-1e-2"]])).to_pylist()
    [0.3, None, -0.01]
    """
    numbers = text.cast(pa.float64())
    if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
        raise ValueError("must be finite")
    return numbers
