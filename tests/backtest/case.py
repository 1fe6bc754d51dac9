"""Small bars and decisions for the tests of the replay, and the two ways to run them."""

import math
from dataclasses import dataclass

import numpy as np

from backtest import records
from backtest.decisions import KINDS
from backtest.kernels.account import replay as kernel
from backtest.replay import READINGS, REASONS
from backtest.terms import LIMITS
from tests.reference import replay as naive

OUTCOMES = {
    records.NOT_TAKEN: "not taken",
    records.OPENED: "opened",
    records.UNFILLED: "unfilled",
    records.REFUSED: "refused",
}
PX = ("open", "high", "low", "close")


@dataclass
class Done:
    """One trade, as both ways tell it."""

    coin: int
    decided: int
    entered: int
    left: int
    reason: str
    kind: str
    ambiguous: bool
    size: float
    entry: float
    exit: float
    stop: float | None
    target: float | None
    worst: float
    best: float
    fees: float
    funding: float
    slippage: float
    forfeit: float
    pnl: float


def known(value):
    """None for NaN: how the kernel's arrays say that there is none."""
    return None if math.isnan(value) else float(value)


def bar_record(row, bar):
    for name in PX:
        row[f"{name}_px"] = getattr(bar, name)
    row["volume"], row["funding_rate"] = bar.volume, bar.funding_rate
    row["oracle_px"] = math.nan if bar.oracle is None else bar.oracle
    row["paid_by_longs"] = sum(max(paid, 0.0) for paid in bar.stamps)
    row["paid_by_shorts"] = sum(max(-paid, 0.0) for paid in bar.stamps)


def as_records(bars, decisions):
    """Turn the twin's objects into the kernel's records."""
    n, coins = len(bars), len(bars[0])
    grid = records.empty((n, coins), records.BAR)
    fine = records.empty(sum(len(b.fine) for row in bars for b in row if b), records.BAR)
    wanted = records.empty((n, coins), records.DECISION)
    used = 0
    for t, row in enumerate(bars):
        for coin, bar in enumerate(row):
            if bar is not None:
                grid[t, coin]["first"] = used
                bar_record(grid[t, coin], bar)
                for one in bar.fine:
                    bar_record(fine[used], one)
                    used += 1
                grid[t, coin]["last"] = used
            grid[t, coin]["curve"], grid[t, coin]["forced"] = coin, coins + coin
            made = decisions[t][coin]
            for name in records.DECISION.names:
                value = getattr(made, name)
                if name == "kind":
                    value = KINDS[value]
                wanted[t, coin][name] = math.nan if value is None else value
    return grid, fine, wanted


def terms_of(markets, venue):
    rules = np.zeros(1, records.RULES)
    rules["reading"], rules["limit"] = READINGS[venue.reading], LIMITS[venue.limit]
    rules["ticks"], rules["volume_share"] = venue.ticks, venue.volume_share
    rules["taker_fee"], rules["maker_fee"] = venue.taker, venue.maker
    rules["start_equity"] = venue.start_equity
    sizes = np.array(markets[0].sizes)
    curves = [[market.bought, market.sold] for market in markets]
    curves += [
        [market.forced_bought or market.bought, market.forced_sold or market.sold]
        for market in markets
    ]
    decimals = np.array([6 - market.size_decimals for market in markets])
    first, rate, deduction, instrument = [0], [], [], []
    for market in markets:
        instrument.append(-1 if market.tiers is None else len(first) - 1)
        if market.tiers is not None:
            rate += [one for one, _ in market.tiers]
            deduction += [one for _, one in market.tiers]
            first.append(len(rate))
    return (
        rules,
        sizes,
        np.array(curves),
        decimals,
        np.array(instrument),
        np.array(first),
        np.array(rate, dtype=float),
        np.array(deduction, dtype=float),
        np.array([market.leverage for market in markets], dtype=float),
    )


def by_kernel(bars, decisions, markets, venue, arrives=None, implementation=kernel):
    """Run the kernel; return trades, equity, coins and outcomes as the twin tells them."""
    grid, fine, wanted = as_records(bars, decisions)
    n, coins = grid.shape
    arrives = arrives or (lambda t: (t + 1, 0))
    live_bar = np.array([[min(arrives(t)[0], n)] * coins for t in range(n)])
    live_fine = np.full((n, coins), -1)
    for t in range(n):
        there, cut = arrives(t)
        if there < n and cut:
            has = grid["last"][there] > grid["first"][there]
            live_fine[t] = np.where(has, grid["first"][there] + cut, -1)
    trades, equity, position, outcome, _ = implementation(
        grid, fine, wanted, live_bar, live_fine, terms_of(markets, venue)
    )
    kinds = {code: name for name, code in KINDS.items()}
    done = [
        Done(
            coin=int(row["coin"]),
            decided=int(row["decided"]),
            entered=int(row["entered"]),
            left=int(row["left"]),
            reason=REASONS[int(row["reason"])],
            kind=kinds[int(row["kind"])],
            ambiguous=bool(row["ambiguous"]),
            size=float(row["size"]),
            entry=float(row["entry_px"]),
            exit=float(row["exit_px"]),
            stop=known(row["stop_px"]),
            target=known(row["target_px"]),
            worst=float(row["worst_px"]),
            best=float(row["best_px"]),
            **{
                name: float(row[name])
                for name in ("fees", "funding", "slippage", "forfeit", "pnl")
            },
        )
        for row in trades
    ]
    outcomes = [[OUTCOMES[int(one)] for one in row] for row in outcome]
    return done, equity.tolist(), position.tolist(), outcomes


def by_twin(bars, decisions, markets, venue, arrives=None):
    """Run the slow twin; return the same."""
    account, equity, position = naive.replay(bars, decisions, markets, venue, arrives)
    names = ("coin", "decided", "entered", "left", "reason", "kind", "ambiguous", "size")
    names += ("entry", "exit", "stop", "target", "worst", "best", "fees", "funding")
    names += ("slippage", "forfeit", "pnl")
    done = [Done(**{name: getattr(trade, name) for name in names}) for trade in account.closed]
    return done, equity, position, account.outcome
