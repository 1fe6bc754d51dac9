"""This module writes what the study took for granted, was told of, and left out."""

import json
from datetime import timedelta

import polars as pl

from backtest.report.facts import Facts
from backtest.report.say import value
from warehouse.report import words
from warehouse.report.markup import Html, element, panel


def notes_section(facts: Facts) -> Html:
    """Return incidents, what was charged, what was seen, notes and assumptions."""
    topics = [
        ("Incidents", _incidents(facts)),
        ("Signals and maps", _signals(facts)),
        ("What was charged", _charged(facts)),
        ("Parameters", _parameters(facts.question["strategy"])),
        ("Rows that were read", _lines(facts.study["notes"])),
    ]
    return element(
        "div",
        [panel(name, _list(said)) for name, said in topics],
        panel("Assumptions", _list(_lines(facts.study["assumptions"]))),
        class_="topics",
    )


def _lines(kept: str | None) -> list[str]:
    """Return what the study said when it ran, whatever the code of today would say."""
    if kept is None:
        return ["Not known: the study was written before this was kept with it."]
    return kept.split("\n") if kept else ["Nothing is missing, and nothing was chosen."]


def _list(said: list[str]) -> Html:
    return element("ul", [element("li", one) for one in said])


def _incidents(facts: Facts) -> list[str]:
    found = facts.findings
    if found.incidents is None:
        return ["Not known: no lake was asked when this was answered."]
    said = [
        f"{one.table}: {words.count(one.windows, 'incident')} in the period; "
        f"{words.count(one.trades, 'trade')} of the rule were open in one."
        for one in found.incidents
    ]
    snapshots = words.count(found.untrusted or 0, "snapshot")
    return [*said, f"{snapshots} of the period were not trusted, and so answered nothing."]


def _signals(facts: Facts) -> list[str]:
    runs = facts.runs.filter(pl.col("own"), pl.col("bound") == "pessimistic").sort("coin")
    said = []
    for run in runs.iter_rows(named=True):
        line = (
            f"{run['coin']}: {words.count(run['signals'], 'signal')}, {run['refused']:,} "
            f"refused by the map, {run['unmapped']:,} where no map or flow was known, "
            f"{run['unfilled']:,} not filled, {words.count(run['trades'], 'trade')}."
        )
        said.append(line)
        used = facts.own_trades(run["coin"]).filter(pl.col("snapshot_ts").is_not_null())
        if used.height:
            ages = used["decided_ts"] - used["snapshot_ts"]
            middle, oldest = (one or timedelta(0) for one in (ages.median(), ages.max()))
            said.append(
                f"{run['coin']}: at the decisions of its trades the map was "
                f"{words.length(middle)} old in the median, {words.length(oldest)} at most."
            )
    return said


def _charged(facts: Facts) -> list[str]:
    terms = facts.question["terms"]
    costs = terms["costs"]
    shared = facts.findings.subject.shared
    who, each = ("One account starts", "") if shared else ("Accounts start", " each")
    said = [
        f"Taker fee {1e4 * costs['taker_fee']:g} bp, maker {1e4 * costs['maker_fee']:g} bp.",
        f"Funding {costs['funding']}, slippage {costs['slippage']}"
        + (
            " (none: left out because the question said so)."
            if "none" in costs.values()
            else "."
        ),
        f"{who} with {words.usd(terms['start_equity'])}{each}; at most "
        f"{terms['leverage']:g} times the equity.",
        f"A resting limit fills by the rule “{terms['limit']}”; a decision travels "
        f"{terms['latency'] / 1e6:g} s.",
    ]
    for coin, given in sorted(
        set(facts.runs.filter("own").select("coin", "costs").iter_rows())
    ):
        basis = json.loads(given).get("slippage_basis")
        if basis is not None:
            said.append(f"Slippage of {coin}: {basis}.")
    return said


def _parameters(strategy: dict) -> list[str]:
    """Return one line a strategy, the one that enters first."""
    inner = [
        line for one in strategy.values() if isinstance(one, dict) for line in _parameters(one)
    ]
    mine = [
        f"{name}={value(one)}"
        for name, one in strategy.items()
        if name != "strategy" and not isinstance(one, dict)
    ]
    name = words.spelled(str(strategy["strategy"]))
    return [*inner, f"{name}: {', '.join(mine) or 'no parameters'}."]
