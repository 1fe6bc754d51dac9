"""This module draws how the mean attempt falls as orders grow."""

from backtest.findings.capacity import Capacity
from backtest.findings.find import Findings
from backtest.report.say import mean
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table
from warehouse.report.plots import Plots
from warehouse.report.theme import MUTED, VARIANTS, figure, name_heights

TITLE = "Capacity"


def capacity_section(findings: Findings, plots: Plots) -> Html:
    """Return the mean attempt by size of order, pessimistic reading."""
    found = findings.capacity
    if found is None:
        return panel(
            TITLE,
            nothing(
                "Not known: nothing was traded."
                if findings.costs is None
                else "Not known: slippage was left out, so size costs nothing here."
            ),
        )
    heads = ["Orders", "Median entry", "Mean attempt"]
    rows = [
        [f"{factor:g}×", words.usd(notional), mean(earned)]
        for factor, notional, earned in zip(
            found.factors, found.notional, found.mean, strict=True
        )
    ]
    if _differs(found):
        heads.append("Filled")
        for row, filled, attempts in zip(rows, found.filled, found.attempts, strict=True):
            row.append(f"{filled:,} of {attempts:,}")
    return panel(
        TITLE,
        element("p", _caption(found), class_="caption"),
        plots.add(_figure(found), "Mean attempt by size of order"),
        rows_table(heads, rows, "figures"),
    )


def _differs(found: Capacity) -> bool:
    """Return whether how many attempts were filled is not the same at all sizes."""
    return len(set(zip(found.filled, found.attempts, strict=True))) > 1


def _caption(found: Capacity) -> str:
    said = (
        "The same decisions with larger orders in as much larger accounts; slippage grows with "
        "the size. An order at the market fills however much it gives up, and is stopped out "
        "at once where that carries it past its own stop. "
    )
    if _differs(found):
        said += (
            "Not all sizes fill alike: an attempt counts 0 where a resting order was not "
            "reached, and is in no mean where only at this size the venue refuses it. "
        )
    if found.zero is not None:
        return said + f"Nothing is left at some {words.usd(found.zero)} an entry."
    first, last = found.mean[0], found.mean[-1]
    if first is None or first <= 0:
        return said + "It earns nothing even at the smallest, so there is no capacity to tell."
    if last is not None and last > 0:
        return said + "It still earns at the largest: the end of it lies further out."
    return said + "Where it ends is not known."


def _figure(found: Capacity) -> object:
    made = figure(300, hovermode="closest")
    made.add_scatter(
        x=list(found.notional),
        y=[None if one is None else round(100 * one, 5) for one in found.mean],
        mode="lines+markers",
        line={"color": VARIANTS[1], "width": 2},
        marker={"size": 8},
        hovertemplate="%{x:$,.3~s} an entry<br><b>%{y:+.3f} %</b> an attempt<extra></extra>",
    )
    if found.zero is not None:
        made.add_vline(found.zero, line={"color": MUTED, "width": 1.4, "dash": "dash"})
    made.update_layout(
        margin={"l": 66, "r": 20, "t": 28, "b": 44},
        xaxis={
            "type": "log",
            "tickvals": list(found.notional),
            "ticktext": [words.usd_tick(one) for one in found.notional],
        },
        yaxis={"ticksuffix": " %", "nticks": 6, "zeroline": True},
    )
    name_heights(made, "mean attempt by median entry, USD")
    return made
