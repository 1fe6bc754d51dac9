"""This module tells rules that are new from those the lake knows already."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse.catalog import open_lake
from warehouse.store import NoLake

Rules = tuple[float, int | None, tuple[tuple[float, float], ...]]


def rules_of(row: dict[str, Any]) -> Rules:
    """Return what a row of ``instruments`` says but for when, in a form that can be compared.

    >>> rules_of({"max_leverage": 5.0, "size_decimals": 0,
    ...           "margin_tiers": [{"lower_bound": 0.0, "max_leverage": 5.0}]})
    (5.0, 0, ((0.0, 5.0),))
    """
    tiers = tuple((tier["lower_bound"], tier["max_leverage"]) for tier in row["margin_tiers"])
    return row["max_leverage"], row["size_decimals"], tiers


def news(rows: Iterable[dict[str, Any]], known: dict[str, Rules]) -> list[dict[str, Any]]:
    """Return the rows whose rules differ from the newest known of their coin.  Pure.

    Parameters
    ----------
    rows
        Rows of ``instruments``, one a coin.
    known
        Coin -> newest rules; a coin that is not there is news.

    Examples
    --------
    >>> row = {"coin": "WIF", "max_leverage": 5.0, "size_decimals": 0,
    ...        "margin_tiers": [{"lower_bound": 0.0, "max_leverage": 5.0}]}
    >>> known = {"WIF": rules_of(row)}
    >>> news([row], known), len(news([row | {"max_leverage": 3.0}], known))
    ([], 1)
    """
    return [row for row in rows if known.get(row["coin"]) != rules_of(row)]


def newest_rules(lake: Path | str, source: str, before: datetime) -> dict[str, Rules]:
    """Return coin -> the newest rules that a source told before a moment.

    A lake that is not there yet knows none.
    """
    try:
        con = open_lake(lake)
    except NoLake:
        return {}
    with con:
        rows = con.sql(
            "select coin, max_leverage, size_decimals, margin_tiers from instruments "
            "where source = $source and effective_ts < $before "
            "qualify row_number() over (partition by coin order by effective_ts desc) = 1",
            params={"source": source, "before": before},
        ).pl()
    return {row["coin"]: rules_of(row) for row in rows.to_dicts()}
