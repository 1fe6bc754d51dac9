"""This module writes whole columns of numbers as the venue writes numbers, without a loop."""

import numpy as np
import polars as pl
import pyarrow as pa


def decimals(value: pl.Expr, places: pl.Expr | int, bare: bool = False) -> pl.Expr:
    """Return whole numbers of 10^-``places`` as text.

    Parameters
    ----------
    value
        Whole numbers.
    places
        How many of their digits are behind the point.
    bare
        Whether nothing behind the point is written as nothing, as in the archives' CSV; else
        it is written as ``.0``, as in their JSON.

    >>> frame = pl.DataFrame({"value": [914005, -20, 15, 0], "places": [1, 6, 0, 2]})
    >>> frame.select(decimals(pl.col("value"), pl.col("places"))).to_series().to_list()
    ['91400.5', '-0.00002', '15.0', '0.0']
    >>> frame.select(decimals(pl.col("value"), pl.col("places"), True)).to_series().to_list()
    ['91400.5', '-0.00002', '15', '0']
    """
    places = pl.lit(places) if isinstance(places, int) else places
    digits = value.abs().cast(pl.String).str.zfill(places + 1)
    cut = digits.str.len_bytes().cast(pl.Int64) - places
    part = digits.str.slice(cut).str.strip_chars_end("0")
    none, point = (pl.lit(""), pl.lit(".")) if bare else (pl.lit(".0"), pl.lit("."))
    return pl.concat_str(
        pl.when(value < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        digits.str.slice(0, cut),
        pl.when(part == "").then(none).otherwise(pl.concat_str(point, part)),
    )


def hexadecimals(numbers: np.ndarray) -> pl.Series:
    """Return each row of ``uint64[rows, words]`` as text: ``0x`` and 16 digits a word.

    >>> hexadecimals(np.array([[1, 255]], np.uint64)).to_list()
    ['0x000000000000000100000000000000ff']
    """
    rows, words = numbers.shape
    written = pa.py_buffer(numbers.astype(">u8").tobytes().hex().encode())
    width = pa.binary(16 * words)
    fixed = pa.FixedSizeBinaryArray.from_buffers(width, rows, [None, written])
    return "0x" + pl.Series(fixed.cast(pa.binary()).cast(pa.string()))


def instants(nanoseconds: pl.Expr) -> pl.Expr:
    """Return nanoseconds since 1970 as the nodes write them.

    >>> pl.select(instants(pl.lit(1_761_584_400_063_787_823))).item()
    '2025-10-27T17:00:00.063787823'
    """
    return nanoseconds.cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%dT%H:%M:%S%.9f")
