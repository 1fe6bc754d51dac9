"""This module draws how far each trade went for and against itself while it was open."""

import polars as pl

from backtest.report.facts import Facts
from backtest.report.say import mean
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table
from warehouse.report.plots import Plots
from warehouse.report.theme import AXIS, LONG, MUTED, SHORT, figure, name_heights

HEIGHT = 400
MOST_TRADES = 1_500
TITLE = "How far trades went for and against themselves"


def excursions_section(facts: Facts, plots: Plots) -> Html:
    """Return worst price against best price of each trade, and quantiles of both."""
    trades = facts.own_trades()
    if not trades.height:
        return panel(TITLE, nothing("No trade was made."))
    known = trades.filter(pl.col("best_px").is_not_null(), pl.col("worst_px").is_not_null())
    if not known.height:
        return panel(TITLE, nothing("Best and worst prices of these trades were not kept."))
    side = pl.when(pl.col("side") == "long").then(1).otherwise(-1)
    rows = known.select(
        "coin",
        "entry_ts",
        "return_fraction",
        against=side * (pl.col("worst_px") / pl.col("entry_px") - 1) * 100,
        favour=side * (pl.col("best_px") / pl.col("entry_px") - 1) * 100,
    )
    # Every n-th in order of time, so that no part of the period is left out.
    step = -(-rows.height // MOST_TRADES)
    shown = rows.gather_every(step)
    return panel(
        TITLE,
        element("p", _caption(trades.height, known.height, step), class_="caption"),
        plots.add(_figure(shown), "Worst against best price of each trade"),
        _table(facts),
    )


def _caption(trades: int, known: int, step: int) -> str:
    said = (
        "Worst and best price of each trade, in % of its entry (MAE and MFE): of the market "
        "while it was open and of its own fills, so slippage is in both, and fees and funding "
        "are in neither. Trades far to the right that lost gave back what they had; stops "
        "tighter than most winners’ worst price would have cost them."
    )
    if step > 1:
        said += f" Of {known:,} trades one in {step} is drawn."
    if known < trades:
        said += f" Of {words.count(trades - known, 'trade')} the prices were not kept."
    return said


def _figure(rows: pl.DataFrame) -> object:
    made = figure(HEIGHT, hovermode="closest", showlegend=True)
    won = pl.col("return_fraction") > 0
    for name, kept, colour, symbol in (
        ("gained after costs", won, LONG, "circle"),
        ("lost", won.not_(), SHORT, "x"),
    ):
        some = rows.filter(kept)
        if not some.height:
            continue
        made.add_scatter(
            name=f"{name} ({some.height:,})",
            x=some["favour"].round(4).to_list(),
            y=some["against"].round(4).to_list(),
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.8},
            hovertext=[_said(row) for row in some.iter_rows(named=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    made.update_layout(
        margin={"l": 62, "r": 14, "t": 24, "b": 92},
        xaxis={
            "ticksuffix": " %",
            "nticks": 8,
            "zeroline": True,
            "title": {"text": "best price", "font": {"size": 12, "color": MUTED}},
        },
        yaxis={"ticksuffix": " %", "nticks": 7, "zeroline": True, "zerolinecolor": AXIS},
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "font": {"size": 12}},
    )
    name_heights(made, "worst price, % from the entry")
    return made


def _said(row: dict) -> str:
    best, worst = (words.pct(row[name], 2, signed=True) for name in ("favour", "against"))
    net = words.pct(100 * row["return_fraction"], 2, signed=True)
    return (
        f"{words.utc(row['entry_ts'])}<br>best {best}, worst {worst}<br>"
        f"<b>{net}</b> after costs"
    )


def _table(facts: Facts) -> Html | None:
    found = facts.findings.excursions
    if found is None:
        return None
    rows = [
        [name, *(mean(edge) for edge in edges)]
        for name, edges in (("worst price", found.against), ("best price", found.favour))
    ]
    head = ["Quantiles over trades", "5 %", "25 %", "50 %", "75 %", "95 %"]
    return rows_table(head, rows, "stack figures")
