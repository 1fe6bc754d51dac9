"""This module writes what all backtests together allow to conclude."""

from collections.abc import Sequence

import polars as pl

from warehouse.report import words
from warehouse.report.backtest_facts import READINGS, UNAIDED, Backtests
from warehouse.report.backtest_studies import study_verdicts
from warehouse.report.markup import Html, element, nothing, rows_table
from warehouse.report.mean_trade import FEWEST_TRADES, Mean, mean_difference, mean_trade


def backtest_summary(backtests: Backtests, coins: Sequence[str]) -> Html:
    """Return every rule and variant over all coins, and what may be concluded."""
    if not backtests.runs.height:
        return element(
            "section",
            element("h2", "Backtest"),
            nothing(
                "The lake holds no backtest of these coins: ",
                element("code", "undertow backtest"),
                " makes one.",
            ),
            id="backtest",
        )
    rows, means, differences = [], [], []
    for (strategy, variant), runs in _variants(backtests.runs):
        trades = _pessimistic(backtests, runs)
        means.append(mean_trade(trades))
        against = _unaided(backtests, strategy)
        aided = against is not None and not variant.startswith(UNAIDED)
        difference = mean_difference(trades, against) if aided else None
        differences += [difference] if difference else []
        readings = [_pooled(runs, bound, "return_fraction") for bound in READINGS]
        rows.append(
            [
                element("b", words.spelled(strategy)),
                words.spelled(variant),
                f"{trades.height:,}",
                words.both(*readings),
                means[-1].said,
                difference.said if difference else "–",
                _conclusion(means[-1], difference),
            ]
        )
    head = [
        "Rule",
        "Variant",
        "Trades",
        "Mean return per coin",
        "Mean trade",
        "Against without map",
        "What may be concluded",
    ]
    return element(
        "section",
        element("h2", "Backtest"),
        element("p", _caution(backtests, means, differences), class_="lead"),
        element("div", rows_table(head, rows, "stack"), class_="panel"),
        element("p", _readings(backtests), class_="note"),
        study_verdicts(backtests.asked),
        id="backtest",
    )


def _variants(runs: pl.DataFrame) -> list:
    return list(runs.group_by(["strategy", "variant"], maintain_order=True))


def _pessimistic(backtests: Backtests, runs: pl.DataFrame) -> pl.DataFrame:
    chosen = runs.filter(pl.col("bound") == "pessimistic").select("run_id", "bound")
    return backtests.trades.join(chosen, on=["run_id", "bound"], how="semi")


def _pooled(runs: pl.DataFrame, bound: str, column: str) -> float | None:
    return runs.filter(pl.col("bound") == bound)[column].mean()


def _unaided(backtests: Backtests, strategy: str) -> pl.DataFrame | None:
    """Return the trades of a rule without the map; None where it was not replayed so."""
    named = pl.col("variant").str.starts_with(UNAIDED)
    runs = backtests.runs.filter(pl.col("strategy") == strategy, named)
    return _pessimistic(backtests, runs) if runs.height else None


def _conclusion(mean: Mean, difference: Mean | None) -> str:
    """Return what one variant allows to conclude: of itself, or against the plain rule."""
    judged = difference or mean
    if mean.trades == 0:
        return "no trades: nothing to judge"
    if judged.few:
        return "too few trades to tell from luck"
    if judged.sign == 0:
        return "no edge shown" if difference else "not to be told from zero"
    if difference:
        return "better in this period" if judged.sign > 0 else "worse in this period"
    return "a gain in this period" if judged.sign > 0 else "a loss in this period"


def _caution(backtests: Backtests, means: list[Mean], differences: list[Mean]) -> str:
    runs = backtests.runs
    days = (runs["end_ts"].max() - runs["start_ts"].min()).total_seconds() / 86400
    said = (
        f"{words.count(len(means), 'variant')} of "
        f"{words.count(runs['strategy'].n_unique(), 'rule')} on "
        f"{words.count(runs['coin'].n_unique(), 'coin')} over {days:.0f} days: one stretch of "
        "one market. "
    )
    if all(mean.few for mean in means):
        return said + (
            f"None closed {FEWEST_TRADES} trades: whatever the curves below show, they cannot "
            "tell skill from luck."
        )
    apart = sum(mean.sign != 0 for mean in means)
    said += f"{apart or 'None'} of them can be told from zero after costs. "
    if differences:
        better = sum(one.sign > 0 for one in differences)
        said += (
            f"{better or 'None'} of the {len(differences)} that use the map did better than "
            "the same rule without it by more than two standard errors. "
        )
    tests = len(means) + len(differences)
    return said + (
        f"Of {tests} such comparisons {0.05 * tests:.1f} would look like a finding by chance "
        "alone, and days of one week are not independent: even this flatters."
    )


def _readings(backtests: Backtests) -> str:
    pessimistic = backtests.runs.filter(pl.col("bound") == "pessimistic")
    ambiguous, trades = pessimistic["ambiguous"].sum(), pessimistic["trades"].sum()
    return (
        "Where two figures stand, the first reads a bar that spans stop and target as stopped "
        "(pessimistic), the second as target reached (optimistic); "
        f"{words.count(ambiguous, 'trade')} of {trades:,} end in such a bar. Mean trade: "
        "pessimistic, after all costs, ± one standard error, days taken as independent."
    )
