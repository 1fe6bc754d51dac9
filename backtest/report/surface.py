"""This module reads what other parameters of a study's rule came to, and how overfit it is."""

import json
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from backtest.search.survives import pbo
from backtest.search.table import sharpes
from backtest.strategies.strategy import WITHOUT_MAP
from backtest.trials import terms_said

Setting = dict[str, object]


@dataclass(frozen=True, slots=True)
class Surface:
    """The settings of one sweep, over the coins and the period of a study.

    Attributes
    ----------
    sweep
        Name of the sweep; None: studies of their own, or there is no surface.
    names
        Numeric parameters that vary, dotted, the one with the most values first; empty: there
        is no surface.
    values
        Of each setting, in the order of ``names``.
    sharpe
        Of the daily returns, mean over coins; None: they do not vary.
    own
        Place of the study's own setting; None: it is not among them.
    days
        Of the period.
    pbo
        Probability of overfitting; None: it cannot be told.
    elsewhere
        Trials of the same rule and variant that are of other coins, another period or under
        other terms.
    """

    sweep: str | None
    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    sharpe: tuple[float | None, ...]
    own: int | None
    days: int
    pbo: float | None
    elsewhere: int


def read_surface(lake: duckdb.DuckDBPyConnection, study: dict, question: dict) -> Surface:
    """Return the surface of the sweep with the most settings of a study's rule.

    Parameters
    ----------
    lake
        Catalog of a lake.
    study
        Row of ``backtest_studies``.
    question
        Of its JSON.
    """
    trials = lake.sql(
        """
        select sweep_id, parameters, terms, coins, interval, start_ts, end_ts, daily
        from backtest_trials
        where strategy = $strategy and variant = $variant
        order by trial_id
        """,
        params={name: study[name] for name in ("strategy", "variant")},
    ).to_arrow_table()
    coins = study["coins"].split(",")
    terms = terms_said(
        question,
        blind=study["variant"] == WITHOUT_MAP,
        shared=question["account"] == "one",
    )
    alike = {name: study[name] for name in ("start_ts", "end_ts")}
    alike |= {"interval": question["interval"], "terms": terms}
    sweeps: dict[str | None, dict[str, dict[str, np.ndarray]]] = {}
    elsewhere = 0
    for row in trials.to_pylist():
        tried = ",".join(sorted(row["coins"].split(",")))
        here = tried in (",".join(sorted(coins)), *coins)
        if not (here and all(row[name] == value for name, value in alike.items())):
            elsewhere += 1
            continue
        settings = sweeps.setdefault(row["sweep_id"], {})
        parts = settings.setdefault(row["parameters"], {})
        parts[tried] = np.array(row["daily"], float)
    found = [_surface(name, settings, coins, question) for name, settings in sweeps.items()]
    found = [one for one in found if one[0].names]
    if not found:
        return Surface(None, (), (), (), None, 0, None, elsewhere)
    best, daily = max(found, key=lambda one: len(one[0].values))
    return replace(best, pbo=_overfit(daily), elsewhere=elsewhere)


def _surface(
    sweep: str | None, settings: dict, coins: list[str], question: dict
) -> tuple[Surface, np.ndarray]:
    """Return one sweep's settings that were tried on all coins, and their daily returns."""
    daily = {text: _whole(parts, coins) for text, parts in settings.items()}
    whole = {text: one for text, one in daily.items() if one is not None}
    days = max((one.size for one in whole.values()), default=0)
    whole = {text: one for text, one in whole.items() if one.size == days}
    numbers = {text: flat(json.loads(text)) for text in whole}
    names = _varying(list(numbers.values()))
    table = np.column_stack(list(whole.values())) if whole else np.zeros((0, 0))
    own = flat(question["strategy"])
    place = next((n for n, one in enumerate(numbers.values()) if one == own), None)
    surface = Surface(
        sweep,
        names,
        tuple(tuple(float(one[name]) for name in names) for one in numbers.values()),
        tuple(None if np.isnan(one) else float(one) for one in sharpes(table)),
        place,
        days,
        None,
        0,
    )
    return surface, table


def _whole(parts: dict[str, np.ndarray], coins: list[str]) -> np.ndarray | None:
    """Return the daily returns of a setting, mean over coins; None: not told of every one."""
    joint = parts.get(",".join(sorted(coins)))
    if joint is not None:
        return joint
    single = [parts[coin] for coin in coins if coin in parts]
    if len(single) < len(coins) or len({one.size for one in single}) > 1:
        return None
    return np.mean(single, axis=0)


def flat(parameters: Setting) -> Setting:
    """Return the parameters of a rule and of those within it, dotted.

    >>> flat({"strategy": "f", "ratio": 2.0, "entry": {"strategy": "b", "bars": 3}})
    {'f.ratio': 2.0, 'b.bars': 3}
    """
    name, found = parameters.get("strategy"), {}
    for key, value in parameters.items():
        if isinstance(value, dict):
            found |= flat(value)
        elif key != "strategy":
            found[f"{name}.{key}"] = value
    return found


def _varying(settings: list[Setting]) -> tuple[str, ...]:
    """Return the numeric parameters that vary, the one with the most values first."""
    first = settings[0] if settings else {}
    seen = {name: {one.get(name) for one in settings} for name in first}
    numeric = {
        name: len(values)
        for name, values in seen.items()
        if len(values) > 1 and all(type(one) in (int, float) for one in values)
    }
    return tuple(sorted(numeric, key=lambda name: (-numeric[name], name)))


def _overfit(daily: np.ndarray) -> float | None:
    ratios = np.nan_to_num(sharpes(daily), nan=-np.inf)
    try:
        return pbo(daily, int(ratios.argmax()), seed=0)
    except ValueError:
        # A setting that earns the same every day of a half has no Sharpe ratio there.
        return None
