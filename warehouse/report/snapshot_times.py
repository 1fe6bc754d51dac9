"""This module says when the positions were seen, and how late that could be known."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from warehouse.report import words
from warehouse.report.coin_facts import CoinFacts
from warehouse.report.window import Window


def times_in_words(coins: Sequence[CoinFacts], window: Window) -> list[str]:
    """Return the snapshots' times, distances, lags and the days without one."""
    held = next((facts.coverage for facts in coins if facts.coverage), None)
    said = []
    if held is not None and window.at is not None:
        said.append(
            "The moment shown is answered by the newest trusted, complete snapshot not after "
            f"it: {_older(window.at - held['snapshot_ts'])}, known "
            f"{_after(held['known_ts'] - held['snapshot_ts'])}."
        )
    columns = max(
        (facts.columns for facts in coins), key=lambda rows: rows.height, default=None
    )
    if columns is None or not columns.height:
        return [*said, "No snapshot lies in the period of the charts."]
    return said + _spacing(columns, window)


def _spacing(columns: pl.DataFrame, window: Window) -> list[str]:
    times = columns["snapshot_ts"].to_list()
    steps = sorted(after - before for before, after in pairwise(times))
    said = [
        f"{words.count(len(times), 'snapshot')} in the charts, from {words.utc(times[0])} to "
        f"{words.utc(times[-1])}."
    ]
    if steps:
        said.append(
            f"Half of the time from one to the next is {words.length(steps[len(steps) // 2])} "
            f"or less; the longest is {words.length(steps[-1])}."
        )
    lags = sorted((columns["known_ts"] - columns["snapshot_ts"]).to_list())
    middle, longest = _after(lags[len(lags) // 2]), _after(lags[-1])
    said.append(
        f"By their source’s word each could be known {longest}."
        if middle == longest
        else f"Half of them could be known {middle} or sooner, the last {longest}."
    )
    first, last = window.since.date(), (window.until - timedelta(microseconds=1)).date()
    days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    without = sorted(days - {time.date() for time in times})
    said.append(
        f"Days without a snapshot: {_days(without)}."
        if without
        else "No day is without a snapshot."
    )
    return said


def _days(days: list[date]) -> str:
    names = [f"{one.day}{words.SPACE}{one:%b}" for one in days[:6]]
    return (
        words.listed(names)
        if len(days) <= 6
        else f"{', '.join(names)} and {len(days) - 6} more"
    )


def _after(lag: timedelta) -> str:
    return "at once" if lag < timedelta(minutes=1) else f"{words.length(lag)} later"


def _older(age: timedelta) -> str:
    return (
        "taken at that moment" if age < timedelta(minutes=1) else f"{words.length(age)} older"
    )
