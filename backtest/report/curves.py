"""This module pools the equity of accounts into one curve, and thins it for drawing."""

from dataclasses import dataclass

import polars as pl

MOST_POINTS = 1_500


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity of all coins together, at most 1,500 points of it.

    Attributes
    ----------
    times
        Closes of bars, UTC.
    gain
        Equity over that of the start, less 1, per cent.
    fall
        Deepest below the peak so far within each stretch that a point stands for, per cent.
    """

    times: list
    gain: list[float]
    fall: list[float]


def pooled(equity: pl.DataFrame, start_equity: float, *, shared: bool = False) -> Curve | None:
    """Return the curve of accounts that started alike; None: no rows.

    Parameters
    ----------
    equity
        Rows of ``backtest_equity`` of one reading, one run a coin.
    start_equity
        Of each account, USD.
    shared
        Whether all coins are in one, whose equity the rows of each tell.
    """
    if not equity.height:
        return None
    if shared:
        equity = equity.unique("time_ts").with_columns(coin=pl.lit("all"))
    wide = equity.pivot(on="coin", index="time_ts", values="equity").sort("time_ts")
    # An account without a bar at a moment stands where it stood, at first where it started.
    held = wide.select(
        "time_ts",
        total=pl.sum_horizontal(
            pl.col(name).forward_fill().fill_null(start_equity)
            for name in wide.columns
            if name != "time_ts"
        ),
    )
    start = start_equity * (wide.width - 1)
    # The account starts at its peak, also where the first bar loses.
    peak = pl.max_horizontal(pl.col("total").cum_max(), pl.lit(start))
    rows = held.select(
        "time_ts",
        gain=(pl.col("total") / start - 1) * 100,
        fall=(pl.col("total") / peak - 1) * 100,
    )
    thin = thinned(rows)
    return Curve(
        thin["time_ts"].to_list(),
        thin["gain"].round(4).to_list(),
        thin["fall"].round(4).to_list(),
    )


def thinned(rows: pl.DataFrame, most: int = MOST_POINTS) -> pl.DataFrame:
    """Return the last row of each of at most so many stretches, with the deepest fall of it.

    Parameters
    ----------
    rows
        In order of time; ``fall`` is kept at its lowest, if there is one.
    most
        Stretches.
    """
    step = -(-rows.height // most)
    # Counted from the end, so that the last row always stands.
    stretch = (rows.height - 1 - pl.int_range(pl.len())) // step if rows.height else pl.lit(0)
    return (
        rows.with_columns(stretch=stretch)
        .group_by("stretch", maintain_order=True)
        .agg(
            pl.col(name).min() if name == "fall" else pl.col(name).last()
            for name in rows.columns
        )
        .drop("stretch")
    )
