"""This module lets the accounts trade, pay funding and be liquidated, minute by minute.

Within a minute: the mark moves; on the hour funding is paid; whoever is under maintenance is
liquidated; a snapshot is taken where one is due; then accounts trade.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from pipelines.demo_rows.accounts import MAKER, Accounts
from pipelines.demo_rows.prices import funding_rates, mark_paths, premiums
from pipelines.demo_rows.trading import Fill, Market

ACCOUNTS = 400
WARM_UP = 1440  # minutes before the first day in which accounts take their first positions
TRADES_PER_DAY = 4.0  # that an account thinks of
SNAPSHOT_EVERY = 360  # minutes
SNAPSHOT_AT = 5_000  # ms into the minute


class Snapshot(NamedTuple):
    """What every account held at one moment; arrays are accounts by coins."""

    ms: int
    mark: np.ndarray
    size: np.ndarray
    entry: np.ndarray
    liquidation_px: np.ndarray
    isolated: np.ndarray
    leverage: np.ndarray
    funding_pnl: np.ndarray
    account_value: np.ndarray  # by account, isolated margin included


class History(NamedTuple):
    """What happened, from the start of the first day on; hourly arrays are hours by coins."""

    start_ms: int
    marks: np.ndarray  # minutes by coins
    oracle: np.ndarray  # hourly
    rate: np.ndarray  # hourly
    open_interest: np.ndarray  # hourly, coins, one-sided
    fills: list[Fill]  # those shortly before the start too: archives cut by another clock
    snapshots: list[Snapshot]
    accounts: Accounts  # at the end


def run(rng: np.random.Generator, days: int, start: date) -> History:
    """Run the world for ``days`` days from ``start``, after a day that is not told of."""
    of_prices, of_accounts, of_trades = rng.spawn(3)
    marks = mark_paths(of_prices, WARM_UP, days * 1440)
    premium = premiums(of_prices, marks)
    oracle, rate = marks[::60] / (1 + premium), funding_rates(premium)
    first = datetime.combine(start, time(), UTC) - timedelta(minutes=WARM_UP)
    start_ms = int(first.timestamp()) * 1000
    market = Market(of_trades, Accounts(of_accounts, ACCOUNTS))
    accounts = market.accounts
    thoughts = _thoughts(of_trades, len(marks))
    when = 0
    snapshots, open_interest = [], np.zeros_like(oracle)
    for minute, mark in enumerate(marks):
        ms = start_ms + minute * 60_000
        if minute % 60 == 0:
            hour = minute // 60
            accounts.fund(oracle[hour], rate[hour])
            if accounts.margins(mark).cross[MAKER] < accounts.deposit[MAKER] / 2:
                accounts.pay_in(MAKER)
            open_interest[hour] = np.maximum(accounts.size, 0).sum(axis=0)
        market.liquidate(ms, mark)
        if minute >= WARM_UP and minute % SNAPSHOT_EVERY == 0:
            snapshots.append(_snapshot(accounts, ms + SNAPSHOT_AT, mark))
        while when < len(thoughts.minute) and thoughts.minute[when] == minute:
            market.think(
                ms + int(thoughts.offset[when]),
                mark,
                np.log(mark / marks[max(0, minute - 720)]),
                int(thoughts.account[when]),
                thoughts.chance[when],
            )
            when += 1
    told = start_ms + (WARM_UP - 10) * 60_000
    hours = WARM_UP // 60
    return History(
        start_ms + WARM_UP * 60_000,
        marks[WARM_UP:],
        oracle[hours:],
        rate[hours:],
        open_interest[hours:],
        [fill for fill in market.fills if fill.ms >= told],
        snapshots,
        accounts,
    )


class _Thoughts(NamedTuple):
    """When which account thinks of trading, and the chances that decide what it does."""

    minute: np.ndarray
    offset: np.ndarray  # ms into the minute, after the snapshot
    account: np.ndarray
    chance: np.ndarray  # thoughts by chances


def _thoughts(rng: np.random.Generator, minutes: int) -> _Thoughts:
    count = rng.poisson(ACCOUNTS * TRADES_PER_DAY * minutes / 1440)
    at = np.sort(rng.integers(0, minutes * 50_000, count))
    return _Thoughts(
        at // 50_000,
        10_000 + at % 50_000,
        rng.integers(1, ACCOUNTS + 1, count),
        rng.random((count, 7)),
    )


def _snapshot(accounts: Accounts, ms: int, mark: np.ndarray) -> Snapshot:
    now = accounts.margins(mark)
    return Snapshot(
        ms,
        mark,
        accounts.size.copy(),
        accounts.entry.copy(),
        accounts.liquidation_px(mark),
        accounts.isolated.copy(),
        accounts.leverage.copy(),
        accounts.funding_pnl.copy(),
        now.cross + (now.isolated * accounts.isolated).sum(axis=1),
    )
