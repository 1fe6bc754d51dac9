"""This module draws survival curves: the share of positions not yet liquidated, by age.

What is estimated, from what, and what it is not: ``docs/definitions.md``, "Survival".
"""

import warnings

import numpy as np
import polars as pl

CURVES = pl.Schema(
    {
        "position_group": pl.String(),
        "hours": pl.Float64(),
        "at_risk": pl.Int64(),
        "liquidated": pl.Int64(),
        "closed": pl.Int64(),
        "survival": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "liquidated_share": pl.Float64(),
    }
)
LOOKED_AT = (1, 6, 24, 72, 168)  # hours that a summary names


def curve(hours: np.ndarray, liquidated: np.ndarray, closed: np.ndarray) -> pl.DataFrame:
    """Return the Kaplan–Meier curve of some positions, with its 95 % band.

    Parameters
    ----------
    hours : float64[n]
        How long each was watched, from the look that first showed it; not negative.
    liquidated, closed : bool[n]
        How the watch ended; neither: it was cut off.

    Returns
    -------
    DataFrame
        A row at 0 hours, and one for each time at which a watch ended: ``at_risk`` (positions
        just before), ``liquidated``, ``closed`` (then), ``survival`` (share not liquidated if
        nobody closed), ``low`` and ``high`` (null where nothing has been liquidated yet, or
        nothing is left), ``liquidated_share`` (share that was liquidated before it was
        closed).  Empty where there are no positions.

    Notes
    -----
    The band is lifelines' (exponential Greenwood).  It takes positions as independent, which
    those of one account, or of one crash, are not: it is too narrow.
    """
    if not hours.size:
        return pl.DataFrame(schema=CURVES).drop("position_group")
    # A second is spent on it, which no other question waits for.
    from lifelines import KaplanMeierFitter  # noqa: PLC0415

    with quiet():
        fitted = KaplanMeierFitter().fit(hours, liquidated)
    times = fitted.event_table.index.to_numpy()
    band = fitted.confidence_interval_.to_numpy()
    at_risk = fitted.event_table["at_risk"].to_numpy()
    forced = fitted.event_table["observed"].to_numpy()
    ended = np.bincount(np.searchsorted(times, hours[closed]), minlength=times.size)
    # Aalen–Johansen: of those that nothing ended before, what is liquidated now.
    left = np.cumprod(1 - (forced + ended) / at_risk)
    before = np.concatenate(([1.0], left[:-1]))
    told = (forced.cumsum() > 0) & (fitted.survival_function_.to_numpy()[:, 0] > 0)
    return pl.DataFrame(
        {
            "hours": times,
            "at_risk": at_risk.astype(np.int64),
            "liquidated": forced.astype(np.int64),
            "closed": ended,
            "survival": fitted.survival_function_.to_numpy()[:, 0],
            "low": np.where(told, band[:, 0], np.nan),
            "high": np.where(told, band[:, 1], np.nan),
            "liquidated_share": np.cumsum(before * forced / at_risk),
        },
        nan_to_null=True,
    )


def curves(spells: pl.DataFrame) -> pl.DataFrame:
    """Return the curve of each group.

    Parameters
    ----------
    spells
        ``position_group``, ``hours`` and ``outcome`` of ``position_spells``; the groups in the
        order in which they are to stand.
    """
    drawn = []
    for name in spells["position_group"].unique(maintain_order=True):
        some = spells.filter(position_group=name)
        one = curve(
            some["hours"].to_numpy(),
            (some["outcome"] == "liquidated").to_numpy(),
            (some["outcome"] == "closed").to_numpy(),
        )
        drawn.append(one.select(pl.lit(name).alias("position_group"), pl.all()))
    return pl.concat(drawn).cast(CURVES) if drawn else pl.DataFrame(schema=CURVES)


def groups(spells: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Return a row a group: how many positions, how they ended, and how many last how long.

    Parameters
    ----------
    spells, drawn
        As :func:`curves` takes and gives them.

    Returns
    -------
    DataFrame
        ``positions``, ``accounts``, ``liquidated``, ``closed``, ``cut_off``, ``hours`` (of all
        watches together), ``median_hours`` (null: more than half were left), ``survival_1h`` …
        (null where every watch ended before).
    """
    counted = spells.group_by("position_group", maintain_order=True).agg(
        positions=pl.len().cast(pl.Int64),
        accounts=pl.col("account").n_unique().cast(pl.Int64),
        liquidated=(pl.col("outcome") == "liquidated").sum().cast(pl.Int64),
        closed=(pl.col("outcome") == "closed").sum().cast(pl.Int64),
        cut_off=(~pl.col("outcome").is_in(["liquidated", "closed"])).sum().cast(pl.Int64),
        hours=pl.col("hours").sum(),
    )
    read = drawn.group_by("position_group").agg(
        median_hours=pl.col("hours").filter(pl.col("survival") <= 0.5).min(),
        **{
            f"survival_{after}h": pl.when(
                (pl.col("hours").max() >= after) | (pl.col("survival").last() == 0)
            ).then(pl.col("survival").filter(pl.col("hours") <= after).last())
            for after in LOOKED_AT
        },
    )
    return counted.join(read, on="position_group", how="left", maintain_order="left")


def quiet() -> warnings.catch_warnings:
    """Return a context without warnings of pandas 4 about how lifelines 0.30 calls it.

    Goes when lifelines no longer does.
    """
    return warnings.catch_warnings(action="ignore", category=_pandas_warning())


def _pandas_warning() -> type[Warning]:
    from pandas.errors import Pandas4Warning  # noqa: PLC0415

    return Pandas4Warning
