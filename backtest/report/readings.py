"""This module writes what an attempt earned, how sure that is, and what the map adds."""

from backtest.findings.find import Findings
from backtest.report.say import READINGS, mean, number, share, span
from backtest.worded import length
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table, text


def readings_section(findings: Findings) -> Html:
    """Return the mean attempt by reading, and against the rule without the map."""
    return text([_readings(findings), _ablations(findings)])


def _readings(findings: Findings) -> Html:
    rows = [
        [
            READINGS[one.bound],
            f"{one.attempts:,}",
            f"{one.trades:,}",
            f"{one.days:,}" + (f" of {one.days_alike}" if one.days_alike > 1 else ""),
            share(one.ambiguous, "no trades"),
            mean(one.mean),
            span(one.low, one.high),
            number(one.p),
        ]
        for one in findings.readings
    ]
    head = ["Reading", "Attempts", "Trades", "Days", "Ambiguous", "Mean", "95 % interval", "p"]
    return panel(
        "What an attempt earned",
        element(
            "p",
            f"{_after(findings)}, as a share of notional. An attempt is an order that reached "
            f"the venue; one that was not filled counts 0. {_counted(findings)} "
            "Ambiguous: trades with a bar that leaves open what came first, or which funding "
            "fell due, so that another reading may give another result. The optimistic one "
            "also lets stops give up no more than at the open of their bar.",
            class_="caption",
        ),
        rows_table(head, _once(rows), "stack figures"),
    )


def _once(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows of readings, one where all say the same.

    >>> _once([["pessimistic", "3"], ["optimistic", "3"]])
    [['every reading', '3']]
    """
    alike = len(rows) > 1 and all(row[1:] == rows[0][1:] for row in rows)
    return [["every reading", *rows[0][1:]]] if alike else rows


def _counted(findings: Findings) -> str:
    """Return what is counted, and why."""
    length = findings.readings[0].days_alike
    if length == 1:
        return "Trades of a day are alike, so days are counted and not trades."
    return (
        f"Trades that are held over the same days are alike, so stretches of {length} days are "
        "counted and not trades."
    )


def _after(findings: Findings) -> str:
    """Return what was taken off."""
    left_out = findings.subject.left_out
    return f"Without {words.listed(list(left_out))}" if left_out else "After all costs"


def _ablations(findings: Findings) -> Html:
    title = "With the map, and without it"
    if not findings.ablations:
        return panel(title, nothing("The rule knows neither map nor flow: nothing to take."))
    rows = []
    for one in findings.ablations:
        pair = one.attempts
        rows.append(
            [
                READINGS[one.bound],
                f"{mean(pair.mean_with)} ({words.count(pair.trades_with, 'attempt')})",
                f"{mean(pair.mean_without)} ({words.count(pair.trades_without, 'attempt')})",
                mean(pair.difference, "not known"),
                span(pair.low, pair.high),
                number(pair.p),
                number(one.p),
            ]
        )
    head = [
        "Reading",
        "With",
        "Without",
        "Difference",
        "95 % interval",
        "p: attempts not better",
        "p: days not better",
    ]
    return panel(
        title,
        element(
            "p",
            "The same entries, stops and sizes on the same bars, blind to map and flow. "
            "Attempts are held against days that speak for either by lot; by days the daily "
            "returns are compared in blocks (SPA), of 20 days or more.",
            class_="caption",
        ),
        rows_table(head, _once(rows), "stack figures"),
    )


def ratio_section(findings: Findings) -> Html:
    """Return the Sharpe ratio, and what is left of it after all trials."""
    one = findings.ratio
    day, daily = findings.daily_mean, findings.daily_sharpe
    rows: list[list[object]] = [
        ["Sharpe ratio of a day", number(one.daily)],
        ["the same a year", number(one.annual, 2)],
        ["95 % interval of a day, by blocks", _between(daily.low, daily.high)],
        ["mean return of a day", mean(day.estimate, "not known")],
        ["95 % interval of it, by blocks", span(day.low, day.high)],
        ["chance that the true ratio is above 0, taken alone", number(one.probability)],
        ["trials that it was chosen from", f"{one.trials:,}"],
        ["what the best of them reaches by luck, a day", number(one.expected)],
        ["the same by the spread of the trials, which decides nothing", number(one.by_spread)],
        ["deflated: chance that it is above that luck", number(one.deflated)],
        ["length of the period", length(one.years)],
        ["minimum backtest: length it takes for so many trials", _needed(one.needed_years)],
        ["minimum track record: length at which it alone is sure", _needed(one.record_years)],
    ]
    return panel(
        "Sharpe ratio, less what luck gives",
        element(
            "p",
            "Of daily returns, pessimistic reading. Whoever tries often finds something: every "
            "trial that the lake knows of this rule or these coins in this period counts "
            "against it.",
            class_="caption",
        ),
        rows_table(["", "Value"], rows, "figures"),
    )


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "not known: too few days"
    return f"{number(low)} to {number(high)}"


def _needed(years: float | None) -> str:
    return "no length will do: it is not above 0" if years is None else length(years)
