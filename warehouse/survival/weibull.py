"""This module fits how the time to liquidation goes with leverage and distance.

A Weibull model of accelerated failure time: ``ln hours = intercept + a ln leverage + b ln
distance + noise``.  Reasons and reading: ``docs/definitions.md``, "Survival".
"""

import warnings
from typing import NamedTuple

import polars as pl

from warehouse.survival.curves import quiet

WEIBULL = pl.Schema(
    {
        "term": pl.String(),
        "estimate": pl.Float64(),
        "std_error": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "p_value": pl.Float64(),
    }
)
# Ten events for each of its numbers: below, a fit says more about chance than about leverage.
LEAST_LIQUIDATED = 40
NAMES = {
    ("lambda_", "Intercept"): "intercept",
    ("lambda_", "log_leverage"): "log_leverage",
    ("lambda_", "log_distance"): "log_distance",
    ("rho_", "Intercept"): "log_shape",
}


class Fit(NamedTuple):
    """Terms of the model, and in words what it was fitted to or why it was not."""

    terms: pl.DataFrame
    basis: str


def fit(spells: pl.DataFrame) -> Fit:
    """Fit the model to spells.

    Parameters
    ----------
    spells
        Rows of ``position_spells``.  Used are those watched for more than no time, whose
        leverage is known and that were not past their liquidation price when first seen.

    Returns
    -------
    Fit
        ``terms``: ``intercept``, ``log_leverage``, ``log_distance`` and ``log_shape`` with
        ``estimate``, ``std_error``, 95 % bounds ``low`` and ``high``, ``p_value``.  Hours are
        multiplied by ``2 ** estimate`` where leverage or distance (per cent of the mark) is
        twice as large.  Empty where it cannot be fitted.
    """
    used = spells.filter(
        pl.col("hours") > 0, pl.col("leverage").is_not_null(), pl.col("distance_pct") > 0
    ).select(
        "hours",
        liquidated=pl.col("outcome") == "liquidated",
        log_leverage=pl.col("leverage").log(),
        log_distance=pl.col("distance_pct").log(),
    )
    forced = int(used["liquidated"].sum())
    of = f"{used.height} of {spells.height} positions, {forced} of them liquidated"
    if forced < LEAST_LIQUIDATED:
        return Fit(_none(), f"no fit: {of}; {LEAST_LIQUIDATED} liquidated are needed")
    for name in ("leverage", "distance"):
        if used[f"log_{name}"].n_unique() == 1:
            return Fit(_none(), f"no fit: all {used.height} positions have the same {name}")
    from lifelines import WeibullAFTFitter  # noqa: PLC0415
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning  # noqa: PLC0415

    try:
        with quiet():
            warnings.simplefilter("error", ConvergenceWarning)
            fitted = WeibullAFTFitter().fit(used.to_pandas(), "hours", "liquidated")
    except (ConvergenceError, ConvergenceWarning):
        return Fit(_none(), f"no fit: it does not converge on {of}")
    summary = fitted.summary
    rows = [
        {
            "term": name,
            "estimate": summary.loc[key, "coef"],
            "std_error": summary.loc[key, "se(coef)"],
            "low": summary.loc[key, "coef lower 95%"],
            "high": summary.loc[key, "coef upper 95%"],
            "p_value": summary.loc[key, "p"],
        }
        for key, name in NAMES.items()
    ]
    return Fit(pl.DataFrame(rows, schema=WEIBULL), f"Weibull fit to {of}")


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=WEIBULL)
